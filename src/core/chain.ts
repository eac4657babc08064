/**
 * Chains: steps, each an ordinary task, in an acyclic graph. A chain is a task that holds no slot.
 *
 * K1. A step starts when every step it needs is done; without `needs` it needs the one before it.
 * K2. Every reference of a step names a step that is done before it starts: checked before anything runs.
 * K3. A step that failed (and may not) stops the chain: nothing more starts, what waits for a slot or a reviewer is
 *     cancelled, what runs ends, then the chain is failed.
 * K4. A step skipped by its condition counts as done, and references to it are empty.
 * K5. A chain that is to be cancelled, or one of whose steps was, stops in the same way and ends cancelled.
 */
import { invalidOptions, type PoolError } from "./errors.ts";
import type { SkillStep } from "./skill.ts";
import type { Hold, TaskOverrides } from "./task.ts";
import type { Isolation } from "./workspace.ts";
import { parseTemplate, referencesOf, writtenReference, type Reference } from "./template.ts";

/** When a step runs at all: what a variable of an earlier step must be. */
export interface StepCondition {
  /** `steps.NAME.VARIABLE`. */
  readonly variable: string;
  readonly equals?: string | number | boolean;
  readonly notEquals?: string | number | boolean;
  readonly in?: readonly (string | number | boolean)[];
}

/** One step: a prompt, or a skill with its arguments, and what an ordinary task can set beside it. */
export interface StepSpec extends Omit<TaskOverrides, "isolation" | "baseRef"> {
  readonly name: string;
  readonly prompt?: string;
  readonly skill?: string;
  readonly arguments?: Readonly<Record<string, string>>;
  /** Names of the steps it waits for; default the one before it; empty: none. */
  readonly needs?: readonly string[];
  readonly when?: StepCondition;
  /** How often it is tried again after a failure that can heal. */
  readonly retries?: number;
  readonly retryDelayMs?: number;
  /** Run once when all retries have failed; `{error}` is what went wrong. Its answer then is the step's. */
  readonly recoveryPrompt?: string;
  /** Variable to path (output-vars.ts). */
  readonly outputVars?: Readonly<Record<string, string>>;
  /** What a variable that is not in the answer does to the step. Default `fail`. */
  readonly missingVars?: "fail" | "empty";
  readonly timeoutMs?: number;
  readonly continueOnError?: boolean;
  readonly review?: boolean;
  readonly maxRejections?: number;
  readonly afterRejection?: "fresh" | "continue";
  readonly paths?: readonly string[];
  readonly claimWaitMs?: number;
}

/** What `submitChain` takes beside its steps. */
export interface ChainOptions {
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly priority?: number;
  readonly cwd?: string;
  /** The longest that each step may wait for a slot, in milliseconds; then it fails with `no_slot_available`. */
  readonly queueTimeoutMs?: number;
  /** Default `worktree` in a git repository, else `none`: one directory for all its steps. */
  readonly isolation?: Isolation;
  /** What its worktree begins from; default HEAD. */
  readonly baseRef?: string;
  /** The most that all its runs together may cost, in dollars. */
  readonly maxBudgetUsd?: number;
  readonly key?: string;
}

/** A step as it is kept: its skill, if it has one, is read once at submit, so that a chain never changes under way. */
export interface ResolvedStep extends StepSpec {
  readonly resolvedSkill?: SkillStep;
}

/** A chain as it is kept in the records. */
export interface ChainSpec extends ChainOptions {
  readonly steps: readonly ResolvedStep[];
}

/** `cancelled`: stopped, or never begun because the chain was over before its turn came. */
export const stepStates = [
  "waiting",
  "running",
  "pending_review",
  "completed",
  "failed",
  "skipped",
  "cancelled",
] as const;
export type StepState = (typeof stepStates)[number];

