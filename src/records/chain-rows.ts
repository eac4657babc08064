/** The rows of chains and of their steps. */
import type { ChainSpec, StepRecord, StepState } from "../core/chain.ts";
import { defined } from "../core/config.ts";
import type { Sql, SqlRow, SqlTx } from "../core/ports.ts";
import type { Change } from "./change.ts";
import { column, jsonColumn } from "./rows.ts";

type Reader = Pick<Sql | SqlTx, "all">;

/** A chain's spec never changes, and one of a thousand steps is wanted a thousand times; ids are never used twice. */
const specs = new Map<string, ChainSpec>();
const specsKept = 32;

/** @returns undefined for a task that is no chain. */
export async function specOfChain(sql: Reader, chainId: string): Promise<ChainSpec | undefined> {
  const known = specs.get(chainId);
  if (known !== undefined) return known;
  const [row] = await sql.all(
    "SELECT chain.spec FROM task JOIN chain ON chain.seq = task.seq WHERE task.id = ? AND kind = 'chain'",
    [chainId],
  );
  if (row === undefined) return undefined;
  const spec = JSON.parse(String(row.spec)) as ChainSpec;
  const [oldest] = specs.keys();
  if (specs.size >= specsKept && oldest !== undefined) specs.delete(oldest);
  specs.set(chainId, spec);
  return spec;
}

export async function chainSeqOf(sql: Reader, chainId: string): Promise<number | undefined> {
  const [row] = await sql.all("SELECT seq FROM task WHERE id = ? AND kind = 'chain'", [chainId]);
  return row === undefined ? undefined : Number(row.seq);
}

/** Every step of a chain in order, without what it answered. */
export async function stepStatesOf(sql: Reader, chainSeq: number): Promise<readonly StepRecord[]> {
  const rows = await sql.all(`SELECT ${lightColumns} FROM chain_step WHERE chain_seq = ? ORDER BY step`, [chainSeq]);
  return rows.map(stepOf);
}

export async function stepAt(sql: Reader, chainSeq: number, index: number): Promise<StepRecord | undefined> {
  const [row] = await sql.all(`SELECT ${lightColumns} FROM chain_step WHERE chain_seq = ? AND step = ?`, [
    chainSeq,
    index,
  ]);
  return row && stepOf(row);
}

/** {@link stepStatesOf}, with the answers of these steps. */
export async function withOutputs(
  sql: Reader,
  chainSeq: number,
  steps: readonly StepRecord[],
  wanted: readonly number[],
): Promise<readonly StepRecord[]> {
  if (wanted.length === 0) return steps;
  const rows = await sql.all(
    `SELECT * FROM chain_step WHERE chain_seq = ? AND step IN (SELECT value FROM json_each(?))`,
    [chainSeq, JSON.stringify(wanted)],
  );
  const full = new Map(rows.map((row) => [Number(row.step), stepOf(row)]));
  return steps.map((step, index) => full.get(index) ?? step);
}

/** Every step of a chain in order, with its answer. */
export async function stepsOf(sql: Reader, chainSeq: number): Promise<readonly StepRecord[]> {
  return (await sql.all("SELECT * FROM chain_step WHERE chain_seq = ? ORDER BY step", [chainSeq])).map(stepOf);
}

const lightColumns =
  "name, state, task_id, error, cost, retries_used, recovered, started_at_ms, completed_at_ms, NULL AS output, NULL AS vars";

/** Writes a step's row, in place of the one that is there. */
export async function writeStep({ sql }: Change, chainSeq: number, index: number, step: StepRecord): Promise<void> {
  await sql.run(stepWrite, [
    chainSeq,
    index,
    step.name,
    step.state,
    column(step.taskId),
    column(step.output),
    jsonColumn(step.vars),
    column(step.error),
    step.costMicrodollars,
    step.retriesUsed,
    step.recovered === true ? 1 : 0,
    column(step.startedAtMs),
    column(step.completedAtMs),
  ]);
}

const stepWrite = `INSERT OR REPLACE INTO chain_step (chain_seq, step, name, state, task_id, output, vars, error, cost, retries_used,
  recovered, started_at_ms, completed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function stepOf(row: SqlRow): StepRecord {
  return defined<StepRecord>({
    name: String(row.name),
    state: row.state as StepState,
    taskId: row.task_id === null ? undefined : String(row.task_id),
    output: row.output === null ? undefined : String(row.output),
    vars: row.vars === null ? undefined : (JSON.parse(String(row.vars)) as Readonly<Record<string, string>>),
    error: row.error === null ? undefined : String(row.error),
    costMicrodollars: Number(row.cost),
    retriesUsed: Number(row.retries_used),
    recovered: row.recovered === 1 ? true : undefined,
    startedAtMs: row.started_at_ms === null ? undefined : Number(row.started_at_ms),
    completedAtMs: row.completed_at_ms === null ? undefined : Number(row.completed_at_ms),
  });
}
