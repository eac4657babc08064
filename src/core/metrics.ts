/**
 * What the metrics say, over this opening of the pool or over a filter; the original's names.
 *
 * U1. Sums and averages are over one set: the tasks that ended, each with all of its attempts. What runs, waits or is in
 *     review is only counted.
 * U2. A chain is not counted, its steps are; a question of the pool's own where work belongs is only a cost, kept apart.
 */

export interface MetricsFilter {
  /** Tasks created at this time or later; 0 alone means the pool's whole life. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Any of them. */
  readonly tags?: readonly string[];
  /** The model that answered. */
  readonly model?: string;
}

export interface ModelMetrics {
  readonly model: string;
  readonly taskCount: number;
  readonly totalCostMicrodollars: number;
  readonly avgCostMicrodollars: number;
  readonly avgElapsedMs: number;
  readonly totalTurns: number;
}

/** How often and how long the whole queue was held back for one reason, in the pool's whole life. */
export interface HeldBackTime {
  readonly reason: string;
  readonly times: number;
  readonly totalMs: number;
}

export interface SessionMetrics {
  /** When this pool was opened, in milliseconds since the epoch. */
  readonly sessionStartMs: number;
  readonly sessionDurationMs: number;
  /** Without a filter: what ended since the opening, and what is open now. */
  readonly totalTasks: number;
  readonly completedTasks: number;
  readonly failedTasks: number;
  readonly cancelledTasks: number;
  readonly runningTasks: number;
  readonly pendingTasks: number;
  readonly pendingReviewTasks: number;
  /** Of the tasks that ended, all their attempts together (U1). */
  readonly totalCostMicrodollars: number;
  readonly avgCostMicrodollars: number;
  readonly maxCostMicrodollars: number;
  /** Times of the last attempts; those of 0 are left out. */
  readonly avgElapsedMs: number;
  readonly minElapsedMs: number;
  readonly maxElapsedMs: number;
  /** Exact with a filter; without one, from a maintained histogram, and so within 5 % of the true one. */
  readonly medianElapsedMs: number;
  readonly avgTurns: number;
  readonly tasksByModel: Readonly<Record<string, number>>;
  /** The dearest first. */
  readonly modelBreakdown: readonly ModelMetrics[];
  /** Spent on attempts that a reviewer rejected. */
  readonly rejectedCostMicrodollars: number;
  /** Spent on attempts that were tried again: failed, lost or limited. */
  readonly retriedCostMicrodollars: number;
  /** What the pool's own questions cost where work belongs; in no other figure here. */
  readonly routingCostMicrodollars: number;
  /** Spent on all that ended, for each task that completed; 0 while none has. */
  readonly costPerCompletedMicrodollars: number;
  readonly heldBack: readonly HeldBackTime[];
}

/** Sums over the ended tasks of one model; without a model where none answered. */
export interface ModelTotals {
  readonly model: string;
  readonly tasks: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly cost: number;
  readonly maxCost: number;
  /** How many of them have a time. */
  readonly timed: number;
  readonly elapsedMs: number;
  readonly minElapsedMs: number | undefined;
  readonly maxElapsedMs: number;
  readonly turns: number;
  readonly rejectedCost: number;
  readonly retriedCost: number;
  readonly routingCost: number;
}

export interface OpenCounts {
  readonly running: number;
  readonly pending: number;
  readonly pendingReview: number;
}

