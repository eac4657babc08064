/**
 * The metrics: aggregates kept by the minute in the transactions that end tasks, and the same sums by a query where a
 * filter is given.
 *
 * Z1. Every task that ends is measured exactly once, in the transaction that ends it.
 * Z2. The minute in which a time span begins is read from its tasks, the rest from the aggregates: exact to the millisecond,
 *     and at the cost of one minute's tasks.
 */
import {
  addTotals,
  elapsedBin,
  type HeldBackTime,
  medianOfBins,
  metricsOf,
  type MetricsFilter,
  type ModelTotals,
  type OpenCounts,
  type SessionMetrics,
} from "../core/metrics.ts";
import type { Sql, SqlRow, SqlTx, SqlValue } from "../core/ports.ts";
import { isTerminal, type TaskRecord, type TaskResult, type TaskState } from "../core/task.ts";
import { type Change, poolOf, poolQuery } from "./change.ts";
import { bucketMs } from "./metric-deltas.ts";

type Reader = Pick<Sql | SqlTx, "all">;

/** Z1: called with every task that reaches a terminal state. */
export async function measureEnd(
  change: Change,
  task: Pick<TaskRecord, "seq" | "attempt" | "kind">,
  state: TaskState,
  result: TaskResult,
  atMs = change.nowMs,
): Promise<void> {
  if (task.kind === "chain" || !isTerminal(state)) return;
  const spent = await costsOf(change.sql, task, result);
  change.measure({
    atMs,
    model: result.model ?? "",
    state,
    isRoute: task.kind === "route",
    cost: spent.cost,
    elapsedMs: result.elapsedMs,
    turns: result.turnsUsed,
    rejectedCost: spent.rejected,
    retriedCost: spent.retried,
  });
}

/** Without a filter, or for the pool's whole life, from the aggregates. */
export function metrics(
  sql: Reader,
  filter: MetricsFilter,
  about: { readonly sessionStartMs: number; readonly nowMs: number },
): Promise<SessionMetrics> {
  const { sinceMs, untilMs, tags, model } = filter;
  const isFiltered = untilMs !== undefined || tags !== undefined || model !== undefined || (sinceMs ?? 0) > 0;
  return isFiltered
    ? metricsFiltered(sql, filter, about)
    : metricsSince(sql, { ...about, sinceMs: sinceMs ?? about.sessionStartMs });
}