/** A step as it stands: the row that is kept of it. */
export interface StepRecord {
  readonly name: string;
  readonly state: StepState;
  /** The task that carries it out; absent before it starts and when it is skipped. */
  readonly taskId?: string;
  readonly output?: string;
  readonly vars?: Readonly<Record<string, string>>;
  readonly error?: string;
  readonly costMicrodollars: number;
  readonly retriesUsed: number;
  /** Its recovery prompt gave the answer; `error` is what it recovered from. */
  readonly recovered?: boolean;
  /** In progress alone: what a running step that is in the queue waits for, if not only for a slot. */
  readonly hold?: Hold;
  readonly startedAtMs?: number;
  readonly completedAtMs?: number;
}

/** A chain's way so far, on every surface; the seed's names, and `running_steps` beside its `current_step`. */
export interface ChainProgress {
  readonly taskId: string;
  readonly name?: string;
  readonly totalSteps: number;
  /** Index of the first running step. */
  readonly currentStep?: number;
  readonly currentStepName?: string;
  /** The running step's text so far; bounded, and reset at each retry. */
  readonly currentStepPartialOutput?: string;
  /** Seconds since the epoch: the seed's one exception. */
  readonly currentStepStartedAt?: number;
  readonly runningSteps: readonly string[];
  readonly completedSteps: readonly StepResult[];
  /** Every step, in order, whatever became of it. */
  readonly steps: readonly StepRecord[];
  readonly status: "running" | "completed" | "failed" | "cancelled";
  readonly totalCostMicrodollars: number;
  readonly resumedFrom?: string;
}

/** A step that is over, in the seed's shape. */
export interface StepResult {
  readonly name: string;
  readonly output: string;
  readonly success: boolean;
  readonly costMicrodollars: number;
  readonly retriesUsed: number;
  readonly skipped: boolean;
  readonly error?: string;
  /** Its recovery prompt gave the output. */
  readonly recovered?: boolean;
}

/** The result of a chain: also the JSON text of its task's `output`. */
export interface ChainResult {
  readonly taskId: string;
  readonly steps: readonly StepResult[];
  readonly finalOutput: string;
  readonly totalCostMicrodollars: number;
  readonly success: boolean;
}

/** Step and variable names: what a placeholder can hold without doubt. */
export const stepName = /^[A-Za-z0-9_-]{1,64}$/;

/** The indices of the steps that a step waits for (K1). */
export function needsOf(steps: readonly StepSpec[], index: number): readonly number[] {
  let graph = graphs.get(steps);
  if (graph === undefined) graphs.set(steps, (graph = graphOf(steps)));
  return graph[index] ?? [];
}

/** A chain of a thousand steps is looked at a thousand times: its names are looked up once. */
const graphs = new WeakMap<readonly StepSpec[], readonly (readonly number[])[]>();

function graphOf(steps: readonly StepSpec[]): readonly (readonly number[])[] {
  const places = new Map(steps.map((step, index) => [step.name, index]));
  return steps.map(({ needs }, index) => {
    if (needs !== undefined) return [...new Set(needs.map((name) => places.get(name) ?? -1))];
    return index === 0 ? [] : [index - 1];
  });
}

/**
 * Refuses a chain that could not run as it is written: names, needs, cycles, references, conditions.
 *
 * @throws {PoolError} `invalid_options`, naming step and place.
 */
export function checkChain(steps: readonly StepSpec[]): void {
  if (steps.length === 0) throw invalidOptions("A chain needs at least one step.", "steps");
  const names = new Set<string>();
  for (const [index, step] of steps.entries()) {
    if (!stepName.test(step.name)) {
      throw problem(
        step,
        index,
        `its name ${JSON.stringify(step.name)} may only have letters, digits, "-" and "_", at most 64`,
      );
    }
    if (names.has(step.name)) throw problem(step, index, "another step has the same name");
    names.add(step.name);
    if ((step.prompt === undefined) === (step.skill === undefined)) {
      throw problem(step, index, "it must have either a prompt or a skill");
    }
  }
  for (const [index, step] of steps.entries()) {
    for (const name of step.needs ?? []) {
      if (!names.has(name))
        throw problem(step, index, `it needs ${JSON.stringify(name)}, which is no step of this chain`);
    }
  }
  const before = ancestors(steps);
  for (const [index, step] of steps.entries()) checkReferences(steps, index, step, before[index] ?? new Set());
}

