/** What is only read. */
import { defined } from "../core/config.ts";
import type { PoolEvent } from "../core/events.ts";
import type { GovernorSettings } from "../core/governor.ts";
import type { Sql, SqlRow, SqlTx, SqlValue } from "../core/ports.ts";
import type { ListPage } from "../core/records.ts";
import type { PoolStatus, RunRecord, TaskFilter, TaskRecord, TaskState } from "../core/task.ts";
import { poolOf, poolQuery } from "./change.ts";
import { heldBackOf, withPoolHold } from "./governor.ts";
import { budgetOf } from "./money.ts";
import { waitsOf } from "./permissions.ts";
import { eventOfRow, runOf, selectTasks, taskOf } from "./rows.ts";

type Reader = Pick<Sql | SqlTx, "all">;

export async function getMany(sql: Reader, ids: readonly string[]): Promise<readonly TaskRecord[]> {
  const rows = await sql.all(manyQuery, [JSON.stringify(ids)]);
  return rows.map(taskOf);
}

const manyQuery = `${selectTasks("json_each(?) AS wanted CROSS JOIN task ON task.id = wanted.value")} ORDER BY wanted.key`;

/** The tasks as people see them: a pending one shows what holds the whole pool back, a running one whom it waits for. */
export async function shown(
  sql: Reader,
  tasks: readonly TaskRecord[],
  nowMs: number,
  governor: GovernorSettings,
): Promise<readonly TaskRecord[]> {
  const isHeld = tasks.some((task) => task.state === "pending" && task.hold === undefined);
  const running = tasks.filter((task) => task.state === "running");
  if (!isHeld && running.length === 0) return tasks;
  const pool = poolOf((await sql.all(poolQuery))[0]);
  const held = isHeld ? withPoolHold(tasks, pool, nowMs, governor) : tasks;
  if (pool.open_requests === 0 || running.length === 0) return held;
  const waits = await waitsOf(
    sql,
    running.map(({ id }) => id),
  );
  return held.map((task) => {
    const waitsFor = waits.get(task.id);
    return waitsFor === undefined ? task : { ...task, waitsFor };
  });
}

export async function settled(sql: Reader, ids: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
  const rows = await sql.all(
    `SELECT task.id, completed_at_ms IS NOT NULL OR (state = 'pending_review' AND merge_id IS NULL) AS over
      FROM json_each(?) AS wanted CROSS JOIN task ON task.id = wanted.value`,
    [JSON.stringify(ids)],
  );
  return new Map(rows.map((row) => [String(row.id), row.over === 1]));
}

export async function idsLike(sql: Reader, prefix: string, limit: number): Promise<readonly string[]> {
  // The greatest character there is: no id goes on with one above it.
  const rows = await sql.all("SELECT id FROM task WHERE id >= ? AND id < ? ORDER BY id LIMIT ? + 0", [
    prefix,
    `${prefix}\u{10ffff}`,
    limit,
  ]);
  return rows.map((row) => String(row.id));
}

export interface Page {
  readonly limit: number;
  readonly after?: number;
  readonly order?: "newest" | "oldest";
}

export async function listTasks(sql: Reader, filter: TaskFilter, page: Page): Promise<ListPage> {
  const { conditions, params } = conditionsOf(filter, page);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const direction = page.order === "oldest" ? "ASC" : "DESC";
  const rows = await sql.all(`${selectTasks(fromOf(filter))} ${where} ORDER BY task.seq ${direction} LIMIT ? + 0`, [
    ...params,
    page.limit + 1,
  ]);
  const tasks = rows.slice(0, page.limit).map(taskOf);
  return defined<ListPage>({ tasks, next: rows.length > page.limit ? tasks.at(-1)?.seq : undefined });
}

/** The states that few tasks of a long-lived pool are in have indexes of their own, which the planner would pass by. */
function fromOf({ state }: TaskFilter): string {
  const index = typeof state === "string" ? stateIndexes[state] : undefined;
  return index === undefined ? "task" : `task INDEXED BY ${index}`;
}

const stateIndexes: Partial<Record<TaskState, string>> = {
  running: "task_running",
  pending_review: "task_review",
  failed: "task_failed",
  cancelled: "task_cancelled",
};

const stateConditions: Readonly<Record<TaskState, string>> = {
  pending: "state = 'pending'",
  running: "state = 'running'",
  pending_review: "state = 'pending_review'",
  completed: "state = 'completed'",
  failed: "state = 'failed'",
  cancelled: "state = 'cancelled'",
};

