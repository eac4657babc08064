/** A task as every tool answers about it: its id, its state, and what there is of a result. */
import { z } from "zod";
import { defined } from "../core/config.ts";
import type { TaskRecord, TaskResult } from "../core/task.ts";
import { answer, count, words, yes } from "../schema/answer.ts";
import { holdAnswer, taskResultAnswer, taskState } from "../schema/answers-task.ts";
import { checkAnswer } from "../schema/answers-workspace.ts";
import type { ToolCall } from "./tool-call.ts";
import { cutFields } from "./bounded.ts";

const { model_usage: _usage, ...resultFields } = taskResultAnswer.partial().shape;

/** Wire names already, since the result's fields are. */
export const taskAnswerShape = z.strictObject({
  task_id: words,
  state: taskState,
  ...resultFields,
  review_required: yes.optional(),
  rejection_count: count.optional(),
  max_rejections: count.optional(),
  hold: holdAnswer.optional(),
  changes: answer({ files: count, insertions: count, deletions: count, branch: words })
    .optional()
    .describe("Of an isolated task: what is saved of its work; pool_diff shows it."),
  checks: z.array(checkAnswer).optional().describe("What its checks said of that work."),
  merge_id: words.optional().describe("The merge that completes it."),
  next_step: words.optional().describe("How to go on."),
});

export const taskAnswer = taskAnswerShape.extend(cutFields);

/** The shortest answer about a task. */
export const taskStateAnswer = answer({ taskId: words, state: taskState });

/** Everything but the figures of each model, which the resource has. */
export function toTaskAnswer(record: TaskRecord): object {
  const { id, state, result, reviewRequired, rejectionCount, maxRejections, hold } = record;
  return {
    taskId: id,
    state,
    ...shownOf(result),
    ...(reviewRequired ? { reviewRequired, rejectionCount, maxRejections } : {}),
    ...(hold === undefined ? {} : { hold }),
    ...workOf(record),
    ...nextStepOf(record),
  };
}

/** The records of these tasks as answers, in this order. */
export async function taskAnswers({ pool }: ToolCall, ids: readonly string[]): Promise<readonly object[]> {
  const records = await Promise.all(ids.map((id) => pool.get(id)));
  return records.map(toTaskAnswer);
}

export async function taskAnswerOf({ pool }: ToolCall, id: string): Promise<object> {
  return toTaskAnswer(await pool.get(id));
}

function shownOf(result: TaskResult | undefined): object {
  if (result === undefined) return {};
  const { modelUsage: _, ...shown } = result;
  return shown;
}

/** The evidence that a reviewer judges by. */
function workOf({ workspace, mergeId }: TaskRecord): object {
  if (workspace === undefined) return {};
  const { saved, branch, checks } = workspace;
  const changes =
    saved === undefined
      ? undefined
      : { files: saved.files, insertions: saved.insertions, deletions: saved.deletions, branch };
  return defined({ changes, checks, mergeId });
}

function nextStepOf({ state, id, kind, hold, waitsFor, mergeId, workspace }: TaskRecord): object {
  if (mergeId !== undefined) {
    return { nextStep: `Merge ${mergeId} completes it: pool_merge with task_id ${id} waits for it.` };
  }
  if (state === "pending_review" && workspace?.saved !== undefined) {
    const way = "pool_approve_result (`merge` auto: into its branch) or pool_reject_result";
    return { nextStep: `Read the output and pool_diff with task_id ${id}, then ${way}.` };
  }
  if (state === "pending_review") {
    return { nextStep: `Read the output, then pool_approve_result or pool_reject_result with task_id ${id}.` };
  }
  if (state !== "pending" && state !== "running") return {};
  if (waitsFor !== undefined) {
    return {
      nextStep: `It waits for your ${waitsFor === "question" ? "answer" : "permission"}: pool_requests with task_id ${id}.`,
    };
  }
  const why = hold === undefined ? "" : ` (it waits: ${hold.reason})`;
  const look = kind === "chain" ? `; pool_chain_result shows its steps` : "";
  return { nextStep: `It goes on${why}: pool_wait with task_ids ["${id}"]${look}. pool_cancel stops it.` };
}
