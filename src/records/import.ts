/**
 * An export read into an empty pool, all of it or nothing.
 *
 * I1. Every line is checked for itself, then all of them together, before anything is written.
 * I2. Hosts and slots of then are processes of then: they are checked and left out; their numbers are not used again.
 * I3. A run that was open when the export was written is closed as lost at its reservation or the estimate, whichever is
 *     more (unknown cost is never zero), and its task is pending.
 * I4. A chain goes on from what its steps' tasks have become: they may have been read a little later than it was.
 */
import { microdollars } from "../core/budget.ts";
import { checkChain } from "../core/chain.ts";
import type { PoolEvent } from "../core/events.ts";
import { PoolError } from "../core/errors.ts";
import type { Skill } from "../core/skill.ts";
import { isTerminal, type RunRecord, type TaskRecord } from "../core/task.ts";
import { fromWire } from "../core/wire.ts";
import { type Change, count } from "./change.ts";
import { setContext } from "./context.ts";
import { chainScope } from "./chain-advance.ts";
import { writeStep } from "./chain-rows.ts";
import {
  type ChainLine,
  type ChainStepLine,
  checkLine,
  exportFormat,
  exportVersion,
  invalidLine,
  type PoolLine,
} from "./export-lines.ts";
import { estimateOf } from "./money.ts";
import { column, jsonColumn } from "./rows.ts";
import { setScopeBudget } from "./scopes.ts";
import { putSkill } from "./skills.ts";
import { insertTask } from "./submit.ts";

export interface ImportedLines {
  readonly pool: PoolLine;
  readonly context: readonly { readonly key: string; readonly value: string }[];
  readonly skills: readonly Skill[];
  readonly tasks: readonly ImportedTask[];
  readonly runs: readonly RunRecord[];
  readonly chains: readonly ChainLine[];
  readonly steps: readonly ChainStepLine[];
  readonly events: readonly PoolEvent[];
}

/** A task's line of before there were chains lacks two fields. */
type ImportedTask = Omit<TaskRecord, "kind" | "retryCount"> & Partial<Pick<TaskRecord, "kind" | "retryCount">>;

/** @throws {PoolError} `invalid_import`, naming the line. */
export async function parseLines(lines: AsyncIterable<string>): Promise<ImportedLines> {
  const records: Record<string, unknown[]> = {
    pool: [],
    context: [],
    skill: [],
    host: [],
    slot: [],
    task: [],
    run: [],
    chain: [],
    chain_step: [],
    event: [],
  };
  const names = new Set<string>();
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const json = parseJson(line, number);
    if (number === 1) {
      checkHeader(json);
      continue;
    }
    const { record: kind, ...fields } = json;
    const record = fromWire(fields) as Readonly<Record<string, unknown>>;
    checkLine(String(kind), record, number);
    checkPlace(String(kind), record, number, records.pool?.[0] !== undefined, names);
    records[String(kind)]?.push(record);
  }
  const [pool] = records.pool as PoolLine[];
  if (pool === undefined)
    throw invalidLine(number + 1, "is missing: the pool's line, the last of every export, is not there");
  const parsed = {
    pool,
    context: records.context as ImportedLines["context"],
    skills: records.skill as Skill[],
    tasks: records.task as ImportedTask[],
    runs: records.run as RunRecord[],
    chains: records.chain as ChainLine[],
    steps: records.chain_step as ChainStepLine[],
    events: records.event as PoolEvent[],
  };
  checkChains(parsed, number);
  checkPool(parsed, number);
  return parsed;
}

export async function importAll(
  change: Change,
  lines: ImportedLines,
): Promise<{ readonly tasks: number; readonly runs: number }> {
  const { pool } = change;
  if (pool.task_seq > 0) {
    throw new PoolError(
      "invalid_import",
      "This pool has, or had, tasks of its own; an import needs an empty one. Name another store with `--store`.",
    );
  }
  takeMoney(change, lines.pool);
  for (const { key, value } of lines.context) await setContext(change, key, value);
  for (const skill of lines.skills) await putSkill(change, skill);
  const seqs = new Map(lines.tasks.map((task) => [task.id, task.seq]));
  for (const task of lines.tasks) await importTask(change, task, seqs);
  for (const run of lines.runs) await importRun(change, run, seqs.get(run.taskId) ?? 0);
  await importChains(change, lines, seqs);
  for (const { seq: _seq, atMs, ...event } of lines.events) await importEvent(change, event, atMs, seqs);
  return { tasks: lines.tasks.length, runs: lines.runs.length };
}

