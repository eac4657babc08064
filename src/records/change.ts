/**
 * One open transaction: its statements, and what is written once at its end instead of once per task.
 *
 * W1. The pool's row (counters and money) is read at the start, changed in memory and written once, if it changed.
 *     A transaction that changes nothing writes nothing, so it wakes no other process.
 * W2. Events get their places in the order emitted and are inserted together.
 * W3. What runs do to their slots is added up and written once per slot; whoever reads or writes slots calls
 *     `flushSlots` first.
 * W4. Whoever changes the state of a task that is a step says so with `moved`; its chain goes on in the same transaction.
 */
import type { NewEvent, PoolEvent } from "../core/events.ts";
import type { GovernorSettings } from "../core/governor.ts";
import type { SqlRow, SqlTx, SqlValue } from "../core/ports.ts";
import type { TaskState } from "../core/task.ts";
import { type MetricDeltas, metricDeltas } from "./metric-deltas.ts";
import { type SlotDeltas, slotDeltas } from "./slot-deltas.ts";

/** The pool's one row. */
export interface PoolRow {
  task_seq: number;
  event_seq: number;
  slot_number: number;
  pending: number;
  held: number;
  running: number;
  pending_review: number;
  completed: number;
  failed: number;
  cancelled: number;
  cap: number | null;
  spent: number;
  reserved: number;
  total: number;
  finished_runs: number;
  since_ms: number;
  renews: "none" | "day" | "week";
  shutdown: number;
  chains_running: number;
  /** JSON of `GovernorState`; null: nothing holds back. */
  governor: string | null;
  /** How many budgets there are beside the pool's own. */
  scopes: number;
  /** Of the place that was made last. */
  place_number: number;
  /** How many requests of running tasks wait for an answer. */
  open_requests: number;
}

/** A step whose task has another state than before. */
export interface MovedStep {
  readonly chainSeq: number;
  readonly step: number;
}

export interface Change {
  readonly sql: SqlTx;
  readonly nowMs: number;
  readonly pool: PoolRow;
  readonly governor: GovernorSettings;
  /** `taskSeq` is that of the event's task, if it has one. */
  emit(event: NewEvent, taskSeq?: number): void;
  readonly releaseSlot: SlotDeltas["release"];
  readonly occupySlot: SlotDeltas["occupy"];
  readonly flushSlots: SlotDeltas["flush"];
  /** Adds an ended task to the metrics. */
  readonly measure: MetricDeltas["add"];
  /** A step of this chain has another state than before (W4). */
  moved(chainSeq: number, step: number): void;
  /** The steps that moved since this was called last. */
  takeMoved(): readonly MovedStep[];
  /** Writes what was gathered; the events, now with their places. */
  finish(): Promise<readonly PoolEvent[]>;
}

export const poolQuery = "SELECT * FROM pool WHERE one = 1";

export async function beginChange(sql: SqlTx, nowMs: number, governor: GovernorSettings): Promise<Change> {
  const [row] = await sql.all(poolQuery);
  const before = poolOf(row);
  const pool = { ...before };
  const events: PoolEvent[] = [];
  const eventRows: SqlValue[] = [];
  const slots = slotDeltas(sql);
  const metrics = metricDeltas(sql);
  let moved: MovedStep[] = [];

  const change: Change = {
    sql,
    nowMs,
    pool,
    governor,
    emit(event, taskSeq) {
      pool.event_seq += 1;
      events.push({ seq: pool.event_seq, atMs: nowMs, ...event });
      eventRows.push(
        pool.event_seq,
        nowMs,
        taskSeq ?? null,
        event.type,
        event.slotId ?? null,
        JSON.stringify(event.data),
      );
    },
    releaseSlot: slots.release,
    occupySlot: slots.occupy,
    flushSlots: slots.flush,
    measure: metrics.add,
    moved(chainSeq, step) {
      moved.push({ chainSeq, step });
    },
    takeMoved() {
      const taken = moved;
      moved = [];
      return taken;
    },
    async finish() {
      await slots.flush();
      await metrics.flush();
      await insertEvents(sql, eventRows);
      if (poolColumns.some((name) => pool[name] !== before[name])) {
        await sql.run(
          poolUpdate,
          poolColumns.map((name) => pool[name]),
        );
      }
      return events;
    },
  };
  return change;
}

/** Counts a task's way from one state to another; `undefined`: it came into being, or was pruned. */
export function count(pool: PoolRow, from: TaskState | undefined, to: TaskState | undefined): void {
  if (from !== undefined) pool[from] -= 1;
  if (to !== undefined) pool[to] += 1;
}

export function poolOf(row: SqlRow | undefined): PoolRow {
  return { ...row } as unknown as PoolRow;
}

const poolColumns = [
  "task_seq",
  "event_seq",
  "slot_number",
  "pending",
  "held",
  "running",
  "pending_review",
  "completed",
  "failed",
  "cancelled",
  "cap",
  "spent",
  "reserved",
  "total",
  "finished_runs",
  "since_ms",
  "renews",
  "shutdown",
  "chains_running",
  "governor",
  "scopes",
  "place_number",
  "open_requests",
] as const satisfies readonly (keyof PoolRow)[];

const poolUpdate = `UPDATE pool SET ${poolColumns.map((name) => `${name} = ?`).join(", ")} WHERE one = 1`;

const eventColumns = 6;

/** Few statement texts, so that each is prepared once. */
const eventInserts = [64, 8, 1].map((size) => ({
  width: size * eventColumns,
  query:
    "INSERT INTO event (seq, at_ms, task_seq, type, slot_id, data) VALUES " +
    Array.from({ length: size }, () => "(?, ?, ?, ?, ?, ?)").join(", "),
}));

async function insertEvents(sql: SqlTx, rows: readonly SqlValue[]): Promise<void> {
  let offset = 0;
  for (const { width, query } of eventInserts) {
    for (; offset + width <= rows.length; offset += width) await sql.run(query, rows.slice(offset, offset + width));
  }
}
