/** What `route` and `auto` have in common: their flags, and what they say of a route. */
import { Option, type Command } from "commander";
import { routePreferences, type RouteAnswer, type RouteHints, type RouteOptions } from "../core/route.ts";
import { parseRouteOptions } from "../schema/parse-requests.ts";
import type { Call } from "./call.ts";
import { collected } from "./collected.ts";
import type { HostFlags } from "./flags.ts";
import { duration, figure, usd } from "./quantities.ts";

export interface RouteFlags extends HostFlags {
  readonly maxParallel?: number | string;
  readonly maxChainSteps?: number | string;
  readonly prefer?: string;
  readonly domain?: string;
  readonly hint?: readonly string[];
  readonly routeModel?: string;
  readonly routeTimeout?: number;
}

export function addRouteFlags(command: Command): Command {
  return command
    .optionsGroup("How it is divided:")
    .option("--max-parallel <n>", "the most parts that run at once (default: 6)", figure)
    .option("--max-chain-steps <n>", "the most steps of a chain (default: 6)", figure)
    .addOption(new Option("--prefer <route>", `${routePreferences.join(", ")}: where more than one would do`))
    .option("--domain <text>", "what the task is about")
    .option("--hint <text>", "where the task could be cut; may be given again", collected)
    .option("--route-model <name>", "the model that decides (default: haiku)")
    .option(
      "--route-timeout <duration>",
      "the longest it may take to decide (default: 60s)",
      duration("--route-timeout"),
    );
}

/** @throws {PoolError} `invalid_options`. */
export function routeOptionsOf(flags: RouteFlags): RouteOptions {
  const { maxParallel, maxChainSteps, prefer, domain, hint } = flags;
  const hints = { maxParallel, maxChainSteps, prefer, domain, decompositionHints: hint };
  const given = Object.fromEntries(Object.entries(hints).filter(([, value]) => value !== undefined)) as RouteHints;
  return parseRouteOptions(
    {
      hints: Object.keys(given).length === 0 ? undefined : given,
      model: flags.routeModel,
      timeoutMs: flags.routeTimeout,
    },
    "flag",
  );
}

/** Says on stderr what was decided, why, and for how much. */
export function sayRoute(call: Call, answer: RouteAnswer): void {
  const reason = answer.reason === undefined ? "" : ` ${answer.reason}`;
  call.out.say(`${shape(answer)}.${reason} (${answer.taskId}, ${usd(answer.costMicrodollars)})`);
}

function shape(answer: RouteAnswer): string {
  switch (answer.route) {
    case "single":
      return "single: one task";
    case "parallel":
      return `parallel: ${String(answer.prompts.length)} tasks`;
    case "chain":
      return `chain: ${String(answer.steps.length)} steps`;
  }
}
