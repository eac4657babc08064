/**
 * Tasks and free slots meet, at the end of every transaction of a host.
 *
 * L1. Highest priority first, and among equals the oldest.
 * L2. A task that does not fit the budget is held and the next one is looked at; of those, a transaction looks at few
 *     more than it has slots, so that ten thousand of them cost no more than ten.
 * L3. Tasks held for the budget take part as soon as there is money for them, without being released first: each would
 *     only be held again, with two events for every run that ends.
 * L4. The governor bounds how many are leased, over all hosts.
 */
import { reserveIn, type ScopeBudget } from "../core/budget.ts";
import { newRunId } from "../core/ids.ts";
import type { SqlRow } from "../core/ports.ts";
import type { DispatchHook, Lease } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { type Change, count } from "./change.ts";
import { contextOf } from "./context.ts";
import { defined } from "../core/config.ts";
import { leaseGoverned, leasesAllowed } from "./governor.ts";
import { endPending, holdTask, tellUnheld } from "./holds.ts";
import { budgetOf, estimateOf, nextDayMs, nextRenewalMs } from "./money.ts";
import { jsonColumn, selectTasks, taskOf } from "./rows.ts";
import { budgetOfScope, heldByScopes, reserveScopes, scopesOf } from "./scopes.ts";

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
  const free = freeSlots.slice(0, await leasesAllowed(change)); // L4
  if (free.length === 0) return [];
  const { pool } = change;
  const isBound = pool.cap !== null || pool.scopes > 0;
  const leases: Leased[] = [];
  for (const row of await candidates(change, dispatcher, free.length + (isBound ? moreLooked : 0))) {
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
    const task = taskOf(row);
    const scopes = await scopesOf(change, task);
    const budgets = [budgetOf(pool, change.nowMs), ...scopes.map(budgetOfScope)];
    const money = reserveIn(budgets, capOf(row), estimateOf(pool));
    if ("blockedBy" in money) {
      const scope = scopes[money.blockedBy - 1];
      // Money of the pool that is only set aside comes back when a run ends.
      if (scope === undefined && isUsedUp(change) && pool.reserved > 0) break;
      await hold(change, row, scope?.scope);
      continue;
    }
    const slot = hook.choose(task, free);
    free.splice(free.indexOf(slot), 1);
    leases.push(await lease(change, task, { hostId, slotId: slot, reserved: money.reserved, scopes }));
  }
  return withContext(change, leases);
}

type Leased = Omit<Lease, "context" | "messagesWait">;

/** What every run is told, read once and not once for each. */
async function withContext({ sql }: Change, leases: readonly Leased[]): Promise<readonly Lease[]> {
  if (leases.length === 0) return [];
  const context = await contextOf(sql);
  const [unread] = await sql.all("SELECT 1 FROM message LIMIT 1");
  return leases.map((lease) => ({ ...lease, context, messagesWait: unread !== undefined }));
}

/**
 * The pick (Q1 of schema.ts).
 *
 * Q5. A limit is bound as `? + 0`: SQLite prepares a statement anew for every call whose LIMIT is a bare
 *     parameter, and that costs four times the pick itself.
 */
export const pickQuery = `${selectTasks("task INDEXED BY task_pick")}
  WHERE state = 'pending' AND hold_reason IS NULL ORDER BY priority DESC, task.seq LIMIT ? + 0`;

/** The pick of a host whose slots take its own tasks only. */
export const pickOwnQuery = `${selectTasks("task INDEXED BY task_pick_own")}
  WHERE state = 'pending' AND hold_reason IS NULL AND origin_host IS NOT NULL AND origin_host = ?
  ORDER BY priority DESC, task.seq LIMIT ? + 0`;

