/** Asks the router, as a task like any other, and carries out what it decided. */
import type { FanOutOptions, Settled } from "../core/api.ts";
import type { ChainResult } from "../core/chain.ts";
import { defined } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import type { TaskOutcome } from "../core/outcome.ts";
import { jsonIn } from "../core/output-vars.ts";
import {
  defaultRouteModel,
  defaultRouteTimeoutMs,
  routeOf,
  routeSchema,
  type AutoOptions,
  type AutoResult,
  type Route,
  type RouteAnswer,
  type RouteOptions,
  type WorkOptions,
} from "../core/route.ts";
import { routerInstructions, routerPrompt } from "../core/route-prompt.ts";
import type { Json, JsonObject, TaskResult, TaskSpec } from "../core/task.ts";

/** What routing needs of the pool. */
export interface RoutingPool {
  /** Submits the router's task, with kind `route`; resolves to its id. */
  readonly ask: (spec: TaskSpec) => Promise<string>;
  readonly outcome: (taskId: string) => Promise<TaskOutcome>;
  readonly cancel: (taskId: string) => Promise<unknown>;
}

/** What carrying out needs of the pool beside that. */
export interface AutoPool extends RoutingPool {
  readonly fanOut: (prompts: readonly string[], options: FanOutOptions) => Promise<readonly Settled[]>;
  /** Resolves for a chain that failed too. */
  readonly runChain: (
    steps: readonly { readonly name: string; readonly prompt: string }[],
    work: WorkOptions,
    signal: AbortSignal | undefined,
  ) => Promise<ChainResult>;
}

/**
 * Decides how a task is divided, and does nothing of it.
 *
 * @throws {PoolError} `route_failed`, `aborted`, and what `submit` throws.
 */
export async function routeTask(
  pool: RoutingPool,
  task: string,
  options: RouteOptions,
  neutralFolder: string,
): Promise<RouteAnswer> {
  options.signal?.throwIfAborted();
  const taskId = await pool.ask(routerSpec(task, options, neutralFolder));
  const outcome = await outcomeOr(pool, taskId, options.signal);
  const { result } = outcome;
  if (outcome.state !== "completed" || result === undefined) throw notRouted(taskId, outcome);
  const answer = result.structuredOutput ?? jsonIn(result.output);
  try {
    const decided: Route = routeOf(answer, task, options.hints);
    return { ...decided, ...reasonOf(answer), costMicrodollars: result.costMicrodollars, taskId };
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    throw new PoolError(error.code, `${error.message} The router was ${taskId}.`, { taskId, outcome }, error);
  }
}

/** Decides, and runs what was decided. A part that fails is told in the result. @throws {PoolError} as `routeTask`. */
export async function autoTask(
  pool: AutoPool,
  task: string,
  options: AutoOptions,
  neutralFolder: string,
): Promise<AutoResult> {
  const routing = await routeTask(pool, task, options, neutralFolder);
  options.onRoute?.(routing);
  const work = defined<FanOutOptions>({ ...options.task, signal: options.signal });
  switch (routing.route) {
    case "single": {
      const [settled] = await pool.fanOut([routing.prompt], work);
      const result = resultOf(settled);
      if (result === undefined) throw failureOf(settled);
      return {
        ...summary(routing, [settled?.taskId], [result]),
        route: routing.route,
        result,
        output: result.output,
        success: result.success,
      };
    }
    case "parallel": {
      const results = await pool.fanOut(routing.prompts, work);
      const known = results.map(resultOf);
      return {
        ...summary(
          routing,
          results.map((settled) => settled.taskId),
          known,
        ),
        route: routing.route,
        results,
        output: known.map((result, index) => `${String(index + 1)}. ${(result?.output ?? "").trim()}`).join("\n\n"),
        success: results.every((settled) => settled.status === "fulfilled"),
      };
    }
    case "chain": {
      const result = await pool.runChain(routing.steps, options.task ?? {}, options.signal);
      return {
        ...summary(routing, [result.taskId], [{ costMicrodollars: result.totalCostMicrodollars }]),
        route: routing.route,
        result,
        output: result.finalOutput,
        success: result.success,
      };
    }
  }
}

/** It asks nothing of the project and has no means: what it reads cannot make it do anything. */
function routerSpec(task: string, options: RouteOptions, neutralFolder: string): TaskSpec {
  return {
    prompt: routerPrompt(task),
    cwd: neutralFolder,
    model: options.model ?? defaultRouteModel,
    systemPrompt: routerInstructions(options.hints, options.customPrompt),
    systemPromptMode: "replace",
    jsonSchema: routeSchema,
    tools: [],
    allowedTools: [],
    allowedToolsMode: "replace",
    mcpServers: {},
    settingSources: [],
    permissionMode: "dontAsk",
    // The answer is itself a tool call, and the CLI asks again when it does not fit the schema.
    maxTurns: 4,
    timeoutMs: options.timeoutMs ?? defaultRouteTimeoutMs,
    conversation: "fresh",
  };
}

/** What became of a task or chain; when the signal aborts, it is cancelled first. @throws {PoolError} `aborted`. */
export async function outcomeOr(
  pool: Pick<RoutingPool, "outcome" | "cancel">,
  taskId: string,
  signal: AbortSignal | undefined,
): Promise<TaskOutcome> {
  let cancelling: Promise<unknown> | undefined;
  const abort = (): void => {
    cancelling ??= pool.cancel(taskId);
  };
  signal?.addEventListener("abort", abort);
  if (signal?.aborted === true) abort();
  try {
    const outcome = await pool.outcome(taskId);
    await cancelling;
    if (signal?.aborted === true) {
      throw new PoolError("aborted", `The call was aborted, and ${taskId} is cancelled.`, { taskId, outcome });
    }
    return outcome;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function notRouted(taskId: string, outcome: TaskOutcome): PoolError {
  const why = outcome.result?.error ?? `it ended as ${outcome.state}`;
  return new PoolError(
    "route_failed",
    `The router's task ${taskId} gave no route: ${why} Nothing of the task was done; try again, or run it as it is.`,
    { taskId, outcome },
  );
}

function reasonOf(answer: Json | undefined): { readonly reason?: string } {
  const { reason } = (answer ?? {}) as JsonObject;
  return typeof reason === "string" && reason !== "" ? { reason } : {};
}

function resultOf(settled: Settled | undefined): TaskResult | undefined {
  return settled?.status === "fulfilled" ? settled.result : settled?.outcome?.result;
}

function failureOf(settled: Settled | undefined): Error {
  return settled?.status === "rejected" ? settled.error : new PoolError("aborted", "The task left no outcome.");
}

function summary(
  routing: RouteAnswer,
  ids: readonly (string | undefined)[],
  results: readonly (Pick<TaskResult, "costMicrodollars"> | undefined)[],
): Pick<AutoResult, "routing" | "taskIds" | "costMicrodollars"> {
  return {
    routing,
    taskIds: ids.filter((id) => id !== undefined),
    costMicrodollars: results.reduce((sum, result) => sum + (result?.costMicrodollars ?? 0), routing.costMicrodollars),
  };
}
