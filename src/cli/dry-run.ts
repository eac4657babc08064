/** `--dry-run`: what the work would cost and take, and nothing is done. */
import type { Command } from "commander";
import type { OpenPoolOptions, WorkEstimate } from "../core/api.ts";
import type { Range } from "../core/forecast.ts";
import type { TaskSpec } from "../core/task.ts";
import type { Call } from "./call.ts";
import { elapsed, usd } from "./quantities.ts";

export interface DryRunFlags {
  readonly dryRun?: boolean;
}

export function addDryRunFlag(command: Command): Command {
  return command.option("--dry-run", "only say what it would cost and take, by this project's own record");
}

/** The pool is looked at without slots of its own, so nothing of it can run. */
export function dryRun(call: Call, options: OpenPoolOptions, specs: readonly TaskSpec[], slots: number): Promise<void> {
  return call.withPool({ ...withoutBudget(options), slots: 0, kind: "library" }, async (pool) => {
    const estimate = await pool.estimate(specs, { slots });
    if (call.json) await call.out.record(estimate);
    else for (const line of lines(estimate)) await call.out.line(line);
  });
}

/** A cap among the options would be set, and that is no dry run. */
function withoutBudget(options: OpenPoolOptions): OpenPoolOptions {
  const { budgetUsd: _usd, budgetMicrodollars: _micro, budgetRenews: _renews, ...rest } = options;
  return rest;
}

function lines(estimate: WorkEstimate): readonly string[] {
  const tasks = `${String(estimate.tasks)} ${estimate.tasks === 1 ? "task" : "tasks"}`;
  if (!estimate.known) {
    return [`${tasks}: not known yet, since only ${String(estimate.runs)} such runs have completed in this project`];
  }
  const bases = {
    tag_and_model: "with a tag of it on this model",
    tag: "with a tag of it",
    model: "on this model",
    overall: "of all kinds",
  } as const;
  return [
    `${tasks}, judged by the last ${String(estimate.runs)} completed runs ${bases[estimate.basis]}:`,
    `cost  ${range(estimate.costMicrodollars, usd)}`,
    `time  ${range(estimate.elapsedMs, elapsed)}`,
  ];
}

function range({ low, typical, high }: Range, text: (value: number) => string): string {
  return `about ${text(typical)} (${text(low)} to ${text(high)})`;
}
