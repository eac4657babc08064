/**
 * Tasks and free slots meet, at the end of every transaction of a host.
 *
 * L1. Highest priority first, and among equals the oldest.
 * L2. A task that does not fit the budget is held and the next one is looked at; of those, a transaction looks at few
 *     more than it has slots, so that ten thousand of them cost no more than ten.
 * L3. Tasks held for the budget take part as soon as there is money for them, without being released first: each would
 *     only be held again, with two events for every run that ends.
 */
import { reserve } from "../core/budget.ts";
import { newRunId } from "../core/ids.ts";
import type { SqlRow } from "../core/ports.ts";
import type { DispatchHook, Lease } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { type Change, count } from "./change.ts";
import { defined } from "../core/config.ts";
import { endPending, holdTask, tellUnheld } from "./holds.ts";
import { budgetOf, estimateOf, nextRenewalMs } from "./money.ts";
import { selectTasks, taskOf } from "./rows.ts";

export interface Dispatcher {
  readonly hostId: string;
  readonly ownTasksOnly: boolean;
  readonly hook: DispatchHook;
}

/** How many tasks beyond the free slots one transaction looks at (L2). */
const moreLooked = 16;

export async function leaseTasks(
  change: Change,
  dispatcher: Dispatcher,
  freeSlots: readonly string[],
): Promise<readonly Lease[]> {
  const { hostId, hook } = dispatcher;
  if (freeSlots.length === 0 || change.pool.pending === 0 || change.pool.shutdown === 1) return [];
  if (!(await isAlive(change, hostId))) return [];
  const free = [...freeSlots];
  const leases: Lease[] = [];
  for (const row of await candidates(change, dispatcher, free.length + (change.pool.cap === null ? 0 : moreLooked))) {
    if (free.length === 0) break;
    if (row.queue_deadline_ms !== null && Number(row.queue_deadline_ms) <= change.nowMs) {
      await endPending(
        change,
        row,
        "fail",
        "no_slot_available",
        "No slot took the task in the time that it was given.",
      );
      continue;
    }
    const reserved = reserve(budgetOf(change.pool, change.nowMs), capOf(row), estimateOf(change.pool));
    if (reserved === undefined) {
      if (isUsedUp(change) && change.pool.reserved > 0) break; // money that is only set aside comes back when a run ends
      await hold(change, row);
      continue;
    }
    const task = taskOf(row);
    const slot = hook.choose(task, free);
    free.splice(free.indexOf(slot), 1);
    leases.push(await lease(change, task, hostId, slot, reserved));
  }
  return leases;
}

/** The pick (Q1 of schema.ts). */
export const pickQuery = `${selectTasks("task INDEXED BY task_pick")}
  WHERE state = 'pending' AND hold_reason IS NULL ORDER BY priority DESC, task.seq LIMIT ?`;

/** The pick of a host whose slots take its own tasks only. */
export const pickOwnQuery = `${selectTasks("task INDEXED BY task_pick_own")}
  WHERE state = 'pending' AND hold_reason IS NULL AND origin_host IS NOT NULL AND origin_host = ?
  ORDER BY priority DESC, task.seq LIMIT ?`;

/** What was held for the budget and now has room in it (L3); ?1 money, ?2 estimate, ?3 whether the last of it may be tried. */
export const pickHeldQuery = `${selectTasks("task INDEXED BY task_held")}
  WHERE state = 'pending' AND hold_reason IS NOT NULL AND hold_reason = 'budget'
    AND (COALESCE(cap, ?2) <= ?1 OR (cap IS NULL AND ?3)) AND (?4 IS NULL OR origin_host = ?4)
  ORDER BY priority DESC, task.seq LIMIT ?5`;

/** In the order of L1. */
async function candidates(
  change: Change,
  { hostId, ownTasksOnly }: Dispatcher,
  limit: number,
): Promise<readonly SqlRow[]> {
  const { sql, pool } = change;
  const ready = ownTasksOnly ? await sql.all(pickOwnQuery, [hostId, limit]) : await sql.all(pickQuery, [limit]);
  if (pool.cap === null || pool.held === 0 || isUsedUp(change)) return ready;
  const available = pool.cap - pool.spent - pool.reserved;
  const held = await sql.all(pickHeldQuery, [
    available,
    estimateOf(pool),
    pool.reserved === 0 ? 1 : 0,
    ownTasksOnly ? hostId : null,
    limit,
  ]);
  if (held.length === 0) return ready;
  return [...ready, ...held].sort((a, b) => Number(b.priority) - Number(a.priority) || Number(a.seq) - Number(b.seq));
}

async function lease(
  change: Change,
  task: TaskRecord,
  hostId: string,
  slotId: string,
  reserved: number,
): Promise<Lease> {
  const { sql, pool, nowMs } = change;
  const state = nextState(task.state, "lease", task.id);
  const runId = newRunId();
  const attempt = task.attempt + 1;
  await sql.run(
    `UPDATE task SET state = ?, attempt = ?, run_id = ?, slot_id = ?, host_id = ?, started_at_ms = ?,
      hold_reason = NULL, hold_until_ms = NULL WHERE seq = ?`,
    [state, attempt, runId, slotId, hostId, nowMs, task.seq],
  );
  await sql.run(
    "INSERT INTO run (task_seq, attempt, run_id, host_id, slot_id, started_at_ms, reserved) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [task.seq, attempt, runId, hostId, slotId, nowMs, reserved],
  );
  change.occupySlot(slotId, task.id);
  pool.reserved += reserved;
  count(pool, task.state, state);
  const { hold: held, ...rest } = task;
  if (held !== undefined) tellUnheld(change, task, held.reason);
  change.emit({ type: "task.started", taskId: task.id, slotId, data: { runId, attempt } }, task.seq);
  const leased: TaskRecord = { ...rest, state, attempt, runId, slotId, hostId, startedAtMs: nowMs };
  return { task: leased, runId, slotId, reservedMicrodollars: reserved };
}

async function hold(change: Change, row: SqlRow): Promise<void> {
  if (row.hold_reason !== null) return;
  const untilMs = nextRenewalMs(change.pool, change.nowMs);
  await holdTask(change, { seq: Number(row.seq), id: String(row.id) }, defined({ reason: "budget", untilMs }));
}

/** A host that was taken for dead has lost its right to work, whatever it believes itself. */
async function isAlive(change: Change, hostId: string): Promise<boolean> {
  const [host] = await change.sql.all("SELECT state FROM host WHERE id = ?", [hostId]);
  return host?.state === "alive";
}

function isUsedUp({ pool }: Change): boolean {
  return pool.cap !== null && pool.cap - pool.spent - pool.reserved <= 0;
}

function capOf(row: SqlRow): number | undefined {
  return row.cap === null ? undefined : Number(row.cap);
}