/** For each step the indices of all that are done before it. @throws on a cycle, naming its steps. */
function ancestors(steps: readonly StepSpec[]): readonly ReadonlySet<number>[] {
  const known: (ReadonlySet<number> | undefined)[] = [];
  const needs = steps.map((_, index) => needsOf(steps, index));
  const open = new Set(steps.keys());
  // In rounds, not by recursion: a chain of a thousand steps is no call stack of a thousand.
  while (open.size > 0) {
    const ready = [...open].filter((index) => needs[index]?.every((need) => known[need] !== undefined));
    if (ready.length === 0) {
      const cycle = [...open].map((index) => steps[index]?.name ?? "").join(", ");
      throw invalidOptions(`These steps wait for each other, so none could start: ${cycle}.`, "steps");
    }
    for (const index of ready) {
      const all = new Set<number>();
      for (const need of needs[index] ?? []) {
        all.add(need);
        for (const far of known[need] ?? []) all.add(far);
      }
      known[index] = all;
      open.delete(index);
    }
  }
  return known.map((set) => set ?? new Set());
}

function checkReferences(steps: readonly StepSpec[], index: number, step: StepSpec, before: ReadonlySet<number>): void {
  const texts = [step.prompt ?? "", ...Object.values(step.arguments ?? {})];
  for (const reference of texts.flatMap((text) => referencesOf(parseTemplate(text)))) {
    if (reference.kind === "error") throw problem(step, index, "{error} exists in a recovery prompt only");
    checkReference(steps, index, step, before, reference);
  }
  for (const reference of referencesOf(parseTemplate(step.recoveryPrompt ?? ""))) {
    if (reference.kind !== "error") checkReference(steps, index, step, before, reference);
  }
  if (step.when !== undefined) {
    const [first, ...rest] = referencesOf(parseTemplate(`{${step.when.variable}}`));
    if (first?.kind !== "step" || rest.length > 0) {
      throw problem(
        step,
        index,
        `its condition's variable must be steps.NAME.VARIABLE, not ${JSON.stringify(step.when.variable)}`,
      );
    }
    checkReference(steps, index, step, before, first);
  }
}

function checkReference(
  steps: readonly StepSpec[],
  index: number,
  step: StepSpec,
  before: ReadonlySet<number>,
  reference: Exclude<Reference, { kind: "error" }>,
): void {
  if (reference.kind === "previous_output") {
    if (needsOf(steps, index).length > 1) {
      throw problem(
        step,
        index,
        "{previous_output} has no meaning where several steps come before; use {steps.NAME.output}",
      );
    }
    return;
  }
  const written = writtenReference(reference);
  const target = steps.findIndex((other) => other.name === reference.step);
  const other = steps[target];
  if (other === undefined) throw problem(step, index, `${written} names no step of this chain`);
  if (!before.has(target)) throw problem(step, index, `${written} names a step that is not done before this one`);
  if (reference.variable !== "output" && !Object.hasOwn(other.outputVars ?? {}, reference.variable)) {
    throw problem(
      step,
      index,
      `${written}: step ${other.name} has no output variable ${JSON.stringify(reference.variable)}`,
    );
  }
}

function problem(step: StepSpec, index: number, what: string): PoolError {
  return invalidOptions(`Step ${String(index + 1)} (${step.name}): ${what}.`, `steps[${String(index)}]`);
}

/** A value of a variable as a condition compares it. */
export function conditionHolds(condition: StepCondition, value: string): boolean {
  const same = (expected: string | number | boolean): boolean => String(expected) === value;
  if (condition.equals !== undefined && !same(condition.equals)) return false;
  if (condition.notEquals !== undefined && same(condition.notEquals)) return false;
  if (condition.in !== undefined && !condition.in.some(same)) return false;
  const isBare = condition.equals === undefined && condition.notEquals === undefined && condition.in === undefined;
  return !isBare || (value !== "" && value !== "false" && value !== "0" && value !== "null");
}
