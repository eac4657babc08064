/** What isolated tasks changed, and its way into a branch. */
import { z } from "zod";
import type { MergeListOptions, MergeOptions, RestoreOptions } from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import { invalidOptions } from "../../core/errors.ts";
import type { MergeRecord } from "../../core/merge.ts";
import type { TaskRecord } from "../../core/task.ts";
import { count, texts, words } from "../../schema/answer.ts";
import { diffAnswer, mergeAnswer, prunedAnswer, shownWorkspaceAnswer } from "../../schema/answers-workspace.ts";
import { taskState } from "../../schema/answers-task.ts";
import { diffFields, mergeFields, mergeListFields, restoreFields } from "../../schema/landing.ts";
import { flag, oneOf, text } from "../../schema/values.ts";
import { awaitMerge } from "../awaiting-merge.ts";
import { cutFields } from "../bounded.ts";
import { tool, type Tool } from "../tool.ts";
import type { ToolCall } from "../tool-call.ts";

const taskId = text("the id of a task or chain");
const { wait: _wait, ...mergeInput } = mergeFields;

const { patch: patchField, ...diffShape } = diffAnswer.shape;

/** What became of a merge, or would. */
const landingAnswer = z.strictObject({
  task_id: words,
  state: taskState,
  merge: mergeAnswer.optional(),
  with: words.optional().describe("Of a dry run: what the work was compared with."),
  conflicts: texts.optional(),
  next_step: words.optional(),
  ...cutFields,
});

const mergesInput = z.strictObject({
  ...mergeListFields,
  mergeId: text("the id of a merge").optional().describe("Only this one."),
  action: oneOf(["cancel", "undo"])
    .optional()
    .describe("Of `merge_id`: takes it out of the queue, or its branch back to where it stood."),
});

const worktreesInput = z.strictObject({
  taskId: taskId.optional().describe("Where this task worked, and what is saved of it."),
  restore: flag().optional().describe("Puts that task's saved work into a worktree of its own, at `path`."),
  ...restoreFields,
  prune: flag().optional().describe("Removes what nobody works in; what stands there is saved first."),
  dryRun: flag().optional().describe("Only says what `prune` would remove."),
});

