/** Ends that come from outside a run: cancelling, and failing what an attached run leaves or cannot pay for. */
import { taskNotFound } from "../core/errors.ts";
import type { EndReason } from "../core/outcome.ts";
import type { Sql, SqlRow } from "../core/ports.ts";
import { type HoldReason, isTerminal, type TaskRecord } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { cancelChain } from "./chains.ts";
import type { Change } from "./change.ts";
import { cancelledResult, endTask, noResult } from "./finish.ts";
import { endPending } from "./holds.ts";
import { cancelMerge, mergeById } from "./merges.ts";
import { requestCancel } from "./request-cancel.ts";
import { selectTasks, taskOf } from "./rows.ts";

export async function cancelTask(change: Change, id: string): Promise<TaskRecord> {
  const row = await rowOf(change, id);
  if (row === undefined) throw taskNotFound(id);
  const task = taskOf(row);
  if (isTerminal(task.state)) return task;
  if (task.kind === "chain") return cancelChain(change, task);
  if (task.state === "running") return requestCancel(change, task);
  if (task.state === "pending_review") {
    if (task.mergeId !== undefined && (await mergeById(change.sql, task.mergeId)).state === "merging") {
      return requestCancel(change, task); // the end of the merge decides: it may have landed already
    }
    if (task.mergeId !== undefined) await cancelMerge(change, task.mergeId, "cancelled");
    const result = task.result ?? noResult;
    return endTask(change, task, nextState(task.state, "cancel", id), cancelledResult(result), task.lostRuns);
  }
  await cancelWaiting(change, row);
  return taskOf((await rowOf(change, id)) ?? row);
}

export async function cancelPending(change: Change, originHost: string | undefined): Promise<readonly string[]> {
  const rows = await change.sql.all(
    originHost === undefined
      ? `SELECT seq, id, state, hold_reason FROM (
           SELECT * FROM task INDEXED BY task_pick WHERE state = 'pending' AND hold_reason IS NULL
           UNION ALL SELECT * FROM task INDEXED BY task_held WHERE state = 'pending' AND hold_reason IS NOT NULL) ORDER BY seq`
      : `SELECT seq, id, state, hold_reason FROM task INDEXED BY task_origin
           WHERE state = 'pending' AND origin_host IS NOT NULL AND origin_host = ? ORDER BY seq`,
    originHost === undefined ? [] : [originHost],
  );
  for (const row of rows) await cancelWaiting(change, row);
  return rows.map((row) => String(row.id));
}

/** With `hold` only those held so, and if that is a budget that is used up, also those that nobody has come to hold yet. */
export async function failPending(
  change: Change,
  originHost: string,
  reason: EndReason,
  error: string,
  hold: HoldReason | undefined,
): Promise<readonly string[]> {
  const { cap, spent } = change.pool;
  const isUsedUp = hold === "budget" && cap !== null && spent >= cap;
  const rows = await change.sql.all(
    `SELECT seq, id, state, hold_reason FROM task INDEXED BY task_origin
      WHERE state = 'pending' AND origin_host IS NOT NULL AND origin_host = ?1
        AND (?2 IS NULL OR hold_reason = ?2 OR (?3 AND hold_reason IS NULL)) ORDER BY seq`,
    [originHost, hold ?? null, isUsedUp ? 1 : 0],
  );
  for (const row of rows) await endPending(change, row, "fail", reason, error);
  return rows.map((row) => String(row.id));
}

export async function cancelRequests(sql: Pick<Sql, "all">, hostId: string): Promise<readonly string[]> {
  const rows = await sql.all(
    `SELECT id FROM task INDEXED BY task_running
      WHERE state = 'running' AND host_id = ? AND cancel_requested_at_ms IS NOT NULL ORDER BY seq`,
    [hostId],
  );
  return rows.map((row) => String(row.id));
}

async function cancelWaiting(change: Change, row: SqlRow): Promise<void> {
  await endPending(change, row, "cancel", "cancelled", "The task was cancelled before it ran.");
}

async function rowOf(change: Change, id: string): Promise<SqlRow | undefined> {
  return (await change.sql.all(`${selectTasks()} WHERE task.id = ?`, [id]))[0];
}
