/** The end of a merge, and what follows of it for a task that waits for it in review. */
import { PoolError } from "../core/errors.ts";
import { checkMergeStep, type MergeEnd, type MergeRecord } from "../core/merge.ts";
import type { TaskRecord } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { checkFeedback, conflictFeedback } from "../core/workspace.ts";
import type { Change } from "./change.ts";
import { cancelledResult, endTask, noResult } from "./finish.ts";
import { cancelMerge, closeMerge, mergeById } from "./merges.ts";
import { rejectWith, taskById } from "./review.ts";

export async function endMerge(change: Change, id: string, end: MergeEnd): Promise<MergeRecord> {
  const before = await mergeById(change.sql, id);
  checkMergeStep(id, before.state, end.state);
  const task = await taskById(change, before.taskId);
  const isWaiting = task.mergeId === id;
  const { mergeId: _merge, ...free } = task;
  const after = isWaiting ? await settle(change, free, before, end) : task;
  return closeMerge(change, before, end, after.state);
}

/** A queued merge is taken out of the queue; a task that waited for it waits for a reviewer. */
export async function takeBackMerge(change: Change, id: string): Promise<MergeRecord> {
  const { taskId } = await mergeById(change.sql, id);
  return cancelMerge(change, id, (await taskById(change, taskId)).state);
}

/** G4: what has landed completes its task in this transaction, also one that somebody asked to cancel too late. */
async function settle(change: Change, task: TaskRecord, merge: MergeRecord, end: MergeEnd): Promise<TaskRecord> {
  const result = task.result ?? noResult;
  if (end.state === "merged") {
    return endTask(change, task, nextState(task.state, "approve", task.id), result, task.lostRuns);
  }
  if (task.cancelRequestedAtMs !== undefined) {
    const state = nextState(task.state, "cancel", task.id);
    return endTask(change, task, state, cancelledResult(result), task.lostRuns);
  }
  const feedback = feedbackOf(merge, end);
  const reworked = feedback === undefined ? undefined : await rework(change, task, merge, feedback);
  return reworked ?? task;
}

function feedbackOf({ target }: MergeRecord, end: MergeEnd): string | undefined {
  if (end.state === "conflict") return conflictFeedback(target, end.conflicts);
  return end.state === "checks_failed" ? checkFeedback(end.checks) : undefined;
}

/** Back to a slot, if that is asked for, a rejection is left, and the pool takes work; else a reviewer decides. */
async function rework(
  change: Change,
  task: TaskRecord,
  merge: MergeRecord,
  feedback: string,
): Promise<TaskRecord | undefined> {
  if (merge.onConflict !== "rework" || task.rejectionCount + 1 >= task.maxRejections) return undefined;
  try {
    return await rejectWith(change, task, feedback, { start: "saved", mergeIn: merge.target });
  } catch (error) {
    // A drained pool or a used-up budget: the end of the merge is a fact all the same.
    if (error instanceof PoolError && !error.code.startsWith("store_")) return undefined;
    throw error;
  }
}