function conditionsOf(
  filter: TaskFilter,
  page: Page,
): { readonly conditions: readonly string[]; readonly params: readonly SqlValue[] } {
  const conditions: string[] = [];
  const params: SqlValue[] = [];
  function add(condition: string, value: SqlValue): void {
    conditions.push(condition);
    params.push(value);
  }
  if (typeof filter.state === "string") {
    conditions.push(stateConditions[filter.state]); // written out, as a partial index wants it
  } else if (filter.state !== undefined) {
    add("state IN (SELECT value FROM json_each(?))", JSON.stringify(filter.state));
  }
  if (filter.kind !== undefined) add("kind IN (SELECT value FROM json_each(?))", JSON.stringify([filter.kind].flat()));
  if (filter.slotId !== undefined) add("slot_id = ?", filter.slotId);
  if (filter.tags !== undefined) {
    add(
      "task.seq IN (SELECT seq FROM task_tag WHERE tag IN (SELECT value FROM json_each(?)))",
      JSON.stringify(filter.tags),
    );
  }
  if (filter.sinceMs !== undefined) add("+created_at_ms >= ?", filter.sinceMs);
  if (filter.untilMs !== undefined) add("+created_at_ms <= ?", filter.untilMs);
  if (page.after !== undefined) add(page.order === "oldest" ? "task.seq > ?" : "task.seq < ?", page.after);
  return { conditions, params };
}

export async function runsOf(sql: Reader, taskId: string): Promise<readonly RunRecord[]> {
  const rows = await sql.all(
    "SELECT run.*, task.id AS task_id FROM task JOIN run ON run.task_seq = task.seq WHERE task.id = ? ORDER BY run.attempt",
    [taskId],
  );
  return rows.map(runOf);
}

/** Of a chain and its steps; the index leads to each of them, so that the rest of the log is not read. */
export const chainEventsQuery = `SELECT event.*, task.id AS task_id
  FROM event INDEXED BY event_of_task JOIN task ON task.seq = event.task_seq
  WHERE event.task_seq IN (
    SELECT seq FROM task WHERE id = ?1
    UNION ALL SELECT step.seq FROM task AS step INDEXED BY task_of_chain WHERE step.chain_seq = (SELECT seq FROM task WHERE id = ?1)
  ) AND event.seq > ?2 ORDER BY event.seq LIMIT ?3 + 0`;

/** Events after a cursor, oldest first; `taskId`: only those of this task, `withSteps`: and of the steps, if it is a chain. */
export async function eventsAfter(
  sql: Reader,
  after: number,
  limit: number,
  taskId?: string,
  withSteps = false,
): Promise<readonly PoolEvent[]> {
  if (taskId !== undefined && withSteps)
    return (await sql.all(chainEventsQuery, [taskId, after, limit])).map(eventOfRow);
  const rows =
    taskId === undefined
      ? await sql.all(
          `SELECT event.*, task.id AS task_id FROM event LEFT JOIN task ON task.seq = event.task_seq
            WHERE event.seq > ? ORDER BY event.seq LIMIT ? + 0`,
          [after, limit],
        )
      : await sql.all(
          `SELECT event.*, ?1 AS task_id FROM event INDEXED BY event_of_task
            WHERE task_seq = (SELECT seq FROM task WHERE id = ?1) AND event.seq > ?2 ORDER BY event.seq LIMIT ?3 + 0`,
          [taskId, after, limit],
        );
  return rows.map(eventOfRow);
}

export async function lastEventSeq(sql: Reader): Promise<number> {
  const [row] = await sql.all("SELECT event_seq FROM pool WHERE one = 1");
  return Number(row?.event_seq);
}

export async function statusOf(sql: Reader, nowMs: number, governor: GovernorSettings): Promise<PoolStatus> {
  const [row] = await sql.all(statusQuery);
  const pool = poolOf(row);
  const budget = budgetOf(pool, nowMs);
  const live = (await sql.all(liveSlotsQuery)) as readonly (SqlRow & { readonly state: string; readonly n: number })[];
  const slotsIn = (state: string): number => live.find((slots) => slots.state === state)?.n ?? 0;
  return defined<PoolStatus>({
    totalSlots: live.reduce((sum, slots) => sum + slots.n, 0),
    idleSlots: slotsIn("idle"),
    busySlots: slotsIn("busy"),
    erroredSlots: slotsIn("errored"),
    runningTasks: pool.running,
    pendingTasks: pool.pending,
    heldTasks: pool.held,
    pendingReviewTasks: pool.pending_review,
    openRequests: pool.open_requests,
    completedTasks: pool.completed,
    failedTasks: pool.failed,
    cancelledTasks: pool.cancelled,
    totalSpendMicrodollars: pool.total,
    budgetMicrodollars: budget.capMicrodollars,
    budgetSpentMicrodollars: budget.spentMicrodollars,
    reservedMicrodollars: pool.reserved,
    hosts: Number(row?.hosts),
    shutdown: pool.shutdown === 1,
    heldBack: heldBackOf(pool, nowMs, governor),
  });
}

// Rows that are over stay in their tables until they are pruned; only the partial indexes of live ones are read.
const statusQuery = poolQuery.replace(
  "SELECT *",
  "SELECT *, (SELECT COUNT(*) FROM host INDEXED BY host_live WHERE state <> 'ended') AS hosts",
);
const liveSlotsQuery =
  "SELECT state, COUNT(*) AS n FROM slot INDEXED BY slot_live WHERE state <> 'stopped' GROUP BY state";
