/**
 * Every record as one JSON object a line, in wire names, with what it is as `record`; the first line says format and version.
 *
 * X1. What is written while an export runs may be in it or not, but a task is never in it half: its row and its runs are
 *     read in one transaction.
 * X2. The pool's line is the last: it covers the money of every run before it, and an export cut short lacks it.
 */
import type { Sql, SqlTx } from "../core/ports.ts";
import type { ListPage } from "../core/records.ts";
import type { RunRecord } from "../core/task.ts";
import { toWire } from "../core/wire.ts";
import { poolOf, poolQuery } from "./change.ts";
import { contextOf } from "./context.ts";
import { exportFormat, exportVersion, type PoolLine } from "./export-lines.ts";
import { eventsAfter, listTasks } from "./query.ts";
import { hostOf, runOf, slotOf } from "./rows.ts";
import { defined } from "../core/config.ts";

const readAtOnce = 200;

export async function* exportLines(sql: Sql): AsyncGenerator<string, void, undefined> {
  yield JSON.stringify({ format: exportFormat, version: exportVersion });
  for (const [key, value] of await contextOf(sql)) yield line("context", { key, value });
  for (const row of await sql.all("SELECT * FROM host ORDER BY started_at_ms, id")) yield line("host", hostOf(row));
  for (const row of await sql.all("SELECT * FROM slot ORDER BY number")) yield line("slot", slotOf(row));
  yield* taskLines(sql);
  yield* eventLines(sql);
  yield line("pool", await poolLine(sql));
}

async function* taskLines(sql: Sql): AsyncGenerator<string, void, undefined> {
  let after = 0;
  for (;;) {
    const { tasks, next, runs } = await sql.tx((tx) => taskPage(tx, after)); // X1
    const runsOf = Map.groupBy(runs, (run) => run.taskId);
    for (const task of tasks) {
      yield line("task", task);
      for (const run of runsOf.get(task.id) ?? []) yield line("run", run);
    }
    if (next === undefined) return;
    after = next;
  }
}

async function taskPage(tx: SqlTx, after: number): Promise<ListPage & { readonly runs: readonly RunRecord[] }> {
  const page = await listTasks(tx, {}, { limit: readAtOnce, after, order: "oldest" });
  const rows = await tx.all(
    `SELECT run.*, task.id AS task_id FROM run JOIN task ON task.seq = run.task_seq
      WHERE run.task_seq IN (SELECT value FROM json_each(?)) ORDER BY run.task_seq, run.attempt`,
    [JSON.stringify(page.tasks.map((task) => task.seq))],
  );
  return { ...page, runs: rows.map(runOf) };
}

async function* eventLines(sql: Sql): AsyncGenerator<string, void, undefined> {
  let after = 0;
  for (;;) {
    const events = await eventsAfter(sql, after, readAtOnce);
    for (const event of events) yield line("event", event);
    const last = events.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

async function poolLine(sql: Sql): Promise<PoolLine> {
  const pool = poolOf((await sql.all(poolQuery))[0]);
  return defined<PoolLine>({
    capMicrodollars: pool.cap ?? undefined,
    spentMicrodollars: pool.spent,
    totalMicrodollars: pool.total,
    finishedRuns: pool.finished_runs,
    sinceMs: pool.since_ms,
    renews: pool.renews,
    lastTaskSeq: pool.task_seq,
    lastSlotNumber: pool.slot_number,
  });
}

function line(kind: string, record: object): string {
  return JSON.stringify({ record: kind, ...(toWire(record) as object) });
}
