/** Chains as people read them. */
import type { ChainProgress, StepRecord, StepState } from "../core/chain.ts";
import { elapsed, usd } from "./quantities.ts";
import type { Colours } from "./terminal/colour.ts";
import { oneLine, table } from "./terminal/table.ts";

/** The head of a table of chains, and a row of it. */
export const chainHead: readonly string[] = ["ID", "STATUS", "STEPS", "COST", "NOW", "NAME"];

export function chainRow(chain: ChainProgress, colour: Colours): readonly string[] {
  return [
    chain.taskId,
    stepText(chain.status, colour),
    `${String(chain.completedSteps.filter((step) => step.success).length)}/${String(chain.totalSteps)}`,
    usd(chain.totalCostMicrodollars),
    oneLine(chain.runningSteps.join(", ") || (chain.currentStepName ?? "-"), 40),
    oneLine(chain.name ?? "-", 40),
  ];
}

/** A chain step by step: a line about it, then the table of its steps, then what the running one says. */
export function chainLines(chain: ChainProgress, colour: Colours, width: number | undefined): readonly string[] {
  const resumed = chain.resumedFrom === undefined ? [] : [`resumed from ${chain.resumedFrom}`];
  const name = chain.name === undefined ? [] : [oneLine(chain.name, 60)];
  const head = [chain.taskId, stepText(chain.status, colour), usd(chain.totalCostMicrodollars), ...name, ...resumed];
  const rows = chain.steps.map((step) => stepRow(step, colour));
  const partial = chain.currentStepPartialOutput ?? "";
  return [
    head.join("  "),
    ...table([["STEP", "STATE", "COST", "TIME", "RETRIES", ""], ...rows], { right: [2, 3, 4], width }),
    ...(partial === "" ? [] : [`${chain.currentStepName ?? ""}: … ${oneLine(partial.slice(-400), 200)}`]),
  ];
}

/** One line about a step that is over. */
export function stepLine(step: StepRecord, colour: Colours): string {
  const [name, state, cost, time, , error] = stepRow(step, colour);
  return [name, state, cost, time, error].filter((part) => part !== undefined && part !== "").join("  ");
}

function stepText(state: StepState | ChainProgress["status"], colour: Colours): string {
  const text = state.replace("_", " ");
  if (state === "completed") return colour.green(text);
  if (state === "failed") return colour.red(text);
  if (state === "running" || state === "pending_review") return colour.cyan(text);
  return state === "cancelled" ? colour.yellow(text) : text;
}

function remark({ recovered, hold }: StepRecord): string {
  if (hold !== undefined) return ` (held: ${hold.reason})`;
  return recovered === true ? " (recovered)" : "";
}

function stepRow(step: StepRecord, colour: Colours): readonly string[] {
  const { startedAtMs, completedAtMs } = step;
  const end = completedAtMs ?? (step.state === "running" ? Date.now() : undefined);
  return [
    step.name,
    stepText(step.state, colour) + remark(step),
    usd(step.costMicrodollars),
    startedAtMs === undefined || end === undefined ? "-" : elapsed(end - startedAtMs),
    String(step.retriesUsed),
    step.error === undefined ? "" : oneLine(step.error, 80),
  ];
}
