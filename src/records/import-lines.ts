/** The lines of an import, each checked for itself and all of them together (I1 of import.ts). */
import { checkChain } from "../core/chain.ts";
import type { PoolEvent } from "../core/events.ts";
import type { MergeRecord } from "../core/merge.ts";
import type { Skill } from "../core/skill.ts";
import { isTerminal, type RunRecord, type TaskRecord } from "../core/task.ts";
import { fromWire } from "../core/wire.ts";
import {
  type ChainLine,
  type ChainStepLine,
  checkLine,
  exportFormat,
  exportVersion,
  invalidLine,
  type PoolLine,
} from "./export-lines.ts";

export interface ImportedLines {
  readonly pool: PoolLine;
  readonly context: readonly { readonly key: string; readonly value: string }[];
  readonly skills: readonly Skill[];
  readonly tasks: readonly ImportedTask[];
  readonly runs: readonly RunRecord[];
  readonly merges: readonly MergeRecord[];
  readonly chains: readonly ChainLine[];
  readonly steps: readonly ChainStepLine[];
  readonly events: readonly PoolEvent[];
}

/** A task's line of before there were chains lacks two fields. */
export type ImportedTask = Omit<TaskRecord, "kind" | "retryCount"> & Partial<Pick<TaskRecord, "kind" | "retryCount">>;

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
    merge: [],
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
    merges: records.merge as MergeRecord[],
    chains: records.chain as ChainLine[],
    steps: records.chain_step as ChainStepLine[],
    events: records.event as PoolEvent[],
  };
  checkChains(parsed, number);
  checkMerges(parsed, number);
  checkPool(parsed, number);
  return parsed;
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
  if ((kind === "run" || kind === "merge") && !taken.has(`task ${String(record.taskId)}`)) {
    throw invalidLine(number, `is a ${kind} of a task that is not before it`);
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
  if (kind === "merge") return [`merge ${String(record.id)}`];
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

/** A task in review names the open merge that completes it, or none. */
function checkMerges({ tasks, merges }: ImportedLines, number: number): void {
  const open = new Map(merges.filter(isApproving).map((merge) => [merge.taskId, merge.id]));
  for (const task of tasks) {
    if (task.mergeId === open.get(task.id) && (task.mergeId === undefined || task.state === "pending_review")) continue;
    throw invalidLine(number, `ends an import that lacks the merge which task ${task.id} waits for`);
  }
}

function isApproving({ state, approves }: MergeRecord): boolean {
  return approves && (state === "queued" || state === "merging");
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