async function metricsSince(
  sql: Reader,
  about: { readonly sessionStartMs: number; readonly sinceMs: number; readonly nowMs: number },
): Promise<SessionMetrics> {
  const fullFromMs = Math.ceil(about.sinceMs / bucketMs) * bucketMs; // Z2
  const edge: Chosen = {
    from: "task INDEXED BY task_ended",
    where: "completed_at_ms IS NOT NULL AND completed_at_ms >= ? AND completed_at_ms < ?",
    params: [about.sinceMs, fullFromMs],
  };
  const isWhole = fullFromMs === about.sinceMs;
  const kept = (await sql.all(keptQuery, [fullFromMs])).map(totalsOf);
  const bins = new Map(
    (await sql.all("SELECT bin, SUM(n) AS n FROM metric_bin WHERE bucket_ms >= ? GROUP BY bin", [fullFromMs])).map(
      (row) => [Number(row.bin), Number(row.n)],
    ),
  );
  const first = isWhole ? [] : (await sql.all(totalsQuery(edge), edge.params)).map(totalsOf);
  for (const row of isWhole ? [] : await sql.all(timesQuery(edge), edge.params)) {
    const bin = elapsedBin(Number(row.elapsed));
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  const pool = poolOf((await sql.all(poolQuery))[0]);
  return metricsOf({
    ...about,
    totals: addTotals([...kept, ...first]),
    open: { running: pool.running, pending: pool.pending, pendingReview: pool.pending_review },
    medianElapsedMs: medianOfBins(bins),
    heldBack: await heldBackTimes(sql, about.nowMs),
  });
}

async function metricsFiltered(
  sql: Reader,
  filter: MetricsFilter,
  about: { readonly sessionStartMs: number; readonly nowMs: number },
): Promise<SessionMetrics> {
  const chosen = chosenBy(filter);
  const rows = await sql.all(totalsQuery(chosen), chosen.params);
  return metricsOf({
    ...about,
    totals: rows.map(totalsOf),
    open: filter.model === undefined ? await openCounts(sql, chosen) : { running: 0, pending: 0, pendingReview: 0 },
    medianElapsedMs: await medianOf(sql, chosen, rows),
    heldBack: await heldBackTimes(sql, about.nowMs),
  });
}

/** The same for a task that ends while it waits: what its attempts cost so far is in the ledger alone. */
export async function measureUnrun(
  change: Change,
  task: Pick<TaskRecord, "seq" | "attempt" | "kind">,
  state: TaskState,
  result: TaskResult,
): Promise<void> {
  if (task.attempt === 0) return measureEnd(change, task, state, result);
  const [row] = await change.sql.all("SELECT SUM(cost) AS cost FROM run WHERE task_seq = ?", [task.seq]);
  await measureEnd(change, task, state, { ...result, costMicrodollars: Number(row?.cost ?? 0) });
}

/** What all attempts of a task cost, and which of it bought nothing; a task of one attempt is not asked for. */
async function costsOf(
  sql: Reader,
  task: Pick<TaskRecord, "seq" | "attempt">,
  result: TaskResult,
): Promise<{ readonly cost: number; readonly rejected: number; readonly retried: number }> {
  const isRejected = result.reason === "rejected";
  if (task.attempt <= 1) {
    const cost = task.attempt === 0 ? 0 : result.costMicrodollars;
    return { cost, rejected: isRejected ? cost : 0, retried: 0 };
  }
  const [row] = await sql.all(`SELECT SUM(cost) AS cost, ${wasteColumns("?2", "?3")} FROM run WHERE task_seq = ?1`, [
    task.seq,
    task.attempt,
    isRejected ? 1 : 0,
  ]);
  return { cost: Number(row?.cost ?? 0), rejected: Number(row?.rejected ?? 0), retried: Number(row?.retried ?? 0) };
}

/** Of a task's runs: what was rejected (the last one too, if the task failed by that), and what was tried again. */
function wasteColumns(lastAttempt: string, isLastRejected: string): string {
  const rejected = `(superseded = 'rejected' OR (run.attempt = ${lastAttempt} AND ${isLastRejected}))`;
  return `COALESCE(SUM(CASE WHEN ${rejected} THEN cost ELSE 0 END), 0) AS rejected,
    COALESCE(SUM(CASE WHEN superseded IS NOT 'rejected' AND run.attempt < ${lastAttempt} THEN cost ELSE 0 END), 0) AS retried`;
}

/** Which tasks a query is about. */
interface Chosen {
  readonly from: string;
  readonly where: string;
  readonly params: readonly SqlValue[];
}

function chosenBy(filter: MetricsFilter): Chosen {
  const { sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER, tags, model } = filter;
  const conditions = ["created_at_ms >= ?", "created_at_ms <= ?"];
  const params: SqlValue[] = [sinceMs, untilMs];
  if (tags !== undefined) {
    // By the tags' own index: the plus keeps the planner from going by time.
    conditions.push("task.seq IN (SELECT seq FROM task_tag WHERE tag IN (SELECT value FROM json_each(?)))");
    params.push(JSON.stringify(tags));
  }
  if (model !== undefined) {
    conditions.push("json_extract(answer.result, '$.model') = ?");
    params.push(model);
  }
  return {
    from: tags === undefined ? "task INDEXED BY task_created" : "task",
    where: (tags === undefined ? conditions : conditions.map((one) => one.replace(/^created/, "+created"))).join(
      " AND ",
    ),
    params,
  };
}

const elapsedColumn = "CAST(ROUND(json_extract(answer.result, '$.elapsedMs')) AS INTEGER)";

/** One row for each task that ended, with what all of its runs cost. */
function endedQuery({ from, where }: Chosen): string {
  return `SELECT task.seq, task.kind, task.state, json_extract(answer.result, '$.model') AS model,
      ${elapsedColumn} AS elapsed, json_extract(answer.result, '$.turnsUsed') AS turns,
      (SELECT COALESCE(SUM(cost), 0) FROM run WHERE run.task_seq = task.seq) AS cost,
      json_extract(answer.result, '$.reason') IS 'rejected' AS is_rejected, task.attempt
    FROM ${from} JOIN task_result AS answer ON answer.seq = task.seq
    WHERE ${where} AND task.kind <> 'chain' AND task.state IN ('completed', 'failed', 'cancelled')`;
}

function totalsQuery(chosen: Chosen): string {
  const waste = (column: string): string =>
    `(SELECT ${column} FROM (SELECT ${wasteColumns("ended.attempt", "ended.is_rejected")} FROM run WHERE run.task_seq = ended.seq))`;
  const work = "CASE WHEN kind = 'route' THEN 0 ELSE";
  return `SELECT COALESCE(model, '') AS model, SUM(${work} 1 END) AS tasks,
      SUM(kind <> 'route' AND state = 'completed') AS completed, SUM(kind <> 'route' AND state = 'failed') AS failed,
      SUM(kind <> 'route' AND state = 'cancelled') AS cancelled, SUM(${work} cost END) AS cost, MAX(${work} cost END) AS max_cost,
      SUM(kind <> 'route' AND elapsed > 0) AS timed, SUM(${work} elapsed END) AS elapsed_ms,
      MIN(CASE WHEN kind <> 'route' AND elapsed > 0 THEN elapsed END) AS min_elapsed_ms, MAX(${work} elapsed END) AS max_elapsed_ms,
      SUM(${work} turns END) AS turns, SUM(${work} ${waste("rejected")} END) AS rejected_cost,
      SUM(${work} ${waste("retried")} END) AS retried_cost, SUM(CASE WHEN kind = 'route' THEN cost ELSE 0 END) AS routing_cost
    FROM (${endedQuery(chosen)}) AS ended GROUP BY 1`;
}

function timesQuery(chosen: Chosen): string {
  return `SELECT elapsed FROM (${endedQuery(chosen)}) WHERE kind <> 'route' AND elapsed > 0`;
}

const keptQuery = `SELECT model, SUM(tasks) AS tasks, SUM(completed) AS completed, SUM(failed) AS failed, SUM(cancelled) AS cancelled,
  SUM(cost) AS cost, MAX(max_cost) AS max_cost, SUM(timed) AS timed, SUM(elapsed_ms) AS elapsed_ms,
  MIN(min_elapsed_ms) AS min_elapsed_ms, MAX(max_elapsed_ms) AS max_elapsed_ms, SUM(turns) AS turns,
  SUM(rejected_cost) AS rejected_cost, SUM(retried_cost) AS retried_cost, SUM(routing_cost) AS routing_cost
  FROM metric WHERE bucket_ms >= ? GROUP BY model ORDER BY model`;

async function medianOf(sql: Reader, chosen: Chosen, rows: readonly SqlRow[]): Promise<number> {
  const timed = rows.reduce((count, row) => count + Number(row.timed), 0);
  if (timed === 0) return 0;
  const middle = await sql.all(`${timesQuery(chosen)} ORDER BY elapsed LIMIT ? OFFSET ?`, [
    ...chosen.params,
    timed % 2 === 0 ? 2 : 1,
    Math.floor((timed - 1) / 2),
  ]);
  return Math.round(middle.reduce((total, row) => total + Number(row.elapsed), 0) / middle.length);
}

async function openCounts(sql: Reader, { from, where, params }: Chosen): Promise<OpenCounts> {
  const rows = await sql.all(
    `SELECT state, COUNT(*) AS n FROM ${from} WHERE ${where} AND kind = 'task'
      AND state IN ('running', 'pending', 'pending_review') GROUP BY state`,
    params,
  );
  const countOf = (state: TaskState): number => Number(rows.find((row) => row.state === state)?.n ?? 0);
  return { running: countOf("running"), pending: countOf("pending"), pendingReview: countOf("pending_review") };
}

async function heldBackTimes(sql: Reader, nowMs: number): Promise<readonly HeldBackTime[]> {
  const rows = await sql.all("SELECT * FROM held_back ORDER BY reason");
  return rows.map((row) => ({
    reason: String(row.reason),
    times: Number(row.times),
    totalMs: Number(row.total_ms) + (row.since_ms === null ? 0 : Math.max(0, nowMs - Number(row.since_ms))),
  }));
}

function totalsOf(row: SqlRow): ModelTotals {
  return {
    model: String(row.model),
    tasks: Number(row.tasks),
    completed: Number(row.completed),
    failed: Number(row.failed),
    cancelled: Number(row.cancelled),
    cost: Number(row.cost),
    maxCost: Number(row.max_cost),
    timed: Number(row.timed),
    elapsedMs: Number(row.elapsed_ms),
    minElapsedMs: row.min_elapsed_ms === null ? undefined : Number(row.min_elapsed_ms),
    maxElapsedMs: Number(row.max_elapsed_ms),
    turns: Number(row.turns),
    rejectedCost: Number(row.rejected_cost),
    retriedCost: Number(row.retried_cost),
    routingCost: Number(row.routing_cost),
  };
}
