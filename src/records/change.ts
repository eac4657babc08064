/**
 * One open transaction: its statements, and what is written once at its end instead of once per task.
 *
 * W1. The pool's row (counters and money) is read at the start, changed in memory and written once, if it changed.
 *     A transaction that changes nothing writes nothing, so it wakes no other process.
 * W2. Events get their places in the order emitted and are inserted together.
 * W3. What runs do to their slots is added up and written once per slot; whoever reads or writes slots calls
 *     `flushSlots` first.
 */
import type { NewEvent, PoolEvent } from "../core/events.ts";
import type { SqlRow, SqlTx, SqlValue } from "../core/ports.ts";
import type { TaskState } from "../core/task.ts";
import { slotNumber } from "./rows.ts";

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
}

/** What the end of a run leaves on its slot. */
export interface SlotRelease {
  readonly taskId: string;
  readonly completed: boolean;
  readonly costMicrodollars: number;
  readonly sessionId: string | undefined;
  readonly cwd: string;
}

export interface Change {
  readonly sql: SqlTx;
  readonly nowMs: number;
  readonly pool: PoolRow;
  /** `taskSeq` is that of the event's task, if it has one. */
  emit(event: NewEvent, taskSeq?: number): void;
  releaseSlot(id: string, release: SlotRelease): void;
  occupySlot(id: string, taskId: string): void;
  flushSlots(): Promise<void>;
  /** Writes what was gathered; the events, now with their places. */
  finish(): Promise<readonly PoolEvent[]>;
}

export const poolQuery = "SELECT * FROM pool WHERE one = 1";

export async function beginChange(sql: SqlTx, nowMs: number): Promise<Change> {
  const [row] = await sql.all(poolQuery);
  const before = poolOf(row);
  const pool = { ...before };
  const events: PoolEvent[] = [];
  const eventRows: SqlValue[] = [];
  const slots = new Map<string, SlotDelta>();

  function slotDelta(id: string): SlotDelta {
    let delta = slots.get(id);
    if (delta === undefined) {
      delta = { left: undefined, task: undefined, completed: 0, cost: 0, sessionId: null, sessionCwd: null };
      slots.set(id, delta);
    }
    return delta;
  }
  const change: Change = {
    sql,
    nowMs,
    pool,
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
    releaseSlot(id, release) {
      const delta = slotDelta(id);
      if (delta.task === release.taskId) delta.task = undefined;
      else delta.left ??= release.taskId;
      delta.completed += release.completed ? 1 : 0;
      delta.cost += release.costMicrodollars;
      if (release.sessionId !== undefined) {
        delta.sessionId = release.sessionId;
        delta.sessionCwd = release.cwd;
      }
    },
    occupySlot(id, taskId) {
      slotDelta(id).task = taskId;
    },
    async flushSlots() {
      for (const [id, delta] of slots) {
        const params = slotParams(id, delta);
        const isExchange = delta.task !== undefined && delta.left !== undefined;
        if (isExchange && (await sql.run(slotExchange, params)) > 0) continue;
        await sql.run(slotUpdate, params);
      }
      slots.clear();
    },
    async finish() {
      await change.flushSlots();
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
] as const satisfies readonly (keyof PoolRow)[];

const poolUpdate = `UPDATE pool SET ${poolColumns.map((name) => `${name} = ?`).join(", ")} WHERE one = 1`;

interface SlotDelta {
  /** The task that the slot had when the transaction began and that has left it. */
  left: string | undefined;
  /** The task that has it now. */
  task: string | undefined;
  completed: number;
  cost: number;
  sessionId: string | null;
  sessionCwd: string | null;
}

// A slot that drains or is errored stays so; a run that lost its slot to a newer one does not clear that one's task.
const slotUpdate = `UPDATE slot SET
  state = CASE WHEN ?1 IS NOT NULL AND state = 'idle' THEN 'busy'
               WHEN ?1 IS NULL AND state = 'busy' AND current_task = ?2 THEN 'idle' ELSE state END,
  current_task = CASE WHEN ?1 IS NOT NULL THEN ?1 WHEN current_task = ?2 THEN NULL ELSE current_task END,
  tasks_completed = tasks_completed + ?3, cost = cost + ?4,
  session_id = COALESCE(?5, session_id), session_cwd = COALESCE(?6, session_cwd)
  WHERE number = ?7`;

// The usual case on a busy pool, a task after a task: without `state`, so that no index of it is touched.
const slotExchange = `UPDATE slot SET current_task = ?1, tasks_completed = tasks_completed + ?3, cost = cost + ?4,
  session_id = COALESCE(?5, session_id), session_cwd = COALESCE(?6, session_cwd)
  WHERE number = ?7 AND state <> 'idle' AND current_task = ?2`;

function slotParams(id: string, delta: SlotDelta): readonly SqlValue[] {
  const { task, left, completed, cost, sessionId, sessionCwd } = delta;
  return [task ?? null, left ?? null, completed, cost, sessionId, sessionCwd, slotNumber(id)];
}

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
