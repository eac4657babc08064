/** Approving and rejecting what waits for a reviewer: guarded transitions, and for a rejection the admission of new work. */
import { planAfterRejection } from "../core/attempt.ts";
import { microdollars } from "../core/budget.ts";
import { defined } from "../core/config.ts";
import { taskNotFound } from "../core/errors.ts";
import type { TaskRecord, TaskResult } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { type Change, count } from "./change.ts";
import { endTask, tellChain } from "./finish.ts";
import { jsonColumn, selectTasks, taskOf } from "./rows.ts";
import { checkScopes } from "./scopes.ts";
import { checkOpen } from "./submit.ts";

const noResult: TaskResult = { output: "", success: false, costMicrodollars: 0, turnsUsed: 0, elapsedMs: 0 };

export async function approve(change: Change, id: string): Promise<TaskRecord> {
  const task = await taskById(change, id);
  const state = nextState(task.state, "approve", id);
  change.emit({ type: "task.approved", taskId: id, data: {} }, task.seq);
  return endTask(change, task, state, task.result ?? noResult, task.lostRuns);
}

export async function reject(change: Change, id: string, feedback: string): Promise<TaskRecord> {
  const task = await taskById(change, id);
  const state = nextState(task.state, "reject", id);
  const rejectionCount = task.rejectionCount + 1;
  if (rejectionCount >= task.maxRejections) return rejectForGood(change, task, feedback, rejectionCount);
  const cap = task.config?.maxBudgetUsd;
  checkOpen(change, [cap === undefined ? undefined : microdollars(cap)]);
  await checkScopes(change, task.tags, cap === undefined ? undefined : microdollars(cap));

  const { sql, nowMs } = change;
  await tellRejected(change, task, feedback, rejectionCount);
  const plan = planAfterRejection(task, feedback);
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

async function taskById({ sql }: Change, id: string): Promise<TaskRecord> {
  const [row] = await sql.all(`${selectTasks()} WHERE task.id = ?`, [id]);
  if (row === undefined) throw taskNotFound(id);
  return taskOf(row);
}
