/** Holds, and what time does to pending tasks: holds end, queue deadlines pass. */
import type { Holder } from "../core/activity-port.ts";
import { defined } from "../core/config.ts";
import type { EndReason } from "../core/outcome.ts";
import type { Sql, SqlRow, SqlValue } from "../core/ports.ts";
import type { Hold, HoldReason, TaskRecord, TaskState } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { type Change, count } from "./change.ts";
import { heldBackOf, relaxGovernor } from "./governor.ts";
import { measureUnrun } from "./metrics.ts";
import { selectTasks, taskOf } from "./rows.ts";
import { writeResult } from "./write-result.ts";

/** Holds a pending task that is not held; `scope` if it is for the money of one. */
export async function holdTask(
  change: Change,
  task: { readonly seq: number; readonly id: string },
  hold: Hold,
  scope?: string,
): Promise<void> {
  await change.sql.run(
    "UPDATE task SET hold_reason = ?, hold_until_ms = ?, hold_scope = ?, hold_note = NULL WHERE seq = ?",
    [hold.reason, hold.untilMs ?? null, scope ?? null, task.seq],
  );
  tellHeld(change, task, hold);
}

/** Counts and tells of a hold that the caller writes itself. */
export function tellHeld(change: Change, task: { readonly seq: number; readonly id: string }, hold: Hold): void {
  change.pool.held += 1;
  const data = defined<{ reason: HoldReason; untilMs?: number }>({ reason: hold.reason, untilMs: hold.untilMs });
  change.emit({ type: "task.held", taskId: task.id, data }, task.seq);
}

/** The opposite of {@link tellHeld}. */
export function tellUnheld(
  change: Change,
  task: { readonly seq: number; readonly id: string },
  reason: HoldReason,
): void {
  change.pool.held -= 1;
  change.emit({ type: "task.unheld", taskId: task.id, data: { reason } }, task.seq);
}

export async function releaseHolds(change: Change, reason: HoldReason): Promise<void> {
  const where = "WHERE state = 'pending' AND hold_reason IS NOT NULL AND hold_reason = ?";
  await release(change, `task INDEXED BY task_held ${where}`, [reason]);
}

export async function heldByClaims(
  sql: Pick<Sql, "all">,
  limit: number,
  after?: Pick<TaskRecord, "priority" | "seq">,
): Promise<readonly TaskRecord[]> {
  const behind = after === undefined ? "" : "AND (priority < ? OR (priority = ? AND task.seq > ?))";
  const rows = await sql.all(
    `${selectTasks("task INDEXED BY task_held")} WHERE state = 'pending' AND hold_reason IS NOT NULL AND hold_reason = 'claim' ${behind}
      ORDER BY priority DESC, task.seq LIMIT ? + 0`,
    [...(after === undefined ? [] : [after.priority, after.priority, after.seq]), limit],
  );
  return rows.map(taskOf);
}

export async function releaseHold(change: Change, taskId: string, reason: HoldReason): Promise<void> {
  await release(change, "task WHERE id = ? AND state = 'pending' AND hold_reason = ?", [taskId, reason]);
}

/** Anybody's hold but a claim's has no note. The time that the task may wait runs from the first claim that is in its way. */
export async function noteHold({ sql, nowMs }: Change, taskId: string, { note, isClaim }: Holder): Promise<void> {
  const until = `COALESCE(hold_until_ms, ?2 + (SELECT claim_wait_ms FROM task_body WHERE task_body.seq = task.seq))`;
  await sql.run(
    `UPDATE task SET hold_note = ?1, hold_until_ms = IIF(?3, ${until}, hold_until_ms)
      WHERE id = ?4 AND state = 'pending' AND hold_reason = 'claim'`,
    [note, nowMs, isClaim ? 1 : 0, taskId],
  );
}

/** Ends the holds for the money of one scope. */
export async function releaseScopeHolds(change: Change, scope: string): Promise<void> {
  const where = "WHERE state = 'pending' AND hold_reason = 'budget' AND hold_scope IS NOT NULL AND hold_scope = ?";
  await release(change, `task INDEXED BY task_held_scope ${where}`, [scope]);
}

