/** Chains come in, are resumed, and are cancelled; everything between is chain-advance.ts's. */
import { microdollars } from "../core/budget.ts";
import type { ChainSpec, StepRecord } from "../core/chain.ts";
import { defined } from "../core/config.ts";
import { PoolError, taskNotFound } from "../core/errors.ts";
import type { NewChain } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";
import { chainScope, followSteps, goOn } from "./chain-advance.ts";
import { specOfChain, stepsOf, writeStep } from "./chain-rows.ts";
import type { Change } from "./change.ts";
import { requestCancel } from "./request-cancel.ts";
import { selectTasks, taskOf } from "./rows.ts";
import { checkScopes, setScopeBudget } from "./scopes.ts";
import { checkOpen, insertTask } from "./submit.ts";
import { canonicalText, keyConflict } from "./task-key.ts";

/** All are checked before the first is written (C2), so that they are admitted together or not at all; no two have the same key. */
export async function submitChains(change: Change, chains: readonly NewChain[]): Promise<readonly TaskRecord[]> {
  const known = await Promise.all(chains.map(({ spec }) => knownChain(change, spec)));
  const taken = await Promise.all(chains.map((chain) => takenOver(change, chain)));
  const fresh = chains.filter((_, index) => known[index] === undefined);
  if (fresh.length > 0)
    checkOpen(
      change,
      fresh.map(({ spec }) => capOf(spec)),
    );
  for (const { spec } of fresh) await checkScopes(change, spec.tags, capOf(spec));
  const records: TaskRecord[] = [];
  for (const [index, chain] of chains.entries()) {
    records.push(known[index] ?? (await admitted(change, chain, taken[index] ?? new Map())));
  }
  return records;
}

async function admitted(change: Change, chain: NewChain, taken: ReadonlyMap<string, StepRecord>): Promise<TaskRecord> {
  const { spec } = chain;
  const record = await insertChain(change, chain);
  for (const [index, { name }] of spec.steps.entries()) {
    await writeStep(change, record.seq, index, taken.get(name) ?? waitingStep(name));
  }
  const cap = capOf(spec);
  if (cap !== undefined) await setScopeBudget(change, chainScope(record.id), cap);
  change.emit({ type: "chain.submitted", taskId: record.id, data: { steps: spec.steps.length } }, record.seq);
  await goOn(change, record.seq);
  return (await taskById(change, record.id)) ?? record;
}

function capOf({ maxBudgetUsd }: ChainSpec): number | undefined {
  return maxBudgetUsd === undefined ? undefined : microdollars(maxBudgetUsd);
}

/** What is pending is cancelled at once, what runs is asked to end, and the chain ends when nothing of it runs. */
export async function cancelChain(change: Change, chain: TaskRecord): Promise<TaskRecord> {
  await requestCancel(change, chain);
  const rows = await change.sql.all(
    `${selectTasks("task INDEXED BY task_of_chain")} WHERE task.chain_seq = ? AND state = 'running'`,
    [chain.seq],
  );
  for (const row of rows) await requestCancel(change, taskOf(row));
  await goOn(change, chain.seq);
  await followSteps(change);
  return (await taskById(change, chain.id)) ?? chain;
}

/** The chain of before with this key. @throws {PoolError} `key_conflict`. */
async function knownChain({ sql }: Change, spec: ChainSpec): Promise<TaskRecord | undefined> {
  if (spec.key === undefined) return undefined;
  const [row] = await sql.all(`${selectTasks()} WHERE key = ?`, [spec.key]);
  if (row === undefined) return undefined;
  const record = taskOf(row);
  const before = await specOfChain(sql, record.id);
  if (before === undefined || asWritten(before) !== asWritten(spec)) throw keyConflict(spec.key, record.id);
  return record;
}

/** A spec without what the skills were at the time. */
function asWritten({ steps, ...rest }: ChainSpec): string {
  return canonicalText({ ...rest, steps: steps.map(({ resolvedSkill: _skill, ...step }) => step) });
}

/** The steps that are not run again, as they ended; what they cost belongs to the chain that ran them. */
async function takenOver({ sql }: Change, { resumedFrom }: NewChain): Promise<ReadonlyMap<string, StepRecord>> {
  if (resumedFrom === undefined) return new Map();
  const [row] = await sql.all("SELECT seq FROM task WHERE id = ? AND kind = 'chain'", [resumedFrom.chainId]);
  if (row === undefined) throw taskNotFound(resumedFrom.chainId);
  const steps = await stepsOf(sql, Number(row.seq));
  const taken = steps.filter((step) => resumedFrom.steps.includes(step.name));
  if (taken.length !== resumedFrom.steps.length) {
    throw new PoolError("invalid_options", `Chain ${resumedFrom.chainId} has not all of these steps.`, resumedFrom);
  }
  return new Map(taken.map((step) => [step.name, { ...step, costMicrodollars: 0 }]));
}

async function insertChain(
  change: Change,
  { id, spec, originHost, resumedFrom, trace }: NewChain,
): Promise<TaskRecord> {
  const { pool, nowMs } = change;
  pool.task_seq += 1;
  pool.chains_running += 1;
  const names = spec.steps.map((step) => step.name).join(", ");
  const record = defined<TaskRecord>({
    id,
    seq: pool.task_seq,
    prompt: `${spec.name ?? "Chain"} (${String(spec.steps.length)} steps): ${names.slice(0, 500)}`,
    state: "running",
    priority: spec.priority ?? 0,
    tags: spec.tags ?? [],
    config: spec.maxBudgetUsd === undefined ? undefined : { maxBudgetUsd: spec.maxBudgetUsd },
    cwd: spec.cwd,
    key: spec.key,
    reviewRequired: false,
    maxRejections: 1,
    rejectionCount: 0,
    originHost,
    attempt: 0,
    lostRuns: 0,
    kind: "chain",
    workspace: resumedFrom?.workspace,
    retryCount: 0,
    trace,
    createdAtMs: nowMs,
    startedAtMs: nowMs,
  });
  await insertTask(change, record);
  await change.sql.run("INSERT INTO chain (seq, spec, resumed_from) VALUES (?, ?, ?)", [
    record.seq,
    JSON.stringify(spec),
    resumedFrom?.chainId ?? null,
  ]);
  return record;
}

function waitingStep(name: string): StepRecord {
  return { name, state: "waiting", costMicrodollars: 0, retriesUsed: 0 };
}

async function taskById({ sql }: Change, id: string): Promise<TaskRecord | undefined> {
  const [row] = await sql.all(`${selectTasks()} WHERE task.id = ?`, [id]);
  return row && taskOf(row);
}
