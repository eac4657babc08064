/** Approving and rejecting what waits for a reviewer: guarded transitions, and for a rejection the admission of new work. */
import { planAfterRejection, type Restart } from "../core/attempt.ts";
import { microdollars } from "../core/budget.ts";
import { defined } from "../core/config.ts";
import { PoolError, taskNotFound } from "../core/errors.ts";
import type { MergeRequest } from "../core/merge.ts";
import type { TaskRecord, TaskResult } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { type Change, count } from "./change.ts";
import { endTask, noResult, tellChain } from "./finish.ts";
import { cancelMerge, checkWork, mergeById, queueMerge } from "./merges.ts";
import { jsonColumn, selectTasks, taskOf } from "./rows.ts";
import { checkScopes } from "./scopes.ts";
import type { WorkspaceStart } from "../core/workspace.ts";
import { checkOpen } from "./submit.ts";

/** With a merge it waits for that, which completes it (G4 of core/merge.ts). */
export async function approve(change: Change, id: string, merge?: MergeRequest): Promise<TaskRecord> {
  const task = await taskById(change, id);
  const state = nextState(task.state, "approve", id);
  if (task.mergeId !== undefined) throw onItsWay(task, task.mergeId, "approve");
  if (merge === undefined) {
    change.emit({ type: "task.approved", taskId: id, data: {} }, task.seq);
    return endTask(change, task, state, task.result ?? noResult, task.lostRuns);
  }
  if (task.chainId !== undefined) throw workOfChain(task, task.chainId);
  checkWork(task, task.workspace);
  change.emit({ type: "task.approved", taskId: id, data: {} }, task.seq);
  const { id: mergeId } = await queueMerge(change, task, { ...merge, approves: true });
  return { ...task, mergeId };
}

/** A queued merge of it is cancelled: the reviewer thought again. */
export async function reject(
  change: Change,
  id: string,
  feedback: string,
  start?: WorkspaceStart,
): Promise<TaskRecord> {
  const { mergeId, ...task } = await taskById(change, id);
  nextState(task.state, "reject", id);
  if (mergeId !== undefined && (await mergeById(change.sql, mergeId)).state === "merging") {
    throw onItsWay(task, mergeId, "reject");
  }
  const rejected = await rejectWith(change, task, feedback, { start: start ?? "saved" });
  if (mergeId !== undefined) await cancelMerge(change, mergeId, rejected.state);
  return rejected;
}

/** Refuses before it changes anything. */
export async function rejectWith(
  change: Change,
  task: TaskRecord,
  feedback: string,
  restart: Restart,
): Promise<TaskRecord> {
  const state = nextState(task.state, "reject", task.id);
  const rejectionCount = task.rejectionCount + 1;
  if (rejectionCount >= task.maxRejections) return rejectForGood(change, task, feedback, rejectionCount);
  const cap = task.config?.maxBudgetUsd;
  checkOpen(change, [cap === undefined ? undefined : microdollars(cap)]);
  await checkScopes(change, task.tags, cap === undefined ? undefined : microdollars(cap));

  const { sql, nowMs } = change;
  await tellRejected(change, task, feedback, rejectionCount);
  const plan = planAfterRejection(task, feedback, restart);
  await sql.run(
    `UPDATE task SET state = ?, rejection_count = ?, resume_session_id = NULL, queue_deadline_ms = ? + queue_timeout_ms
      WHERE seq = ?`,
    [state, rejectionCount, nowMs, task.seq],
  );
  await sql.run("UPDATE task_body SET plan = ? WHERE seq = ?", [jsonColumn(plan), task.seq]);
  count(change.pool, task.state, state);
  if (task.chainId !== undefined) await tellChain(change, task.seq);
  const { resumeSessionId: _before, ...rest } = task;
  return { ...rest, state, rejectionCount, plan };
}

async function rejectForGood(
  change: Change,
  task: TaskRecord,
  feedback: string,
  rejectionCount: number,
): Promise<TaskRecord> {
  const state = nextState(task.state, "reject_for_good", task.id);
  await tellRejected(change, task, feedback, rejectionCount);
  const plan = planAfterRejection(task, feedback);
  await change.sql.run("UPDATE task SET rejection_count = ? WHERE seq = ?", [rejectionCount, task.seq]);
  await change.sql.run("UPDATE task_body SET plan = ? WHERE seq = ?", [jsonColumn(plan), task.seq]);
  const error = `Rejected ${String(rejectionCount)} times of ${String(task.maxRejections)}; the last feedback: ${feedback}`;
  const result = defined<TaskResult>({ ...(task.result ?? noResult), success: false, reason: "rejected", error });
  return { ...(await endTask(change, task, state, result, task.lostRuns)), rejectionCount, plan };
}

/** The ledger knows which runs were for nothing. */
async function tellRejected(change: Change, task: TaskRecord, feedback: string, rejectionCount: number): Promise<void> {
  await change.sql.run("UPDATE run SET superseded = 'rejected' WHERE task_seq = ? AND attempt = ?", [
    task.seq,
    task.attempt,
  ]);
  change.emit({ type: "task.rejected", taskId: task.id, data: { feedback, rejectionCount } }, task.seq);
}

function onItsWay(task: TaskRecord, mergeId: string, verb: string): PoolError {
  return new PoolError(
    "invalid_transition",
    `Cannot ${verb} task ${task.id}: it is approved already, and completes when ${mergeId} has landed. ` +
      `\`claude-pool merge show ${mergeId}\` says how far that is; as long as it is queued, \`claude-pool merge cancel ${mergeId}\` takes it back.`,
    { taskId: task.id, mergeId },
  );
}

function workOfChain(task: TaskRecord, chainId: string): PoolError {
  return new PoolError(
    "invalid_transition",
    `Task ${task.id} is a step, whose work is its chain's: approve it without a merge, and merge ${chainId} when that is done.`,
    { taskId: task.id, chainId },
  );
}

export async function taskById({ sql }: Change, id: string): Promise<TaskRecord> {
  const [row] = await sql.all(`${selectTasks()} WHERE task.id = ?`, [id]);
  if (row === undefined) throw taskNotFound(id);
  return taskOf(row);
}