function takeMoney({ pool }: Change, from: PoolLine): void {
  pool.cap = from.capMicrodollars ?? null;
  pool.spent = from.spentMicrodollars;
  pool.total = from.totalMicrodollars;
  pool.finished_runs = from.finishedRuns;
  pool.since_ms = from.sinceMs;
  pool.renews = from.renews;
  pool.task_seq = from.lastTaskSeq;
  pool.slot_number = Math.max(pool.slot_number, from.lastSlotNumber);
}

async function importTask(change: Change, task: ImportedTask, seqs: ReadonlyMap<string, number>): Promise<void> {
  const { cancelRequestedAtMs: _request, ...rest } = task;
  const isOpenRun = task.state === "running" && task.kind !== "chain";
  const given = isOpenRun ? { ...rest, state: "pending" as const } : task; // I3
  const imported: TaskRecord = { kind: "task", retryCount: 0, ...given };
  const chainSeq = task.chainId === undefined ? undefined : seqs.get(task.chainId);
  await insertTask(change, imported, chainSeq);
  if (imported.kind === "chain") {
    if (imported.state === "running") change.pool.chains_running += 1;
    return;
  }
  if (chainSeq !== undefined && task.step !== undefined) change.moved(chainSeq, task.step); // I4
  count(change.pool, undefined, imported.state);
  if (imported.state === "pending" && imported.hold !== undefined) change.pool.held += 1;
}

async function importChains(change: Change, lines: ImportedLines, seqs: ReadonlyMap<string, number>): Promise<void> {
  const running = new Set(lines.tasks.filter((task) => task.state === "running").map((task) => task.id));
  for (const { chainId, spec, resumedFrom } of lines.chains) {
    const seq = seqs.get(chainId) ?? 0;
    await change.sql.run("INSERT INTO chain (seq, spec, resumed_from) VALUES (?, ?, ?)", [
      seq,
      JSON.stringify(spec),
      column(resumedFrom),
    ]);
    const cap = spec.maxBudgetUsd;
    if (!running.has(chainId)) continue;
    if (cap !== undefined) {
      await setScopeBudget(change, chainScope(chainId), microdollars(cap));
      await change.sql.run(
        `UPDATE scope_budget SET spent = (SELECT COALESCE(SUM(run.cost), 0)
          FROM task INDEXED BY task_of_chain JOIN run ON run.task_seq = task.seq WHERE chain_seq = ?) WHERE scope = ?`,
        [seq, chainScope(chainId)],
      );
    }
    change.moved(seq, 0); // I4
  }
  for (const { chainId, step, ...record } of lines.steps) await writeStep(change, seqs.get(chainId) ?? 0, step, record);
}

