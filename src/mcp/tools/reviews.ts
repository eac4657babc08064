/** Reviews: a task stops with its answer until it is approved, or sent back with feedback. */
import { z } from "zod";
import type { ApproveOptions, RejectOptions } from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import type { MergeRecord } from "../../core/merge.ts";
import type { TaskRecord } from "../../core/task.ts";
import { count, words, yes } from "../../schema/answer.ts";
import { mergeAnswer } from "../../schema/answers-workspace.ts";
import { taskSpecSchema } from "../../schema/fields.ts";
import { approveFields, rejectFields } from "../../schema/landing.ts";
import { promptText } from "../../schema/values.ts";
import { awaitMerge } from "../awaiting-merge.ts";
import { cutFields } from "../bounded.ts";
import { taskStateAnswer } from "../task-answer.ts";
import { tool, type Tool } from "../tool.ts";
import type { ToolCall } from "../tool-call.ts";
import { nextStepOf } from "./landing.ts";
import { stateOf, taskIdInput } from "./work.ts";

const { review: _, ...fields } = taskSpecSchema.shape;

const reviewedAnswer = taskStateAnswer.extend({
  rejection_count: count,
  max_rejections: count,
  merge: mergeAnswer.optional(),
  next_step: words.optional(),
  ...cutFields,
});

export const reviewTools: readonly Tool[] = [
  tool({
    name: "pool_submit_with_review",
    title: "Submit a task for review",
    description: "As pool_submit; the finished task waits as pending_review until you approve or reject it.",
    effect: "work",
    isCore: true,
    input: z.strictObject(fields),
    shown: z.looseObject({
      prompt: z.string(),
      permissionMode: z.string().optional(),
      maxRejections: z.int().optional(),
    }),
    output: taskStateAnswer.extend({ review_required: yes }),
    run: async (spec, { pool }) => {
      const task = await pool.submitWithReview(spec as Parameters<typeof pool.submitWithReview>[0]);
      return { ...stateOf(await task.get()), reviewRequired: true };
    },
  }),
  tool({
    name: "pool_approve_result",
    title: "Approve a result",
    description: "Accepts a result in review; `merge` auto merges its work first (manual: never).",
    effect: "changes",
    isCore: true,
    input: taskIdInput.extend(approveFields),
    shown: z.strictObject({
      taskId: z.string(),
      merge: z.enum(["auto", "manual"]).optional(),
      into: z.string().optional(),
      method: z.string().optional(),
    }),
    output: reviewedAnswer,
    run: async ({ taskId, ...options }, call) => approved(call, taskId, defined<ApproveOptions>(options)),
  }),
  tool({
    name: "pool_reject_result",
    title: "Reject a result",
    description:
      "Sends a task in review back with feedback; its last rejection fails it. `start` base: without the rejected work.",
    effect: "changes",
    isCore: true,
    input: taskIdInput.extend({ feedback: promptText, ...rejectFields }),
    shown: z.strictObject({
      taskId: z.string(),
      feedback: z.string(),
      start: z.enum(["base", "saved"]).optional(),
    }),
    output: reviewedAnswer,
    run: async ({ taskId, feedback, ...options }, { pool }) =>
      reviewed(await pool.reject(taskId, feedback, defined<RejectOptions>(options))),
  }),
];

/** Waits for the merge that an approval needs as long as a call may take. */
async function approved(call: ToolCall, id: string, options: ApproveOptions): Promise<object> {
  const { pool } = call;
  const task = await pool.approve(id, { ...options, wait: false });
  if (task.mergeId === undefined) return reviewed(task);
  const merge = options.wait === false ? await pool.merges.show(task.mergeId) : await awaitMerge(call, task.mergeId);
  return reviewed(await pool.get(task.id), merge);
}

function reviewed({ id, state, rejectionCount, maxRejections }: TaskRecord, merge?: MergeRecord): object {
  const again = `It is done again with your feedback: pool_wait with task_ids ["${id}"].`;
  const nextStep = merge === undefined ? (state === "pending" ? again : undefined) : nextStepOf({ id, state }, merge);
  return { taskId: id, state, rejectionCount, maxRejections, ...defined({ merge, nextStep }) };
}
