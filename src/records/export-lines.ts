/** The lines of an export and the check of each; docs and other programs may rely on them. */
import { stepStates, type ChainSpec, type StepRecord } from "../core/chain.ts";
import type { ScopeBudget } from "../core/budget.ts";
import { PoolError } from "../core/errors.ts";
import { mergeMethods, mergeStates } from "../core/merge.ts";
import { endReasons } from "../core/outcome.ts";
import { skillName, skillScopes } from "../core/skill.ts";
import { hostKinds, holdReasons, slotStates, taskStates } from "../core/task.ts";
import { traceContextOf, type TraceContext } from "../core/trace-context.ts";

export const exportFormat = "claude-pool";
export const exportVersion = 1;

/** A chain, beside its task's line. */
export interface ChainLine {
  readonly chainId: string;
  readonly spec: ChainSpec;
  readonly resumedFrom?: string;
}

/** A step of a chain whose line is before it. */
export interface ChainStepLine extends StepRecord {
  readonly chainId: string;
  readonly step: number;
}

/** What the pool's row is worth beyond this store. */
export interface PoolLine {
  readonly capMicrodollars?: number;
  readonly spentMicrodollars: number;
  readonly totalMicrodollars: number;
  readonly finishedRuns: number;
  readonly sinceMs: number;
  readonly renews: "none" | "day" | "week";
  readonly lastTaskSeq: number;
  readonly lastSlotNumber: number;
  /** Budgets of tags and of the day; those of chains are made with their chains. */
  readonly scopeBudgets?: readonly Omit<ScopeBudget, "reservedMicrodollars">[];
}

/** What a field must be, in words, or undefined if it is that. */
type Check = (value: unknown) => string | undefined;
type Shape = Readonly<Record<string, Check>>;

/** @throws {PoolError} `invalid_import`. */
export function checkLine(kind: string, record: Readonly<Record<string, unknown>>, number: number): void {
  const shape = shapes[kind];
  if (shape === undefined) throw invalidLine(number, `is an unknown record ${JSON.stringify(kind)}`);
  const problem = fields(shape)(record);
  if (problem !== undefined) throw invalidLine(number, problem);
}

/** The error of a line of an import; lines count from 1. */
export function invalidLine(number: number, problem: string): PoolError {
  return new PoolError(
    "invalid_import",
    `Line ${String(number)} of the import ${problem}. Nothing was kept; \`claude-pool export\` writes the format.`,
    { line: number },
  );
}

function text(value: unknown): string | undefined {
  if (typeof value !== "string") return "must be a string";
  return value.isWellFormed() ? undefined : "must not have lone surrogates";
}

function whole(value: unknown): string | undefined {
  return Number.isSafeInteger(value) ? undefined : "must be a whole number";
}

function count(value: unknown): string | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : "must be a whole number of at least 0";
}

function positive(value: unknown): string | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? undefined : "must be a whole number of at least 1";
}

function flag(value: unknown): string | undefined {
  return typeof value === "boolean" ? undefined : "must be true or false";
}

function record(value: unknown): string | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "must be an object";
}

function oneOf(list: readonly string[]): Check {
  return (value) => (list.includes(value as string) ? undefined : `must be one of ${list.join(", ")}`);
}

function optional(check: Check): Check {
  return (value) => (value === undefined ? undefined : check(value));
}

function texts(value: unknown): string | undefined {
  return Array.isArray(value) && value.every((item) => text(item) === undefined)
    ? undefined
    : "must be a list of strings";
}

function listOf(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return "must be a list";
    return value.map(check).find((problem) => problem !== undefined);
  };
}

function conversation(value: unknown): string | undefined {
  if (value === "fresh" || value === "continue") return undefined;
  return fields({ taskId: text })(value) === undefined ? undefined : "must be fresh, continue or {task_id}";
}

/** As it is stored: what is made of a request's headers, and read again by whoever runs the task. */
function traceContext(value: unknown): string | undefined {
  const problem = fields({ traceparent: text, tracestate: optional(text) })(value);
  if (problem !== undefined) return problem;
  const { traceparent, tracestate } = value as TraceContext;
  const valid = traceContextOf(traceparent, tracestate);
  const isSame = valid?.traceparent === traceparent && valid.tracestate === tracestate;
  return isSame ? undefined : "must be a W3C trace context";
}

/** An object of exactly these fields. */
function fields(shape: Shape): Check {
  return (value) => {
    const problem = record(value);
    if (problem !== undefined) return problem;
    const given = value as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(given).find((name) => shape[name] === undefined);
    if (unknown !== undefined) return `has the unknown field ${JSON.stringify(unknown)}`;
    for (const [name, check] of Object.entries(shape)) {
      const wrong = check(given[name]);
      if (wrong !== undefined) return `has a bad field ${JSON.stringify(name)}: it ${wrong}`;
    }
    return undefined;
  };
}

