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
import { fillTemplate, parseTemplate, type Reference } from "./template.ts";

export type ChainAction =
  | { readonly kind: "start"; readonly index: number; readonly prompt: string }
  | { readonly kind: "skip"; readonly index: number }
  | {
      readonly kind: "end";
      readonly state: "completed" | "failed";
      readonly finalOutput: string;
      readonly error?: string;
    };

/** Everything to be done now. `end` comes alone: nothing of the chain runs any more. */
export function advanceChain(spec: ChainSpec, steps: readonly StepRecord[]): readonly ChainAction[] {
  const failed = spec.steps.findIndex(
    (step, index) => steps[index]?.state === "failed" && step.continueOnError !== true,
  );
  const isRunning = steps.some((step) => step.state === "running" || step.state === "pending_review");
  if (failed >= 0) {
    if (isRunning) return []; // K3
    const step = steps[failed];
    const error = `Step ${step?.name ?? ""} failed: ${step?.error ?? "it left no error"}`;
    return [{ kind: "end", state: "failed", finalOutput: step?.output ?? "", error }];
  }
  const ready = spec.steps.flatMap((step, index) =>
    steps[index]?.state === "waiting" && needsOf(spec.steps, index).every((need) => isDone(steps[need]?.state))
      ? [actionFor(spec, steps, step, index)]
      : [],
  );
  if (ready.length > 0 || isRunning) return ready;
  return [{ kind: "end", state: "completed", finalOutput: lastOutput(spec, steps) }];
}

/** The prompt of a step's recovery, with what went wrong. */
export function recoveryPromptOf(spec: ChainSpec, steps: readonly StepRecord[], index: number, error: string): string {
  const template = parseTemplate(spec.steps[index]?.recoveryPrompt ?? "");
  return fillTemplate(template, (reference) =>
    reference.kind === "error" ? error : valueOf(spec, steps, index, reference),
  );
}

function actionFor(spec: ChainSpec, steps: readonly StepRecord[], step: ResolvedStep, index: number): ChainAction {
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

function valueOf(spec: ChainSpec, steps: readonly StepRecord[], index: number, reference: Reference): string {
  if (reference.kind === "error") return "";
  if (reference.kind === "previous_output") {
    const [only, ...others] = needsOf(spec.steps, index);
    return only === undefined || others.length > 0 ? "" : (steps[only]?.output ?? "");
  }
  const step = steps.find((one) => one.name === reference.step);
  return (reference.variable === "output" ? step?.output : step?.vars?.[reference.variable]) ?? "";
}

function isDone(state: StepState | undefined): boolean {
  return state === "completed" || state === "skipped" || state === "failed"; // a failed one here may fail
}

/** The output of the last step that has one, in the order of the steps. */
function lastOutput(spec: ChainSpec, steps: readonly StepRecord[]): string {
  for (let index = spec.steps.length - 1; index >= 0; index -= 1) {
    const step = steps[index];
    if (step?.state === "completed") return step.output ?? "";
  }
  return "";
}
