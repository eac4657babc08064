/** Whom a running turn turns to: decisions on its tool calls, and the pool's own tools for its worker. */
import { asksPermission, defined, type ResolvedSettings } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import type { PoolMessage } from "../core/message.ts";
import type { PoolRequest } from "../core/permission.ts";
import type { AskedTool, ToolDecision, TurnDesk, WorkerAnswer } from "../core/runner-port.ts";
import type { Worker, WorkerLimits } from "../core/worker-tools-port.ts";
import type { Ask, Asking } from "./asking.ts";
import type { EngineParts } from "./parts.ts";

/** The run that a desk serves. */
export interface DeskRun {
  readonly taskId: string;
  readonly runId: string;
  readonly slotId: string;
  readonly cwd: string;
  readonly settings: ResolvedSettings;
  /** Of the task. */
  readonly depth: number;
  readonly readMessages: () => Promise<readonly PoolMessage[]>;
}

export function turnDesk(parts: EngineParts, asking: Asking, run: DeskRun): TurnDesk {
  return {
    decide: (asked, signal) => decide(parts, asking, run, asked, signal),
    useTool: (name, input, signal) => useTool(parts, asking, run, { name, input, signal }),
  };
}

async function decide(
  parts: EngineParts,
  asking: Asking,
  run: DeskRun,
  asked: AskedTool,
  signal: AbortSignal,
): Promise<ToolDecision> {
  const { permissionMode } = run.settings;
  if (permissionMode !== "default" || !asksPermission(parts.config)) {
    const why =
      permissionMode === "default" ? "nobody is there to ask" : `permission mode ${permissionMode} does not allow it`;
    return { decision: "deny", message: `${asked.tool} was not used: ${why}. ${goOn}`, isAnswered: false };
  }
  const { tool, input: toolInput, reason, cwd = run.cwd, isSensitive, isOutside } = asked;
  const about = defined({ reason, isSensitive, isOutside });
  const ask: Ask = { kind: "permission", ...placeOf(run), cwd, tool, toolInput, ...about };
  const timeoutSecs = parts.config.permissionTimeoutSecs;
  try {
    return decisionOf(await asking.ask(ask, timeoutSecs * 1_000, signal), tool, timeoutSecs);
  } catch (error) {
    if (!(error instanceof PoolError && error.code === "run_over")) parts.report(error);
    return { decision: "deny", message: `${tool} was not used: the pool could not ask.`, isAnswered: false };
  }
}

/** What the model is told of a refusal, so that it neither tries the same again nor works around it. */
const goOn = "Do not try to reach the same in another way. Go on without it, or say in your answer what you need.";

function decisionOf({ state, answeredBy, message }: PoolRequest, tool: string, timeoutSecs: number): ToolDecision {
  if (state === "allowed") return { decision: "allow" };
  if (message !== undefined) return { decision: "deny", message, isAnswered: true };
  const isAnswered = state === "denied" && answeredBy !== "timeout";
  const text = isAnswered
    ? `The coordinator of this pool denied this use of ${tool}.`
    : answeredBy === "timeout"
      ? `Nobody answered the request to use ${tool} within ${String(timeoutSecs)} s, so it was not used.`
      : `${tool} was not used: the run is ending.`;
  return { decision: "deny", message: `${text} ${goOn}`, isAnswered };
}

async function useTool(
  parts: EngineParts,
  asking: Asking,
  run: DeskRun,
  call: { readonly name: string; readonly input: unknown; readonly signal: AbortSignal },
): Promise<WorkerAnswer> {
  const worker: Worker = {
    ...placeOf(run),
    mayDispatch: run.settings.mayDispatch,
    depth: run.depth,
    limits: limitsOf(run.settings),
    signal: call.signal,
    readMessages: run.readMessages,
    ask: async (question, timeoutMs) => {
      const answered = await asking.ask({ kind: "question", ...placeOf(run), question }, timeoutMs, call.signal);
      return answered.state === "answered" ? answered.message : undefined;
    },
  };
  try {
    return { text: await parts.workerTools.use(call.name, call.input, worker), isError: false };
  } catch (error) {
    if (error instanceof PoolError) return { text: `${error.code}: ${error.message}`, isError: true };
    parts.report(error);
    return { text: "The pool could not do this.", isError: true };
  }
}

function placeOf({ taskId, runId, slotId, cwd }: DeskRun): Pick<Ask, "taskId" | "runId" | "slotId" | "cwd"> {
  return { taskId, runId, slotId, cwd };
}

function limitsOf(settings: ResolvedSettings): WorkerLimits {
  const { permissionMode, allowedTools, disallowedTools, tools, workerTools, mayDispatch } = settings;
  const { maxCostMicrodollars } = settings;
  const maxBudgetUsd = maxCostMicrodollars === undefined ? undefined : maxCostMicrodollars / 1_000_000;
  return defined<WorkerLimits>({
    permissionMode,
    allowedTools,
    disallowedTools,
    tools,
    workerTools,
    mayDispatch,
    maxBudgetUsd,
  });
}