export const landingTools: readonly Tool[] = [
  tool({
    name: "pool_diff",
    title: "What a task changed",
    description: "Files that an isolated task or chain changed; with `patch` the diff itself.",
    effect: "reads",
    isCore: true,
    input: z.strictObject({ taskId, patch: flag().optional(), ...diffFields }),
    shown: z.strictObject({
      taskId: z.string(),
      patch: z.boolean().optional(),
      of: z.enum(["saved", "directory"]).optional(),
    }),
    output: z.strictObject({
      task_id: words,
      state: taskState,
      of: z.enum(["saved", "directory"]),
      ...diffShape,
      patch: patchField.optional(),
      ...cutFields,
    }),
    run: async ({ taskId: given, patch: isAsked, of }, { pool }) => {
      const { id, state } = await pool.get(given);
      const shown = of ?? (state === "running" ? "directory" : "saved");
      const { patch, ...rest } = await pool.diff(id, { of: shown });
      return { taskId: id, state, of: shown, ...rest, ...(isAsked === true ? { patch } : {}) };
    },
  }),
  tool({
    name: "pool_merge",
    title: "Merge a task's work",
    description:
      "Merges what an isolated task or chain changed, which approves it if it is in review. `dry_run` lists conflicts, also `with` another task.",
    effect: "changes",
    isCore: true,
    input: z.strictObject({
      taskId,
      ...mergeInput,
      dryRun: flag().optional(),
      with: taskId.optional().describe("Of a dry run: another task, whose work it is compared with."),
    }),
    shown: z.strictObject({
      taskId: z.string(),
      into: z.string().optional().describe("a branch"),
      method: z.enum(["rebase", "merge", "squash"]).optional(),
      dryRun: z.boolean().optional(),
      with: z.string().optional(),
    }),
    output: landingAnswer,
    run: async ({ taskId: given, dryRun, with: other, ...options }, call) => {
      const { pool } = call;
      const { id } = await pool.get(given);
      if (dryRun === true) return dryRunOf(call, id, defined({ into: options.into, with: other }));
      if (other !== undefined) throw invalidOptions("with: compares in a dry run; give dry_run too.", "with");
      const { id: mergeId } = await pool.merge(id, { ...defined<MergeOptions>(options), wait: false });
      const merge = await awaitMerge(call, mergeId);
      return landed(await pool.get(id), merge);
    },
  }),
  tool({
    name: "pool_merges",
    title: "The merge queue",
    description: "Merges, newest first, or one by its id: to see it, take it out of the queue, or undo it.",
    effect: "removes",
    input: mergesInput,
    output: z.strictObject({ merges: z.array(mergeAnswer), count, ...cutFields }),
    run: async ({ mergeId, action, ...filter }, { pool }) => {
      if (mergeId === undefined) {
        if (action !== undefined) throw invalidOptions(`merge_id: which merge to ${action}?`, "merge_id");
        const merges = await pool.merges.list(defined<MergeListOptions>(filter));
        return { merges, count: merges.length };
      }
      const { merges: queue } = pool;
      const merge = await (action === undefined ? queue.show(mergeId) : queue[action](mergeId));
      return { merges: [merge], count: 1 };
    },
  }),
  tool({
    name: "pool_worktrees",
    title: "Worktrees and saved work",
    description:
      "The directories that tasks work in and why each is there; one task's; its saved work restored; or those without use removed.",
    effect: "removes",
    input: worktreesInput,
    output: z.strictObject({
      worktrees: z.array(prunedAnswer),
      count,
      task: shownWorkspaceAnswer.optional(),
      restored_to: words.optional(),
      ...cutFields,
    }),
    run: async ({ taskId: id, restore, prune, dryRun, path, branch }, { pool }) => {
      const { worktrees } = pool;
      if (prune === true && id !== undefined)
        throw invalidOptions("prune: looks at all of them; without task_id.", "prune");
      if (id === undefined) {
        const needless = Object.keys(defined<object>({ restore, path, branch }));
        if (needless[0] !== undefined) throw invalidOptions(`${needless[0]}: of which task? Give task_id.`, "task_id");
        const all =
          prune === true || dryRun === true
            ? await worktrees.prune({ dryRun: dryRun === true })
            : await worktrees.list();
        return { worktrees: all, count: all.length };
      }
      const restoredTo =
        restore === true ? await worktrees.restore(id, defined<RestoreOptions>({ path, branch })) : undefined;
      return { worktrees: [], count: 0, task: await worktrees.show(id), ...defined({ restoredTo }) };
    },
  }),
];

async function dryRunOf(
  { pool }: ToolCall,
  id: string,
  options: { readonly into?: string; readonly with?: string },
): Promise<object> {
  const { conflicts, with: other } = await pool.previewMerge(id, options);
  const { state } = await pool.get(id);
  const said = conflicts.length === 0 ? `It merges cleanly with ${other}.` : `It conflicts with ${other}.`;
  return { taskId: id, state, with: other, conflicts, nextStep: said };
}

function landed(task: TaskRecord, merge: MergeRecord): object {
  const { conflicts } = merge;
  return { taskId: task.id, state: task.state, merge, ...defined({ conflicts }), nextStep: nextStepOf(task, merge) };
}

/** What is to be done about a merge, in words. */
export function nextStepOf(task: Pick<TaskRecord, "id" | "state">, merge: MergeRecord): string {
  const { id, state, target } = merge;
  switch (state) {
    case "merged":
      return `It is in ${target}.`;
    case "queued":
    case "merging":
      return `${id} goes on: pool_merge with task_id ${task.id} and into ${target} waits for it.`;
    case "conflict":
    case "checks_failed":
    case "failed":
    case "cancelled":
      return task.state === "pending"
        ? `${target} has not changed; the task is done again with this: pool_wait with task_ids ["${task.id}"].`
        : `${target} has not changed, and the work is saved: pool_diff shows it; pool_reject_result sends what is in review back.`;
  }
}