/** Ends the holds whose time is over, lets the governor feel the time, and fails what waited too long for a slot. */
export async function sweep(change: Change): Promise<void> {
  await relaxGovernor(change);
  const over = "WHERE state = 'pending' AND hold_until_ms IS NOT NULL AND hold_until_ms <= ?";
  await release(change, `task INDEXED BY task_hold_until ${over}`, [change.nowMs]);
  const late = await change.sql.all(
    `SELECT seq, id, state, hold_reason, queue_timeout_ms FROM task INDEXED BY task_deadline
      WHERE state = 'pending' AND queue_deadline_ms IS NOT NULL AND queue_deadline_ms <= ? ORDER BY queue_deadline_ms`,
    [change.nowMs],
  );
  for (const row of late) {
    const held = heldBackOf(change.pool, change.nowMs, change.governor);
    const why =
      held === undefined
        ? ". Start slots with `claude-pool serve`, or allow more time."
        : `: the whole queue is held back (${held.reason}). \`claude-pool governor\` says until when.`;
    const waited = `No slot took the task within ${String(row.queue_timeout_ms)} ms${why}`;
    await endPending(change, row, "fail", "no_slot_available", waited);
  }
}

/** Ends a pending task without a run. `row` has seq, id, state and hold_reason. */
export async function endPending(
  change: Change,
  row: SqlRow,
  event: "fail" | "cancel",
  reason: EndReason,
  error: string,
): Promise<void> {
  const task = { seq: Number(row.seq), id: String(row.id) };
  const from = row.state as TaskState;
  const state = nextState(from, event, task.id);
  const result = { output: "", success: false, costMicrodollars: 0, turnsUsed: 0, elapsedMs: 0, reason, error };
  const [ended] = await change.sql.all(
    `UPDATE task SET state = ?, hold_reason = NULL, hold_until_ms = NULL, completed_at_ms = ? WHERE seq = ?
      RETURNING chain_seq, step, attempt, kind`,
    [state, change.nowMs, task.seq],
  );
  if (ended !== undefined && ended.chain_seq !== null) change.moved(Number(ended.chain_seq), Number(ended.step));
  await writeResult(change, task.seq, result);
  if (ended !== undefined) {
    const kind = ended.kind as TaskRecord["kind"];
    await measureUnrun(change, { seq: task.seq, attempt: Number(ended.attempt), kind }, state, result);
  }
  count(change.pool, from, state);
  if (row.hold_reason !== null) change.pool.held -= 1;
  change.emit(
    { type: "task.finished", taskId: task.id, data: { state, reason, costMicrodollars: 0, elapsedMs: 0 } },
    task.seq,
  );
}

export async function nextDeadlineMs(sql: Pick<Sql, "all">): Promise<number | undefined> {
  const [row] = await sql.all(nextDeadlineQuery);
  return row === undefined || row.at === null ? undefined : Number(row.at);
}

/** The next time at which {@link sweep} has something to do; undefined: none. */
export const nextDeadlineQuery = `SELECT MIN(at) AS at FROM (
  SELECT MIN(hold_until_ms) AS at FROM task INDEXED BY task_hold_until WHERE state = 'pending' AND hold_until_ms IS NOT NULL
  UNION ALL
  SELECT MIN(queue_deadline_ms) FROM task INDEXED BY task_deadline WHERE state = 'pending' AND queue_deadline_ms IS NOT NULL)`;

async function release(change: Change, from: string, params: readonly SqlValue[]): Promise<void> {
  const rows = await change.sql.all(`SELECT seq, id, hold_reason FROM ${from}`, params);
  if (rows.length === 0) return;
  if (rows.some((row) => row.hold_reason === "claim")) await useUpWaits(change, from, params);
  await change.sql.run(
    `UPDATE task SET hold_reason = NULL, hold_until_ms = NULL WHERE seq IN (SELECT seq FROM ${from})`,
    params,
  );
  for (const row of rows)
    tellUnheld(change, { seq: Number(row.seq), id: String(row.id) }, row.hold_reason as HoldReason);
}

/** What is left of the time that a task may wait for claims: held again, it waits no longer than that. */
async function useUpWaits({ sql, nowMs }: Change, from: string, params: readonly SqlValue[]): Promise<void> {
  const claims = `SELECT seq, hold_until_ms FROM ${from} AND hold_reason = 'claim' AND hold_until_ms IS NOT NULL`;
  for (const { seq, hold_until_ms: until } of await sql.all(claims, params)) {
    const left = Math.max(0, Number(until) - nowMs);
    await sql.run("UPDATE task_body SET claim_wait_ms = MIN(claim_wait_ms, ?) WHERE seq = ?", [left, seq ?? null]);
  }
}
