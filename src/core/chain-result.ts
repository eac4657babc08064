/** What came of a chain and of its steps, in the seed's shapes. */
import type { ChainEnd } from "./chain-advance.ts";
import type { ChainResult, StepRecord, StepResult } from "./chain.ts";

/** The result of a chain that has ended so. */
export function chainResult(taskId: string, steps: readonly StepRecord[], end: ChainEnd): ChainResult {
  return {
    taskId,
    steps: steps.map(stepResult),
    finalOutput: end.finalOutput === "" ? (end.error ?? "") : end.finalOutput,
    totalCostMicrodollars: steps.reduce((sum, step) => sum + step.costMicrodollars, 0),
    success: end.state === "completed",
  };
}

/** A step that is over, or that the chain never came to. */
export function stepResult(step: StepRecord): StepResult {
  const success = step.state === "completed";
  return {
    name: step.name,
    output: step.output ?? "",
    success,
    costMicrodollars: step.costMicrodollars,
    retriesUsed: step.retriesUsed,
    skipped: step.state === "skipped" || (step.state === "cancelled" && step.taskId === undefined),
    ...(step.error === undefined ? {} : { error: step.error }),
    ...(step.recovered === true ? { recovered: true } : {}),
  };
}
