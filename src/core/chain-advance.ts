/**
 * What a chain does next: a pure function of its spec and of how its steps stand.
 *
 * The records call it in the transaction that commits a step's end, until it asks for nothing more, so that a crash
 * leaves either the step running or its successors in the queue.
 */
import {
  conditionHolds,
  needsOf,
  type ChainSpec,
  type ResolvedStep,
  type StepRecord,
  type StepState,
} from "./chain.ts";
import { renderSkillStep } from "./skill.ts";
import { fillTemplate, parseTemplate, referencesOf, type Reference } from "./template.ts";

/** How a chain ended. */
export interface ChainEnd {
  readonly kind: "end";
  readonly state: "completed" | "failed" | "cancelled";
  readonly finalOutput: string;
  readonly error?: string;
  /** The step that stopped it, if one did. */
  readonly stoppedBy?: number;
}

export type ChainAction =
  | { readonly kind: "start"; readonly index: number; readonly prompt: string }
  | { readonly kind: "skip"; readonly index: number }
  /** Cancel what waits for a slot or a reviewer (K3). */
  | { readonly kind: "withdraw" }
  | ChainEnd;

/** Everything to be done now. `end` comes alone: nothing of the chain runs any more. */
export function advanceChain(
  spec: ChainSpec,
  steps: readonly StepRecord[],
  cancelRequested = false,
): readonly ChainAction[] {
  const isRunning = steps.some((step) => step.state === "running" || step.state === "pending_review");
  const stop = stopOf(spec, steps, cancelRequested);
  if (stop !== undefined) return isRunning ? [{ kind: "withdraw" }] : [stop];
  const ready = readySteps(spec, steps).map((index) => actionFor(spec, steps, index));
  if (ready.length > 0 || isRunning) return ready;
  return [{ kind: "end", state: "completed", finalOutput: lastOutput(steps) }];
}

/** The steps whose output or variables {@link advanceChain} looks at now, so that the others need not be read. */
export function outputsWanted(
  spec: ChainSpec,
  steps: readonly StepRecord[],
  cancelRequested = false,
): readonly number[] {
  const ready = readySteps(spec, steps);
  if (ready.length === 0 || stopOf(spec, steps, cancelRequested) !== undefined) {
    const last = lastDone(steps);
    const failed = steps.findIndex((step, index) => step.state === "failed" && !isDone(spec, steps, index));
    return [last, failed].filter((index) => index >= 0);
  }
  return [...new Set(ready.flatMap((index) => lookedAt(spec, steps, index)))];
}

/** The prompt of a step's recovery, with what went wrong. */
export function recoveryPromptOf(spec: ChainSpec, steps: readonly StepRecord[], index: number, error: string): string {
  const template = parseTemplate(spec.steps[index]?.recoveryPrompt ?? "");
  return fillTemplate(template, (reference) =>
    reference.kind === "error" ? error : valueOf(spec, steps, index, reference),
  );
}

/** The steps that a resumed chain takes over as they ended: what is done, but for `from` and all that follows of it. */
export function stepsTakenOver(spec: ChainSpec, steps: readonly StepRecord[], from?: number): readonly number[] {
  const again = new Set<number>();
  // A step's needs may come after it in the list, so one look over the list is not always enough.
  for (let size = -1; size !== again.size;) {
    size = again.size;
    for (const index of spec.steps.keys()) {
      const isDoneBefore = index !== from && isDone(spec, steps, index);
      if (!isDoneBefore || needsOf(spec.steps, index).some((need) => again.has(need))) again.add(index);
    }
  }
  return [...spec.steps.keys()].filter((index) => !again.has(index));
}

