/** Budget, reservations and the ledger's money; the rules are core/budget.ts's, the figures are the pool's row. */
import { type BudgetState, growIn, periodStart } from "../core/budget.ts";
import { defined } from "../core/config.ts";
import type { Change, PoolRow } from "./change.ts";
import { releaseHolds } from "./holds.ts";
import { budgetOfScope, renewDay, reserveScopes, scopesByName } from "./scopes.ts";

/** What one run is taken to cost before any has finished: 0.10 dollars, in microdollars. */
const guessMicrodollars = 100_000;

/** The row as `BudgetState`, at this time: a period that is over counts as renewed, written or not. */
export function budgetOf(pool: PoolRow, nowMs: number): BudgetState {
  const renewal = dueRenewal(pool, nowMs);
  return defined<BudgetState>({
    capMicrodollars: pool.cap ?? undefined,
    spentMicrodollars: renewal === undefined ? pool.spent : 0,
    reservedMicrodollars: pool.reserved,
    totalMicrodollars: pool.total,
    sinceMs: renewal ?? pool.since_ms,
    renews: pool.renews,
  });
}

/** The average of all finished runs, rounded up, in microdollars. */
export function estimateOf(pool: PoolRow): number {
  return pool.finished_runs === 0 ? guessMicrodollars : Math.ceil(pool.total / pool.finished_runs);
}

/** Starts a new period if one is due. First in every transaction, so nothing looks at money of the day before. */
export async function renewBudget(change: Change): Promise<void> {
  await renewDay(change);
  const since = dueRenewal(change.pool, change.nowMs);
  if (since === undefined) return;
  await restart(change, since, "renewed");
}

/** When the running period ends, in milliseconds since the epoch; undefined: never by itself. */
export function nextRenewalMs(pool: PoolRow, nowMs: number): number | undefined {
  if (pool.renews === "none" || pool.cap === null) return undefined;
  return nextPeriodMs(pool.renews, nowMs);
}

/** The next midnight, in milliseconds since the epoch. */
export function nextDayMs(nowMs: number): number {
  return nextPeriodMs("day", nowMs);
}

function nextPeriodMs(renews: "day" | "week", nowMs: number): number {
  // Half a day more than the period: past its end whatever the clocks' change makes of it, and before the end of the next.
  const days = renews === "day" ? 1.5 : 7.5;
  return periodStart(renews, periodStart(renews, nowMs) + days * 86_400_000);
}

export async function setBudget(
  change: Change,
  cap: number | undefined,
  renews: PoolRow["renews"],
): Promise<BudgetState> {
  const { pool, nowMs } = change;
  const isSameCap = pool.cap === (cap ?? null);
  if (!isSameCap || pool.renews !== renews) {
    pool.renews = renews;
    pool.cap = cap ?? null;
    await restart(change, isSameCap ? pool.since_ms : nowMs, "set", isSameCap ? pool.spent : 0);
  }
  return budgetOf(pool, nowMs);
}

export async function resetBudget(change: Change): Promise<BudgetState> {
  await restart(change, change.nowMs, "reset");
  return budgetOf(change.pool, change.nowMs);
}

export async function growReservation(change: Change, runId: string): Promise<number> {
  const { pool, sql } = change;
  const [run] = await sql.all(
    "SELECT reserved, scopes FROM run INDEXED BY run_open WHERE run_id = ? AND ended_at_ms IS NULL",
    [runId],
  );
  if (run === undefined) return 0;
  const names = run.scopes === null ? [] : (JSON.parse(String(run.scopes)) as readonly string[]);
  const scopes = await scopesByName(change, names);
  // Caps that were taken away while the run was under way bind it no more.
  const granted = growIn([budgetOf(pool, change.nowMs), ...scopes.map(budgetOfScope)], Number(run.reserved));
  if (granted === 0 || granted === Number.MAX_SAFE_INTEGER) return granted;
  pool.reserved += granted;
  await reserveScopes(change, scopes, granted);
  await sql.run("UPDATE run SET reserved = reserved + ? WHERE run_id = ? AND ended_at_ms IS NULL", [granted, runId]);
  return granted;
}

/** Gives a run's reservation back and books what it cost. */
export function settle(change: Change, reserved: number, cost: number): void {
  const { pool } = change;
  const before = pool.spent;
  pool.reserved -= reserved;
  pool.spent += cost;
  pool.total += cost;
  pool.finished_runs += 1;
  if (pool.cap !== null && before < pool.cap && pool.spent >= pool.cap) {
    change.emit({ type: "budget.exhausted", data: { spentMicrodollars: pool.spent, capMicrodollars: pool.cap } });
  }
}

async function restart(change: Change, since: number, action: "set" | "reset" | "renewed", spent = 0): Promise<void> {
  const { pool } = change;
  pool.spent = spent;
  pool.since_ms = since;
  change.emit({ type: "budget.changed", data: defined({ capMicrodollars: pool.cap ?? undefined, action }) });
  await releaseHolds(change, "budget");
}

function dueRenewal(pool: PoolRow, nowMs: number): number | undefined {
  if (pool.renews === "none" || pool.cap === null) return undefined;
  const start = periodStart(pool.renews, nowMs);
  return pool.since_ms < start ? start : undefined;
}