async function importRun(change: Change, run: RunRecord, taskSeq: number): Promise<void> {
  const { pool, nowMs } = change;
  const wasOpen = run.endedAtMs === undefined;
  const cost = wasOpen ? Math.max(run.reservedMicrodollars, estimateOf(pool)) : run.costMicrodollars; // I3
  await change.sql.run(
    `INSERT INTO run (task_seq, attempt, run_id, host_id, slot_id, started_at_ms, ended_at_ms, outcome, reason, reserved, cost,
      cost_estimated, turns_used, model, session_id, usage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      taskSeq,
      run.attempt,
      run.runId,
      run.hostId,
      run.slotId,
      run.startedAtMs,
      run.endedAtMs ?? nowMs,
      wasOpen ? "lost" : column(run.outcome),
      wasOpen ? "lost" : column(run.reason),
      run.reservedMicrodollars,
      cost,
      wasOpen || run.costEstimated ? 1 : 0,
      run.turnsUsed,
      column(run.model),
      column(run.sessionId),
      jsonColumn(run.usage),
    ],
  );
  if (!wasOpen) return;
  pool.spent += cost;
  pool.total += cost;
  pool.finished_runs += 1;
}

/** Events go behind those that this pool has already; their order stays, their places change. */
async function importEvent(
  change: Change,
  event: Omit<PoolEvent, "seq" | "atMs">,
  atMs: number,
  seqs: ReadonlyMap<string, number>,
): Promise<void> {
  const taskSeq = event.taskId === undefined ? null : seqs.get(event.taskId);
  if (taskSeq === undefined) return; // of a task that was submitted after the export had come by its place
  change.pool.event_seq += 1;
  await change.sql.run("INSERT INTO event (seq, at_ms, task_seq, type, slot_id, data) VALUES (?, ?, ?, ?, ?, ?)", [
    change.pool.event_seq,
    atMs,
    taskSeq,
    event.type,
    column(event.slotId),
    JSON.stringify(event.data),
  ]);
}

function parseJson(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below, with its line; what JSON.parse says of it adds nothing.
  }
  throw invalidLine(number, "is no JSON object");
}

function checkHeader(header: Readonly<Record<string, unknown>>): void {
  if (header.format !== exportFormat) throw invalidLine(1, `must say "format": "${exportFormat}"`);
  if (header.version !== exportVersion)
    throw invalidLine(1, `has a version other than ${String(exportVersion)}, the one that is known here`);
}

/** What can be wrong between one line and those before it, whose names are `taken`. */
function checkPlace(
  kind: string,
  record: Readonly<Record<string, unknown>>,
  number: number,
  isOver: boolean,
  taken: Set<string>,
): void {
  if (isOver) throw invalidLine(number, "comes after the pool's, which is the last");
  for (const name of namesOf(kind, record)) {
    if (taken.has(name)) throw invalidLine(number, `repeats ${name}`);
    taken.add(name);
  }
  if (kind === "task") checkTask(record as unknown as TaskRecord, number);
  if (kind === "run" && !taken.has(`task ${String(record.taskId)}`)) {
    throw invalidLine(number, "is a run of a task that is not before it");
  }
  if (kind === "chain" && !taken.has(`task ${String(record.chainId)}`)) {
    throw invalidLine(number, "is a chain whose task is not before it");
  }
  if (kind === "chain_step" && !taken.has(`chain ${String(record.chainId)}`)) {
    throw invalidLine(number, "is a step of a chain that is not before it");
  }
}

function namesOf(kind: string, record: Readonly<Record<string, unknown>>): readonly string[] {
  if (kind === "task") {
    const key = record.key === undefined ? [] : [`key ${JSON.stringify(record.key)}`];
    return [`task ${String(record.id)}`, `seq ${String(record.seq)}`, ...key];
  }
  if (kind === "run")
    return [`run ${String(record.runId)}`, `attempt ${String(record.attempt)} of ${String(record.taskId)}`];
  if (kind === "chain") return [`chain ${String(record.chainId)}`];
  if (kind === "chain_step") return [`step ${String(record.step)} of ${String(record.chainId)}`];
  if (kind === "skill") return [`skill ${String(record.name)}`];
  return kind === "context" ? [`context key ${JSON.stringify(record.key)}`] : [];
}

function checkTask(task: TaskRecord, number: number): void {
  if (isTerminal(task.state) !== (task.completedAtMs !== undefined)) {
    throw invalidLine(number, "must have completed_at_ms if, and only if, the task has ended");
  }
  if (task.hold !== undefined && task.state !== "pending")
    throw invalidLine(number, "holds a task that is not pending");
}

/** Every chain has its spec, one that could run, and a line for each of its steps. */
function checkChains({ chains, steps, tasks }: ImportedLines, number: number): void {
  const specs = new Map(chains.map((chain) => [chain.chainId, chain.spec]));
  for (const task of tasks) {
    if (task.chainId !== undefined && !specs.has(task.chainId)) {
      throw invalidLine(number, `ends an import that lacks chain ${task.chainId} of task ${task.id}`);
    }
    if (task.kind === "chain" && !specs.has(task.id))
      throw invalidLine(number, `ends an import that lacks chain ${task.id}`);
  }
  for (const [id, spec] of specs) {
    const names = steps.filter((step) => step.chainId === id).sort((a, b) => a.step - b.step);
    try {
      checkChain(spec.steps);
    } catch (error) {
      throw invalidLine(number, `ends an import whose chain ${id} could not run: ${(error as Error).message}`);
    }
    if (names.map((step) => step.name).join() !== spec.steps.map((step) => step.name).join()) {
      throw invalidLine(number, `ends an import that lacks steps of chain ${id}`);
    }
  }
}

/** Pruned runs leave money and counts behind, never the other way round. */
function checkPool({ pool, runs, tasks }: ImportedLines, number: number): void {
  if (tasks.some((task) => task.seq > pool.lastTaskSeq))
    throw invalidLine(number, "has a last_task_seq below that of a task");
  const ended = runs.filter((run) => run.endedAtMs !== undefined);
  const cost = ended.reduce((sum, run) => sum + run.costMicrodollars, 0);
  if (
    cost > pool.totalMicrodollars ||
    ended.length > pool.finishedRuns ||
    pool.spentMicrodollars > pool.totalMicrodollars
  ) {
    throw invalidLine(number, "ends an import whose runs cost more than its pool says was spent");
  }
}
