/**
 * The governor's state in the pool's row: read and changed in the transactions that lease and commit, by the rules of
 * core/governor.ts.
 *
 * O1. Every change of it goes through `save`, which tells the log what people would see change, and counts how often and
 *     how long each reason held the queue back.
 * O2. A probe is believed to be under way only while its run is open in the ledger.
 */
import { defined } from "../core/config.ts";
import {
  allowance,
  answered,
  gaveUp,
  type GovernorSettings,
  type GovernorState,
  heldBack,
  type HeldBack,
  leasedUnder,
  nextChangeMs,
  overloaded,
  parked,
  relaxed,
  released,
  starved,
  utilized,
} from "../core/governor.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Sql, SqlTx } from "../core/ports.ts";
import type { TaskRecord } from "../core/task.ts";
import type { Change, PoolRow } from "./change.ts";

type Reader = Pick<Sql | SqlTx, "all">;

export function governorOf(pool: Pick<PoolRow, "governor">): GovernorState {
  return pool.governor === null ? {} : (JSON.parse(pool.governor) as GovernorState);
}

/** How many tasks may be leased in this transaction. */
export async function leasesAllowed(change: Change): Promise<number> {
  if (change.pool.governor === null) return Number.MAX_SAFE_INTEGER;
  await relaxGovernor(change);
  const state = governorOf(change.pool);
  const { probeRunId } = state;
  if (probeRunId !== undefined && !(await isOpen(change.sql, probeRunId)))
    await save(change, gaveUp(state, probeRunId)); // O2
  return allowance(governorOf(change.pool), change.pool.running, change.nowMs, change.governor).count;
}

/** After a lease; true: the run is the probe. */
export async function leaseGoverned(change: Change, runId: string): Promise<boolean> {
  if (change.pool.governor === null) return false;
  const state = leasedUnder(governorOf(change.pool), runId, change.nowMs, change.governor);
  await save(change, state);
  return state.probeRunId === runId;
}

/** What the end of a run tells. */
export async function runGoverned(
  change: Change,
  runId: string,
  outcome: Outcome["kind"],
  hasAsked: boolean,
): Promise<void> {
  if (change.pool.governor === null || outcome === "limited") return;
  const state = governorOf(change.pool);
  if (state.probeRunId !== runId) return;
  const hasAnswer = outcome !== "lost" && hasAsked;
  await save(change, hasAnswer ? answered(state, runId, change.nowMs) : gaveUp(state, runId));
}

/** A run met the usage limit. */
export function park(change: Change, resetsAtMs: number, limitType: string | undefined): Promise<void> {
  return save(change, parked(governorOf(change.pool), resetsAtMs, limitType, change.nowMs));
}

export function noteAnswer(change: Change, runId: string): Promise<void> {
  return save(change, answered(governorOf(change.pool), runId, change.nowMs));
}

export function noteOverload(change: Change): Promise<void> {
  return save(change, overloaded(governorOf(change.pool), change.pool.running, change.nowMs));
}

export function noteUtilization(change: Change, utilization: number, resetsAtMs: number | undefined): Promise<void> {
  return save(change, utilized(governorOf(change.pool), utilization, resetsAtMs, change.nowMs));
}

export async function noteMemory(change: Change, hostId: string, isStarved: boolean): Promise<void> {
  if (change.pool.governor === null && !isStarved) return;
  if (isStarved) {
    // A host that has ended meanwhile would hold the sign up for ever.
    const [host] = await change.sql.all("SELECT state FROM host WHERE id = ?", [hostId]);
    if (host?.state !== "alive") return;
  }
  await save(change, starved(governorOf(change.pool), hostId, isStarved));
}

export function releaseGovernor(change: Change): Promise<void> {
  return save(change, released(governorOf(change.pool)));
}

