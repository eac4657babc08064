/** What the metrics say, over this opening of the pool or over a filter; the original's names. */

export interface MetricsFilter {
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Any of them. */
  readonly tags?: readonly string[];
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

/** Counts are of tasks that hold slots: a chain's steps count, the chain itself does not. */
export interface SessionMetrics {
  readonly sessionStartMs: number;
  readonly sessionDurationMs: number;
  readonly totalTasks: number;
  readonly completedTasks: number;
  readonly failedTasks: number;
  readonly cancelledTasks: number;
  readonly runningTasks: number;
  readonly pendingTasks: number;
  readonly pendingReviewTasks: number;
  readonly totalCostMicrodollars: number;
  /** Of the tasks that ended, all their attempts together. */
  readonly avgCostMicrodollars: number;
  readonly maxCostMicrodollars: number;
  readonly avgElapsedMs: number;
  readonly minElapsedMs: number;
  readonly maxElapsedMs: number;
  readonly medianElapsedMs: number;
  readonly avgTurns: number;
  readonly tasksByModel: Readonly<Record<string, number>>;
  readonly modelBreakdown: readonly ModelMetrics[];
  /** Spent on attempts that were rejected, lost, or tried again. */
  readonly rejectedCostMicrodollars: number;
  readonly retriedCostMicrodollars: number;
  /** Spent per task that completed, everything included. */
  readonly costPerCompletedMicrodollars: number;
  /** How often and how long (milliseconds) the queue was held back, by reason. */
  readonly heldBack: readonly { readonly reason: string; readonly times: number; readonly totalMs: number }[];
}
