/**
 * Every record as one JSON object a line, in wire names, with what it is as `record`; the first line says format and version.
 *
 * X1. What is written while an export runs may be in it or not, but a task is never in it half: its row and its runs are
 *     read in one transaction.
 * X2. The pool's line is the last: it covers the money of every run before it, and an export cut short lacks it.
 */
import type { Sql, SqlTx } from "../core/ports.ts";
import type { MergeRecord } from "../core/merge.ts";
import type { ListPage } from "../core/records.ts";
import type { RunRecord, TaskRecord } from "../core/task.ts";
import { toWire } from "../core/wire.ts";
import { poolOf, poolQuery } from "./change.ts";
import { contextOf } from "./context.ts";
import { specOfChain, stepsOf } from "./chain-rows.ts";
import { type ChainLine, exportFormat, exportVersion, type PoolLine } from "./export-lines.ts";
import { mergesOfTasks } from "./merges.ts";
import { eventsAfter, listTasks } from "./query.ts";
import { scopeBudgets } from "./scopes.ts";
import { hostOf, runOf, slotOf } from "./rows.ts";
import { runtimeSkills } from "./skills.ts";
import { defined } from "../core/config.ts";

const readAtOnce = 200;

export async function* exportLines(sql: Sql): AsyncGenerator<string, void, undefined> {
  yield JSON.stringify({ format: exportFormat, version: exportVersion });
  for (const [key, value] of await contextOf(sql)) yield line("context", { key, value });
  for (const skill of await runtimeSkills(sql)) yield line("skill", skill);
  for (const row of await sql.all("SELECT * FROM host ORDER BY started_at_ms, id")) yield line("host", hostOf(row));
  for (const row of await sql.all("SELECT * FROM slot ORDER BY number")) yield line("slot", slotOf(row));
  yield* taskLines(sql);
  yield* eventLines(sql);
  yield line("pool", await poolLine(sql));
}

async function* taskLines(sql: Sql): AsyncGenerator<string, void, undefined> {
  let after = 0;
  for (;;) {
    const { tasks, next, runs, merges, chains } = await sql.tx((tx) => taskPage(tx, after)); // X1
    const runsOf = Map.groupBy(runs, (run) => run.taskId);
    const mergesOf = Map.groupBy(merges, (merge) => merge.taskId);
    for (const task of tasks) {
      yield line("task", task);
      for (const run of runsOf.get(task.id) ?? []) yield line("run", run);
      for (const merge of mergesOf.get(task.id) ?? []) yield line("merge", merge);
      for (const [kind, record] of chains.get(task.id) ?? []) yield line(kind, record);
    }
    if (next === undefined) return;
    after = next;
  }
}

interface TaskPage extends ListPage {
  readonly runs: readonly RunRecord[];
  readonly merges: readonly MergeRecord[];
  /** Of each chain of the page: its line and those of its steps. */
  readonly chains: ReadonlyMap<string, readonly (readonly [string, object])[]>;
}

async function taskPage(tx: SqlTx, after: number): Promise<TaskPage> {
  const page = await listTasks(tx, {}, { limit: readAtOnce, after, order: "oldest" });
  const seqs = page.tasks.map((task) => task.seq);
  const rows = await tx.all(
    `SELECT run.*, task.id AS task_id FROM run JOIN task ON task.seq = run.task_seq
      WHERE run.task_seq IN (SELECT value FROM json_each(?)) ORDER BY run.task_seq, run.attempt`,
    [JSON.stringify(seqs)],
  );
  const chains = new Map<string, readonly (readonly [string, object])[]>();
  for (const task of page.tasks) if (task.kind === "chain") chains.set(task.id, await chainLines(tx, task));
  return { ...page, runs: rows.map(runOf), merges: await mergesOfTasks(tx, seqs), chains };
}

/** A chain's steps are read with it; the import brings the two to one state where a step moved on meanwhile. */
async function chainLines(tx: SqlTx, task: TaskRecord): Promise<readonly (readonly [string, object])[]> {
  const [row] = await tx.all("SELECT resumed_from FROM chain WHERE seq = ?", [task.seq]);
  const spec = await specOfChain(tx, task.id);
  if (row === undefined || spec === undefined) throw new Error(`chain ${task.id} has no spec`);
  const chain: ChainLine = {
    chainId: task.id,
    spec,
    ...(row.resumed_from === null ? {} : { resumedFrom: String(row.resumed_from) }),
  };
  const steps = await stepsOf(tx, task.seq);
  return [
    ["chain", chain] as const,
    ...steps.map((step, index): readonly [string, object] => [
      "chain_step",
      { chainId: task.id, step: index, ...step },
    ]),
  ];
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
  const scopes = (await scopeBudgets(sql))
    .filter(({ scope }) => !scope.startsWith("chain:"))
    .map(({ reservedMicrodollars: _reserved, ...rest }) => rest);
  return defined<PoolLine>({
    capMicrodollars: pool.cap ?? undefined,
    spentMicrodollars: pool.spent,
    totalMicrodollars: pool.total,
    finishedRuns: pool.finished_runs,
    sinceMs: pool.since_ms,
    renews: pool.renews,
    lastTaskSeq: pool.task_seq,
    lastSlotNumber: pool.slot_number,
    scopeBudgets: scopes.length === 0 ? undefined : scopes,
  });
}

function line(kind: string, record: object): string {
  return JSON.stringify({ record: kind, ...(toWire(record) as object) });
}