const identity = fields({ pid: positive, startTime: text, marker: text });
const usage = fields({
  inputTokens: count,
  outputTokens: count,
  cacheReadInputTokens: count,
  cacheCreationInputTokens: count,
});
const scopeBudget = fields({ scope: text, capMicrodollars: count, spentMicrodollars: count, sinceMs: count });
const checkResult = fields({
  name: text,
  command: text,
  passed: flag,
  exitCode: optional(whole),
  timedOut: optional(flag),
  output: text,
  elapsedMs: count,
  tree: text,
});
const saved = fields({ ref: text, commit: text, tree: text, files: count, insertions: count, deletions: count });
const workspace = fields({
  isolation: oneOf(["worktree", "clone"]),
  repository: text,
  path: text,
  cwd: text,
  branch: text,
  baseRef: text,
  baseCommit: text,
  target: optional(text),
  saved: optional(saved),
  checks: optional(listOf(checkResult)),
});
const hold = fields({ reason: oneOf(holdReasons), untilMs: optional(count), note: optional(text) });

const shapes: Readonly<Record<string, Shape>> = {
  pool: {
    capMicrodollars: optional(count),
    spentMicrodollars: count,
    totalMicrodollars: count,
    finishedRuns: count,
    sinceMs: count,
    renews: oneOf(["none", "day", "week"]),
    lastTaskSeq: count,
    lastSlotNumber: count,
    scopeBudgets: optional(listOf(scopeBudget)),
  },
  context: { key: text, value: text },
  skill: {
    name: (value) => (skillName.test(String(value)) ? undefined : "must be the name of a skill"),
    description: text,
    prompt: text,
    arguments: listOf(fields({ name: text, description: optional(text), required: flag })),
    config: optional(record),
    scope: oneOf(skillScopes),
    argumentHint: optional(text),
    frontMatter: optional(record),
    source: oneOf(["runtime"]),
  },
  host: {
    id: text,
    kind: oneOf(hostKinds),
    pid: positive,
    startTime: text,
    bootId: text,
    hostname: text,
    startedAtMs: count,
    leaseUntilMs: count,
    state: oneOf(["alive", "recovering", "ended"]),
    targetSlots: count,
  },
  slot: {
    id: text,
    state: oneOf(slotStates),
    config: record,
    hostId: text,
    currentTask: optional(text),
    sessionId: optional(text),
    sessionCwd: optional(text),
    tasksCompleted: count,
    costMicrodollars: count,
    restartCount: count,
    worktreePath: optional(text),
    error: optional(text),
    process: optional(identity),
  },
  task: {
    id: text,
    seq: positive,
    prompt: text,
    state: oneOf(taskStates),
    priority: whole,
    tags: texts,
    config: optional(record),
    cwd: optional(text),
    timeoutMs: optional(count),
    queueTimeoutMs: optional(count),
    key: optional(text),
    conversation: optional(conversation),
    reviewRequired: flag,
    maxRejections: count,
    rejectionCount: count,
    originalPrompt: optional(text),
    originHost: optional(text),
    attempt: count,
    slotId: optional(text),
    hostId: optional(text),
    runId: optional(text),
    hold: optional(hold),
    cancelRequestedAtMs: optional(count),
    resumeSessionId: optional(text),
    workspace: optional(workspace),
    merge: optional(oneOf(["manual", "auto"])),
    paths: optional(listOf(text)),
    claimWaitMs: optional(count),
    trace: optional(traceContext),
    mergeId: optional(text),
    lostRuns: count,
    kind: optional(oneOf(["task", "chain", "route"])),
    chainId: optional(text),
    step: optional(count),
    plan: optional(record),
    retryCount: optional(count),
    createdAtMs: count,
    startedAtMs: optional(count),
    completedAtMs: optional(count),
    result: optional(record),
  },
  run: {
    runId: text,
    taskId: text,
    attempt: positive,
    hostId: text,
    slotId: text,
    startedAtMs: count,
    endedAtMs: optional(count),
    outcome: optional(oneOf(["completed", "failed", "cancelled", "timed_out", "limited", "lost"])),
    reason: optional(oneOf(endReasons)),
    reservedMicrodollars: count,
    costMicrodollars: count,
    costEstimated: flag,
    turnsUsed: count,
    model: optional(text),
    sessionId: optional(text),
    usage: optional(usage),
    superseded: optional(oneOf(["retried", "rejected", "checks"])),
  },
  merge: {
    id: text,
    taskId: text,
    state: oneOf(mergeStates),
    repository: text,
    target: text,
    method: oneOf(mergeMethods),
    approves: flag,
    onConflict: oneOf(["review", "rework"]),
    requestedAtMs: count,
    startedAtMs: optional(count),
    endedAtMs: optional(count),
    holder: optional(fields({ pid: positive, startTime: text, bootId: text, hostname: text })),
    before: optional(text),
    commit: optional(text),
    conflicts: optional(texts),
    checks: optional(listOf(checkResult)),
    error: optional(text),
    undoneAtMs: optional(count),
  },
  chain: { chainId: text, spec: record, resumedFrom: optional(text) },
  chain_step: {
    chainId: text,
    step: count,
    name: text,
    state: oneOf(stepStates),
    taskId: optional(text),
    output: optional(text),
    vars: optional(record),
    error: optional(text),
    costMicrodollars: count,
    retriesUsed: count,
    recovered: optional(flag),
    startedAtMs: optional(count),
    completedAtMs: optional(count),
  },
  event: { seq: positive, atMs: count, type: text, taskId: optional(text), slotId: optional(text), data: record },
};
