/**
 * Budgets beside the pool's own: of a tag, of a chain, of every day. They bind a run as the pool's does (core/budget.ts).
 *
 * B1. A run names in the ledger the scopes that it holds money of; only those get it back.
 * B2. What a run cost is booked on every budget that its task falls under when it ends.
 * B3. A pool without such budgets pays for none of this: `pool.scopes` says how many there are.
 */
import { type BudgetState, checkAdmission, periodStart, type ScopeBudget, scopeName } from "../core/budget.ts";
import { defined } from "../core/config.ts";
import type { Sql, SqlRow, SqlTx, SqlValue } from "../core/ports.ts";
import type { TaskRecord } from "../core/task.ts";
import type { Change } from "./change.ts";
import { releaseScopeHolds } from "./holds.ts";
import { selectTasks } from "./rows.ts";

type Reader = Pick<Sql | SqlTx, "all">;

export async function scopeBudgets(sql: Reader): Promise<readonly ScopeBudget[]> {
  return (await sql.all("SELECT * FROM scope_budget ORDER BY scope")).map(scopeOf);
}

/** Those that a task falls under. */
export async function scopesOf(
  change: Change,
  task: Pick<TaskRecord, "tags" | "chainId">,
): Promise<readonly ScopeBudget[]> {
  if (change.pool.scopes === 0) return []; // B3
  const names = ["day", ...task.tags.map((tag) => `tag:${tag}`)];
  if (task.chainId !== undefined) names.push(`chain:${task.chainId}`);
  return named(change.sql, names);
}

/** As a budget like the pool's. */
export function budgetOfScope(scope: ScopeBudget): BudgetState {
  return {
    capMicrodollars: scope.capMicrodollars,
    spentMicrodollars: scope.spentMicrodollars,
    reservedMicrodollars: scope.reservedMicrodollars,
    totalMicrodollars: scope.spentMicrodollars,
    sinceMs: scope.sinceMs,
    renews: scope.scope === "day" ? "day" : "none",
  };
}

/** @throws {PoolError} as the pool's own admission, naming the scope. */
export async function checkScopes(
  change: Change,
  tags: readonly string[] | undefined,
  capMicrodollars: number | undefined,
): Promise<void> {
  for (const scope of await scopesOf(change, { tags: tags ?? [] })) {
    checkAdmission(budgetOfScope(scope), capMicrodollars, scopeName(scope.scope));
  }
}

export async function reserveScopes(change: Change, scopes: readonly ScopeBudget[], amount: number): Promise<void> {
  for (const { scope } of scopes) {
    await change.sql.run("UPDATE scope_budget SET reserved = reserved + ? WHERE scope = ?", [amount, scope]);
  }
}

/** B1, B2. `held` are the names that the run has in the ledger. */
export async function settleScopes(
  change: Change,
  task: Pick<TaskRecord, "tags" | "chainId">,
  run: { readonly held: readonly string[]; readonly reserved: number; readonly cost: number },
): Promise<void> {
  if (change.pool.scopes === 0) return;
  for (const scope of await scopesOf(change, task)) {
    const { capMicrodollars: cap, spentMicrodollars: before } = scope;
    await change.sql.run("UPDATE scope_budget SET spent = spent + ? WHERE scope = ?", [run.cost, scope.scope]);
    if (before >= cap || before + run.cost < cap) continue;
    const data = { spentMicrodollars: before + run.cost, capMicrodollars: cap, scope: scope.scope };
    change.emit({ type: "budget.exhausted", data });
  }
  for (const scope of run.held) {
    // One that was removed and set anew meanwhile holds nothing for this run.
    await change.sql.run("UPDATE scope_budget SET reserved = MAX(0, reserved - ?) WHERE scope = ?", [
      run.reserved,
      scope,
    ]);
  }
}

/** Of a run that asks for more money. */
export function scopesByName(change: Change, names: readonly string[]): Promise<readonly ScopeBudget[]> {
  return names.length === 0 ? Promise.resolve([]) : named(change.sql, names);
}

/** A cap that is changed goes on counting; one that is removed and set again begins anew. */
export async function setScopeBudget(change: Change, scope: string, cap: number | undefined): Promise<void> {
  const { sql, pool, nowMs } = change;
  const [before] = await named(sql, [scope]);
  if (before?.capMicrodollars === cap) return;
  if (cap === undefined) {
    await sql.run("DELETE FROM scope_budget WHERE scope = ?", [scope]);
    pool.scopes -= 1;
  } else {
    await sql.run(
      `INSERT INTO scope_budget (scope, cap, since_ms) VALUES (?, ?, ?)
        ON CONFLICT (scope) DO UPDATE SET cap = excluded.cap`,
      [scope, cap, nowMs],
    );
    pool.scopes += before === undefined ? 1 : 0;
  }
  change.emit({ type: "budget.changed", data: defined({ capMicrodollars: cap, action: "set" as const, scope }) });
  await releaseScopeHolds(change, scope);
}

/** Starts a new day if one has begun. */
export async function renewDay(change: Change): Promise<void> {
  if (change.pool.scopes === 0) return;
  const start = periodStart("day", change.nowMs);
  const renewed = await change.sql.run(
    "UPDATE scope_budget SET spent = 0, since_ms = ?1 WHERE scope = 'day' AND since_ms < ?1",
    [start],
  );
  if (renewed === 0) return;
  change.emit({ type: "budget.changed", data: { action: "renewed", scope: "day" } });
  await releaseScopeHolds(change, "day");
}

/** Tasks held for a scope that has room for them now, the first `limit` of each; without being released first, as the pool's. */
export async function heldByScopes(
  change: Change,
  about: { readonly estimate: number; readonly originHost: string | null; readonly limit: number },
): Promise<readonly SqlRow[]> {
  const { pool, sql } = change;
  if (pool.scopes === 0 || pool.held === 0) return [];
  const rows: SqlRow[] = [];
  for (const scope of await scopeBudgets(sql)) {
    const room = scope.capMicrodollars - scope.spentMicrodollars - scope.reservedMicrodollars;
    if (room <= 0) continue;
    const isUnused = scope.reservedMicrodollars === 0 ? 1 : 0;
    rows.push(
      ...(await sql.all(heldQuery, [room, about.estimate, isUnused, about.originHost, about.limit, scope.scope])),
    );
  }
  return rows;
}

const heldQuery = `${selectTasks("task INDEXED BY task_held_scope")}
  WHERE state = 'pending' AND hold_reason = 'budget' AND hold_scope IS NOT NULL AND hold_scope = ?6
    AND (COALESCE(cap, ?2) <= ?1 OR (cap IS NULL AND ?3)) AND (?4 IS NULL OR origin_host = ?4)
  ORDER BY priority DESC, task.seq LIMIT ?5 + 0`;

async function named(sql: Reader, names: readonly string[]): Promise<readonly ScopeBudget[]> {
  const params: readonly SqlValue[] = [JSON.stringify(names)];
  const rows = await sql.all(
    "SELECT * FROM scope_budget WHERE scope IN (SELECT value FROM json_each(?)) ORDER BY scope",
    params,
  );
  return rows.map(scopeOf);
}

function scopeOf(row: SqlRow): ScopeBudget {
  return {
    scope: String(row.scope),
    capMicrodollars: Number(row.cap),
    spentMicrodollars: Number(row.spent),
    reservedMicrodollars: Number(row.reserved),
    sinceMs: Number(row.since_ms),
  };
}