/** What was held for the budget and now has room in it (L3); ?1 money, ?2 estimate, ?3 whether the last of it may be tried. */
export const pickHeldQuery = `${selectTasks("task INDEXED BY task_held")}
  WHERE state = 'pending' AND hold_reason IS NOT NULL AND hold_reason = 'budget' AND hold_scope IS NULL
    AND (COALESCE(cap, ?2) <= ?1 OR (cap IS NULL AND ?3)) AND (?4 IS NULL OR origin_host = ?4)
  ORDER BY priority DESC, task.seq LIMIT ?5 + 0`;

/** In the order of L1. */
async function candidates(
  change: Change,
  { hostId, ownTasksOnly }: Dispatcher,
  limit: number,
): Promise<readonly SqlRow[]> {
  const { sql, pool } = change;
  const ready = ownTasksOnly ? await sql.all(pickOwnQuery, [hostId, limit]) : await sql.all(pickQuery, [limit]);
  if (pool.held === 0 || isUsedUp(change)) return ready;
  const estimate = estimateOf(pool);
  const originHost = ownTasksOnly ? hostId : null;
  const held = [...(await heldByScopes(change, { estimate, originHost, limit }))];
  if (pool.cap !== null) {
    const available = pool.cap - pool.spent - pool.reserved;
    held.push(...(await sql.all(pickHeldQuery, [available, estimate, pool.reserved === 0 ? 1 : 0, originHost, limit])));
  }
  if (held.length === 0) return ready;
  return [...ready, ...held].sort((a, b) => Number(b.priority) - Number(a.priority) || Number(a.seq) - Number(b.seq));
}

/** Where a task runs, and with what money. */
interface Terms {
  readonly hostId: string;
  readonly slotId: string;
  readonly reserved: number;
  readonly scopes: readonly ScopeBudget[];
}

async function lease(change: Change, task: TaskRecord, terms: Terms): Promise<Leased> {
  const { sql, pool, nowMs } = change;
  const { hostId, slotId, reserved, scopes } = terms;
  const state = nextState(task.state, "lease", task.id);
  const runId = newRunId();
  const attempt = task.attempt + 1;
  await sql.run(
    `UPDATE task SET state = ?, attempt = ?, run_id = ?, slot_id = ?, host_id = ?, started_at_ms = ?,
      hold_reason = NULL, hold_until_ms = NULL WHERE seq = ?`,
    [state, attempt, runId, slotId, hostId, nowMs, task.seq],
  );
  const held = scopes.length === 0 ? undefined : scopes.map(({ scope }) => scope);
  await sql.run(
    `INSERT INTO run (task_seq, attempt, run_id, host_id, slot_id, started_at_ms, reserved, kind, scopes)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [task.seq, attempt, runId, hostId, slotId, nowMs, reserved, task.kind, jsonColumn(held)],
  );
  change.occupySlot(slotId, task.id);
  pool.reserved += reserved;
  await reserveScopes(change, scopes, reserved);
  count(pool, task.state, state);
  const isProbe = await leaseGoverned(change, runId);
  const { hold: before, ...rest } = task;
  if (before !== undefined) tellUnheld(change, task, before.reason);
  change.emit({ type: "task.started", taskId: task.id, slotId, data: { runId, attempt } }, task.seq);
  const leased: TaskRecord = { ...rest, state, attempt, runId, slotId, hostId, startedAtMs: nowMs };
  return { task: leased, runId, slotId, reservedMicrodollars: reserved, ...(isProbe ? { isProbe } : {}) };
}

async function hold(change: Change, row: SqlRow, scope: string | undefined): Promise<void> {
  if (row.hold_reason !== null) return;
  const ownEnd = scope === "day" ? nextDayMs(change.nowMs) : undefined;
  const untilMs = scope === undefined ? nextRenewalMs(change.pool, change.nowMs) : ownEnd;
  const task = { seq: Number(row.seq), id: String(row.id) };
  await holdTask(change, task, defined({ reason: "budget", untilMs }), scope);
  // A chain with nothing left in its own budget does not wait for money: it is over.
  if (scope?.startsWith("chain:") === true) change.moved(Number(row.chain_seq), Number(row.step));
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