/** What time does to the state. */
export async function relaxGovernor(change: Change): Promise<void> {
  if (change.pool.governor === null) return;
  const state = governorOf(change.pool);
  const slots = state.ceiling === undefined ? 0 : await liveSlots(change.sql);
  await save(change, relaxed(state, slots, change.nowMs, change.governor));
}

/** When the state changes by itself and a pending task may go; undefined: never, or no task waits. */
export function nextGovernorMs(
  pool: Pick<PoolRow, "governor" | "pending">,
  nowMs: number,
  settings: GovernorSettings,
): number | undefined {
  if (pool.governor === null || pool.pending === 0) return undefined;
  return nextChangeMs(governorOf(pool), nowMs, settings);
}

/** What holds the queue back, for status. */
export function heldBackOf(pool: PoolRow, nowMs: number, settings: GovernorSettings): HeldBack | undefined {
  return pool.governor === null ? undefined : heldBack(governorOf(pool), nowMs, settings);
}

/** Pending tasks that are not held themselves are shown with what holds the whole pool back. */
export function withPoolHold(
  tasks: readonly TaskRecord[],
  pool: PoolRow,
  nowMs: number,
  settings: GovernorSettings,
): readonly TaskRecord[] {
  if (pool.governor === null) return tasks;
  const state = governorOf(pool);
  const allowed = allowance(state, pool.running, nowMs, settings);
  const binding = allowed.count === 0 ? allowed.heldBack : undefined;
  const starving = (state.starvedHosts ?? []).length > 0 ? ({ reason: "memory" } as const) : undefined;
  const bound: HeldBack | undefined = binding ?? starving;
  if (bound === undefined) return tasks;
  const hold = defined({ reason: bound.reason, untilMs: bound.untilMs });
  return tasks.map((task) => (task.state === "pending" && task.hold === undefined ? { ...task, hold } : task));
}

/** O1 */
async function save(change: Change, state: GovernorState): Promise<void> {
  const { pool, nowMs } = change;
  const text = Object.keys(state).length === 0 ? null : JSON.stringify(state);
  if (text === pool.governor) return;
  const before = heldBack(governorOf(pool), nowMs, change.governor);
  const after = heldBack(state, nowMs, change.governor);
  pool.governor = text;
  if (before?.reason !== after?.reason) await book(change, before?.reason, after?.reason);
  if (JSON.stringify(visible(before)) === JSON.stringify(visible(after))) return;
  change.emit({ type: "governor.changed", data: after ?? {} });
}

/** What is worth an event: of a ceiling its height, not the time of its next step, which every answer moves. */
function visible(bound: HeldBack | undefined): unknown {
  if (bound === undefined) return undefined;
  return bound.ceiling === undefined && bound.reason === "limit" ? bound : [bound.reason, bound.ceiling];
}

async function book({ sql, nowMs }: Change, ending: string | undefined, beginning: string | undefined): Promise<void> {
  if (ending !== undefined) {
    await sql.run(
      `UPDATE held_back SET total_ms = total_ms + MAX(0, ?1 - since_ms), since_ms = NULL
        WHERE reason = ?2 AND since_ms IS NOT NULL`,
      [nowMs, ending],
    );
  }
  if (beginning !== undefined) {
    await sql.run(
      `INSERT INTO held_back (reason, times, since_ms) VALUES (?1, 1, ?2)
        ON CONFLICT (reason) DO UPDATE SET times = times + 1, since_ms = excluded.since_ms`,
      [beginning, nowMs],
    );
  }
}

async function isOpen(sql: Reader, runId: string): Promise<boolean> {
  const rows = await sql.all("SELECT 1 FROM run INDEXED BY run_open WHERE run_id = ? AND ended_at_ms IS NULL", [runId]);
  return rows.length > 0;
}

async function liveSlots(sql: Reader): Promise<number> {
  const [row] = await sql.all("SELECT COUNT(*) AS n FROM slot INDEXED BY slot_live WHERE state <> 'stopped'");
  return Number(row?.n);
}