function stopOf(spec: ChainSpec, steps: readonly StepRecord[], cancelRequested: boolean): ChainEnd | undefined {
  if (cancelRequested) {
    return { kind: "end", state: "cancelled", finalOutput: lastOutput(steps), error: "The chain was cancelled." };
  }
  const failed = steps.findIndex((step, index) => step.state === "failed" && !isDone(spec, steps, index));
  if (failed >= 0) {
    const { name, output = "", error = "it left no error" } = steps[failed] ?? { name: "" };
    const text = `Step ${name} failed: ${error}`;
    return { kind: "end", state: "failed", finalOutput: output, error: text, stoppedBy: failed };
  }
  const cancelled = steps.findIndex((step) => step.state === "cancelled");
  if (cancelled < 0) return undefined;
  const text = `Step ${steps[cancelled]?.name ?? ""} was cancelled.`;
  return { kind: "end", state: "cancelled", finalOutput: lastOutput(steps), error: text, stoppedBy: cancelled };
}

function readySteps(spec: ChainSpec, steps: readonly StepRecord[]): readonly number[] {
  return [...spec.steps.keys()].filter(
    (index) =>
      steps[index]?.state === "waiting" && needsOf(spec.steps, index).every((need) => isDone(spec, steps, need)),
  );
}

function actionFor(spec: ChainSpec, steps: readonly StepRecord[], index: number): ChainAction {
  const step: ResolvedStep | undefined = spec.steps[index];
  if (step === undefined) throw new Error(`a chain was asked for step ${String(index)}, which it does not have`);
  if (step.when !== undefined) {
    const [reference] = parseTemplate(`{${step.when.variable}}`);
    const value = typeof reference === "object" ? valueOf(spec, steps, index, reference) : "";
    if (!conditionHolds(step.when, value)) return { kind: "skip", index };
  }
  const fill = (text: string): string =>
    fillTemplate(parseTemplate(text), (reference) => valueOf(spec, steps, index, reference));
  if (step.resolvedSkill === undefined) return { kind: "start", index, prompt: fill(step.prompt ?? "") };
  const values = Object.fromEntries(Object.entries(step.arguments ?? {}).map(([name, text]) => [name, fill(text)]));
  const previous = valueOf(spec, steps, index, { kind: "previous_output" });
  const all = previous === "" || "_previous_output" in values ? values : { ...values, _previous_output: previous };
  return { kind: "start", index, prompt: renderSkillStep(step.resolvedSkill, all) };
}

/** The steps whose output or variables a step's prompt, arguments, condition and recovery can have in them. */
function lookedAt(spec: ChainSpec, steps: readonly StepRecord[], index: number): readonly number[] {
  const step = spec.steps[index];
  const condition = step?.when === undefined ? "" : `{${step.when.variable}}`;
  const texts = [step?.prompt ?? "", step?.recoveryPrompt ?? "", condition, ...Object.values(step?.arguments ?? {})];
  const named = texts
    .flatMap((text) => referencesOf(parseTemplate(text)))
    .flatMap((reference) => (reference.kind === "step" ? [reference.step] : []));
  const places = [...new Set(named)].map((name) => steps.findIndex((one) => one.name === name));
  const needs = needsOf(spec.steps, index);
  return [...places, ...(needs.length === 1 ? needs : [])].filter((place) => place >= 0);
}

function valueOf(spec: ChainSpec, steps: readonly StepRecord[], index: number, reference: Reference): string {
  if (reference.kind === "error") return "";
  if (reference.kind === "previous_output") {
    const [only, ...others] = needsOf(spec.steps, index);
    return only === undefined || others.length > 0 ? "" : (steps[only]?.output ?? "");
  }
  const step = steps.find((one) => one.name === reference.step);
  if (reference.variable === "output") return step?.output ?? "";
  return step?.vars !== undefined && Object.hasOwn(step.vars, reference.variable)
    ? (step.vars[reference.variable] ?? "")
    : "";
}

/** Over, and what needs it may start. */
function isDone(spec: ChainSpec, steps: readonly StepRecord[], index: number): boolean {
  const state: StepState | undefined = steps[index]?.state;
  if (state === "failed") return spec.steps[index]?.continueOnError === true;
  return state === "completed" || state === "skipped";
}

/** The output of the last step that has one, in the order of the steps. */
function lastOutput(steps: readonly StepRecord[]): string {
  return steps[lastDone(steps)]?.output ?? "";
}

function lastDone(steps: readonly StepRecord[]): number {
  return steps.findLastIndex((step) => step.state === "completed");
}