/** The metrics, from sums for each model. */
export function metricsOf(facts: {
  readonly sessionStartMs: number;
  readonly nowMs: number;
  readonly totals: readonly ModelTotals[];
  readonly open: OpenCounts;
  readonly medianElapsedMs: number;
  readonly heldBack: readonly HeldBackTime[];
}): SessionMetrics {
  const { totals, open } = facts;
  const ended = sum(totals, "tasks");
  const cost = sum(totals, "cost");
  const completed = sum(totals, "completed");
  const timed = sum(totals, "timed");
  const fastest = totals.flatMap(({ minElapsedMs }) => (minElapsedMs === undefined ? [] : [minElapsedMs]));
  const [shortest, longest] = [
    fastest.length === 0 ? 0 : Math.min(...fastest),
    Math.max(0, ...totals.map(({ maxElapsedMs }) => maxElapsedMs)),
  ];
  const models = totals.filter(({ model, tasks }) => model !== "" && tasks > 0);
  return {
    sessionStartMs: facts.sessionStartMs,
    sessionDurationMs: Math.max(0, facts.nowMs - facts.sessionStartMs),
    totalTasks: ended + open.running + open.pending + open.pendingReview,
    completedTasks: completed,
    failedTasks: sum(totals, "failed"),
    cancelledTasks: sum(totals, "cancelled"),
    runningTasks: open.running,
    pendingTasks: open.pending,
    pendingReviewTasks: open.pendingReview,
    totalCostMicrodollars: cost,
    avgCostMicrodollars: average(cost, ended),
    maxCostMicrodollars: Math.max(0, ...totals.map(({ maxCost }) => maxCost)),
    avgElapsedMs: average(sum(totals, "elapsedMs"), timed),
    minElapsedMs: shortest,
    maxElapsedMs: longest,
    // The middle of a histogram's bin may lie outside of what is in it.
    medianElapsedMs: Math.min(longest, Math.max(shortest, facts.medianElapsedMs)),
    avgTurns: ended === 0 ? 0 : Math.round((sum(totals, "turns") / ended) * 100) / 100,
    tasksByModel: Object.fromEntries(models.map(({ model, tasks }) => [model, tasks])),
    modelBreakdown: models.map(modelMetrics).sort((a, b) => b.totalCostMicrodollars - a.totalCostMicrodollars),
    rejectedCostMicrodollars: sum(totals, "rejectedCost"),
    retriedCostMicrodollars: sum(totals, "retriedCost"),
    routingCostMicrodollars: sum(totals, "routingCost"),
    costPerCompletedMicrodollars: average(cost, completed),
    heldBack: facts.heldBack,
  };
}

/** Bins of the histogram are so many to a doubling, which keeps the middle of a bin within 5 % of all that is in it. */
const binsToADoubling = 8;

/** The bin of a time of at least 1 ms. */
export function elapsedBin(elapsedMs: number): number {
  return Math.round(binsToADoubling * Math.log2(Math.max(1, elapsedMs)));
}

/** The middle of the times that were counted by bin, in milliseconds; 0 without any. */
export function medianOfBins(bins: ReadonlyMap<number, number>): number {
  const ordered = [...bins].sort(([a], [b]) => a - b);
  const total = ordered.reduce((count, [, n]) => count + n, 0);
  let below = 0;
  for (const [bin, n] of ordered) {
    below += n;
    if (below * 2 >= total) return Math.round(2 ** (bin / binsToADoubling));
  }
  return 0;
}

/** The sums of two parts of one set, model by model. */
export function addTotals(parts: readonly ModelTotals[]): readonly ModelTotals[] {
  const models = new Map<string, ModelTotals>();
  for (const part of parts) {
    const before = models.get(part.model);
    models.set(part.model, before === undefined ? part : added(before, part));
  }
  return [...models.values()];
}

function added(a: ModelTotals, b: ModelTotals): ModelTotals {
  const fastest = [a.minElapsedMs, b.minElapsedMs].filter((ms) => ms !== undefined);
  return {
    model: a.model,
    tasks: a.tasks + b.tasks,
    completed: a.completed + b.completed,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
    cost: a.cost + b.cost,
    maxCost: Math.max(a.maxCost, b.maxCost),
    timed: a.timed + b.timed,
    elapsedMs: a.elapsedMs + b.elapsedMs,
    minElapsedMs: fastest.length === 0 ? undefined : Math.min(...fastest),
    maxElapsedMs: Math.max(a.maxElapsedMs, b.maxElapsedMs),
    turns: a.turns + b.turns,
    rejectedCost: a.rejectedCost + b.rejectedCost,
    retriedCost: a.retriedCost + b.retriedCost,
    routingCost: a.routingCost + b.routingCost,
  };
}

function modelMetrics(totals: ModelTotals): ModelMetrics {
  return {
    model: totals.model,
    taskCount: totals.tasks,
    totalCostMicrodollars: totals.cost,
    avgCostMicrodollars: average(totals.cost, totals.tasks),
    avgElapsedMs: average(totals.elapsedMs, totals.timed),
    totalTurns: totals.turns,
  };
}

function sum(
  totals: readonly ModelTotals[],
  field: Exclude<keyof ModelTotals, "model" | "minElapsedMs" | "maxElapsedMs" | "maxCost">,
): number {
  return totals.reduce((all, one) => all + one[field], 0);
}

/** Rounded half up, as all money is. */
function average(total: number, count: number): number {
  return count === 0 ? 0 : Math.round(total / count);
}
