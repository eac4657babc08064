/** What the tasks that end in one transaction add to the metrics, written once for each minute and model. */
import type { SqlTx } from "../core/ports.ts";
import { elapsedBin } from "../core/metrics.ts";

/** One row of aggregates stands for so long; the row's name is the beginning of that time. */
export const bucketMs = 60_000;

/** A task that ended, with all of its attempts. */
export interface EndedTask {
  readonly atMs: number;
  /** Empty: no model answered. */
  readonly model: string;
  readonly state: "completed" | "failed" | "cancelled";
  /** A question of the pool's own where work belongs: only its cost is counted, and apart. */
  readonly isRoute: boolean;
  readonly cost: number;
  readonly elapsedMs: number;
  readonly turns: number;
  readonly rejectedCost: number;
  readonly retriedCost: number;
}

export interface MetricDeltas {
  readonly add: (task: EndedTask) => void;
  readonly flush: () => Promise<void>;
}

export function metricDeltas(sql: SqlTx): MetricDeltas {
  const rows = new Map<string, MetricRow>();
  const bins = new Map<string, BinRow>();
  return {
    add(task) {
      const bucket = Math.floor(task.atMs / bucketMs) * bucketMs;
      const key = `${String(bucket)} ${task.model}`;
      const row = rows.get(key) ?? emptyRow(bucket, task.model);
      rows.set(key, row);
      addTask(row, task);
      if (task.isRoute || task.elapsedMs <= 0) return;
      const bin = elapsedBin(task.elapsedMs);
      const binKey = `${String(bucket)} ${String(bin)}`;
      const counted = bins.get(binKey) ?? { bucket, bin, n: 0 };
      bins.set(binKey, counted);
      counted.n += 1;
    },
    async flush() {
      for (const row of rows.values()) await sql.run(rowUpsert, Object.values(row));
      for (const { bucket, bin, n } of bins.values()) await sql.run(binUpsert, [bucket, bin, n]);
      rows.clear();
      bins.clear();
    },
  };
}

interface BinRow {
  readonly bucket: number;
  readonly bin: number;
  n: number;
}

/** The columns of `metric`, in their order. */
interface MetricRow {
  readonly bucket: number;
  readonly model: string;
  tasks: number;
  completed: number;
  failed: number;
  cancelled: number;
  cost: number;
  maxCost: number;
  timed: number;
  elapsedMs: number;
  minElapsedMs: number | null;
  maxElapsedMs: number;
  turns: number;
  rejectedCost: number;
  retriedCost: number;
  routingCost: number;
}

function emptyRow(bucket: number, model: string): MetricRow {
  return {
    bucket,
    model,
    tasks: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    cost: 0,
    maxCost: 0,
    timed: 0,
    elapsedMs: 0,
    minElapsedMs: null,
    maxElapsedMs: 0,
    turns: 0,
    rejectedCost: 0,
    retriedCost: 0,
    routingCost: 0,
  };
}

function addTask(row: MetricRow, task: EndedTask): void {
  if (task.isRoute) {
    row.routingCost += task.cost;
    return;
  }
  row.tasks += 1;
  row[task.state] += 1;
  row.cost += task.cost;
  row.maxCost = Math.max(row.maxCost, task.cost);
  row.turns += task.turns;
  row.rejectedCost += task.rejectedCost;
  row.retriedCost += task.retriedCost;
  if (task.elapsedMs <= 0) return;
  const elapsedMs = Math.round(task.elapsedMs);
  row.timed += 1;
  row.elapsedMs += elapsedMs;
  row.minElapsedMs = Math.min(row.minElapsedMs ?? elapsedMs, elapsedMs);
  row.maxElapsedMs = Math.max(row.maxElapsedMs, elapsedMs);
}

const sums = [
  "tasks",
  "completed",
  "failed",
  "cancelled",
  "cost",
  "timed",
  "elapsed_ms",
  "turns",
  "rejected_cost",
  "retried_cost",
  "routing_cost",
];

const rowUpsert = `INSERT INTO metric (bucket_ms, model, tasks, completed, failed, cancelled, cost, max_cost, timed, elapsed_ms,
  min_elapsed_ms, max_elapsed_ms, turns, rejected_cost, retried_cost, routing_cost)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (bucket_ms, model) DO UPDATE SET ${sums.map((name) => `${name} = ${name} + excluded.${name}`).join(", ")},
    max_cost = MAX(max_cost, excluded.max_cost), max_elapsed_ms = MAX(max_elapsed_ms, excluded.max_elapsed_ms),
    min_elapsed_ms = MIN(COALESCE(min_elapsed_ms, excluded.min_elapsed_ms), COALESCE(excluded.min_elapsed_ms, min_elapsed_ms))`;

const binUpsert = `INSERT INTO metric_bin (bucket_ms, bin, n) VALUES (?, ?, ?)
  ON CONFLICT (bucket_ms, bin) DO UPDATE SET n = n + excluded.n`;
