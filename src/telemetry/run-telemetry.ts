/**
 * Runs as OpenTelemetry spans and metrics, by the API alone: where they go is the business of the SDK that the user's own
 * program, or `serve` and `mcp`, have registered.
 *
 * O1. One span a run, the first from when the task came into the queue, with children one after the other: `queue`, `workspace` (until the
 *     process is there), the turn, which is the model's work and named by the conventions for generative AI; of an isolated task
 *     also `process`, from the end of `workspace` on, and `checks`, in which its work is saved and judged.
 * O2. What a span says is ids, figures and names; never a prompt, an answer, or what a tool was used with.
 */
import {
  createTraceState,
  isSpanContextValid,
  metrics,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from "@opentelemetry/api";
import type { TraceContext } from "../core/trace-context.ts";
import type { Clock } from "../core/ports.ts";
import type { Lease } from "../core/records.ts";
import type { RunWatch, WatchRuns } from "../core/run-watch.ts";
import type { Outcome } from "../core/outcome.ts";

const scope = "claude-pool";
/** `gen_ai.*` of the conventions for agents: whose, what, and by whom. */
const agent = {
  "gen_ai.operation.name": "invoke_agent",
  "gen_ai.provider.name": "anthropic",
  "gen_ai.agent.name": "claude-code",
} as const;

/** Watches runs with the providers that are registered by now. */
export function runTelemetry(clock: Clock): WatchRuns {
  const tracer = trace.getTracer(scope);
  const record = instruments();
  return (lease) => {
    const { task } = lease;
    const about = attributesOf(lease);
    const leasedAtMs = clock.now();
    // A later attempt waited since the one before it ended, which nobody here knows.
    const isFirst = task.attempt <= 1;
    const queuedAtMs = isFirst ? task.createdAtMs : leasedAtMs;
    const root = tracer.startSpan(`task ${task.kind}`, { startTime: queuedAtMs, attributes: about }, callerOf(task));
    const inside = trace.setSpan(ROOT_CONTEXT, root);
    const child = (name: string, startTime: number, attributes: Attributes = {}, kind = SpanKind.INTERNAL): Span =>
      tracer.startSpan(name, { startTime, kind, attributes }, inside);
    if (isFirst) child("queue", queuedAtMs).end(leasedAtMs);
    let preparing = child("workspace", leasedAtMs);
    let [turn, judging]: (Span | undefined)[] = [];
    let [isIsolated, turnAtMs, turnMs]: [boolean, number, number | undefined] = [false, leasedAtMs, undefined];
    const watch: RunWatch = {
      environment: environmentOf(root),
      workspaceReady() {
        isIsolated = true;
        preparing.end(clock.now());
        preparing = child("process", clock.now());
      },
      turnBegins() {
        turnAtMs = clock.now();
        preparing.end(turnAtMs);
        const { model } = task.config ?? {};
        const asked = model === undefined ? {} : { "gen_ai.request.model": model };
        turn = child(`invoke_agent ${agent["gen_ai.agent.name"]}`, turnAtMs, { ...agent, ...asked }, SpanKind.CLIENT);
      },
      turnEnded(outcome) {
        const now = clock.now();
        if (turn === undefined) preparing.end(now);
        else {
          turnMs = now - turnAtMs;
          finish(turn, outcome, now, turnAttributes(outcome));
        }
        if (isIsolated) judging = child("checks", now);
      },
      ended(outcome) {
        const now = clock.now();
        if (judging !== undefined) finish(judging, outcome, now, {});
        finish(root, outcome, now, { "claude_pool.cost_usd": outcome.result.costMicrodollars / 1_000_000 });
        record(lease, outcome, { queueMs: isFirst ? leasedAtMs - queuedAtMs : undefined, turnMs });
      },
    };
    return watch;
  };
}

/** The span that the run belongs below, in whichever process that is; nobody's: it is a root. */
function callerOf({ trace: caller }: { readonly trace?: TraceContext }): Context {
  if (caller === undefined) return ROOT_CONTEXT;
  const [, traceId = "", spanId = "", flags = ""] = caller.traceparent.split("-");
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(caller.tracestate === undefined ? {} : { traceState: createTraceState(caller.tracestate) }),
  });
}

function attributesOf({ task, runId, slotId }: Lease): Attributes {
  return {
    "claude_pool.task.id": task.id,
    "claude_pool.task.kind": task.kind,
    "claude_pool.task.attempt": task.attempt,
    "claude_pool.task.priority": task.priority,
    "claude_pool.task.tags": [...task.tags],
    "claude_pool.run.id": runId,
    "claude_pool.slot.id": slotId,
    ...(task.chainId === undefined ? {} : { "claude_pool.chain.id": task.chainId }),
  };
}

function turnAttributes({ result }: Outcome): Attributes {
  const { model, sessionId, usage, turnsUsed } = result;
  const written =
    usage === undefined
      ? {}
      : {
          "gen_ai.usage.input_tokens": inputTokens(usage),
          "gen_ai.usage.output_tokens": usage.outputTokens,
          "gen_ai.usage.cache_read.input_tokens": usage.cacheReadInputTokens,
          "gen_ai.usage.cache_creation.input_tokens": usage.cacheCreationInputTokens,
        };
  return {
    ...written,
    ...(model === undefined ? {} : { "gen_ai.response.model": model }),
    ...(sessionId === undefined ? {} : { "gen_ai.conversation.id": sessionId }),
    "claude_pool.turns": turnsUsed,
  };
}

/** By the conventions, cached ones included. */
function inputTokens(usage: {
  readonly inputTokens: number;
  readonly cacheReadInputTokens: number;
  readonly cacheCreationInputTokens: number;
}): number {
  return usage.inputTokens + usage.cacheReadInputTokens + usage.cacheCreationInputTokens;
}

function finish(span: Span, { kind, result }: Outcome, atMs: number, attributes: Attributes): void {
  span.setAttributes({ ...attributes, "claude_pool.outcome": kind });
  if (kind !== "completed") {
    span.setAttribute("error.type", result.reason ?? kind);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(atMs);
}

/** W3C trace context, as Claude Code reads it; empty where nothing is traced. */
function environmentOf(span: Span): Readonly<Record<string, string>> {
  const spanContext = span.spanContext();
  if (!isSpanContextValid(spanContext)) return {};
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const flags = traceFlags.toString(16).padStart(2, "0");
  const state = traceState?.serialize() ?? "";
  return { TRACEPARENT: `00-${traceId}-${spanId}-${flags}`, ...(state === "" ? {} : { TRACESTATE: state }) };
}

type RecordRun = (
  lease: Lease,
  outcome: Outcome,
  took: { readonly queueMs: number | undefined; readonly turnMs: number | undefined },
) => void;

function instruments(): RecordRun {
  const meter = metrics.getMeter(scope);
  const queue = meter.createHistogram("claude_pool.queue.duration", {
    unit: "s",
    description: "From the submission of a task to its first slot.",
  });
  const runs = meter.createCounter("claude_pool.runs", { unit: "{run}", description: "Runs that ended, by how." });
  const cost = meter.createCounter("claude_pool.cost", { unit: "{USD}", description: "What runs cost." });
  const duration = meter.createHistogram("gen_ai.client.operation.duration", {
    unit: "s",
    description: "How long turns took.",
  });
  const tokens = meter.createHistogram("gen_ai.client.token.usage", {
    unit: "{token}",
    description: "Tokens that turns used.",
  });
  return ({ task }, { kind, result }, { queueMs, turnMs }) => {
    const { model, usage, costMicrodollars } = result;
    const by = { ...agent, ...(model === undefined ? {} : { "gen_ai.response.model": model }) };
    if (queueMs !== undefined) queue.record(queueMs / 1_000, { "claude_pool.task.kind": task.kind });
    runs.add(1, { "claude_pool.outcome": kind, "claude_pool.task.kind": task.kind });
    cost.add(costMicrodollars / 1_000_000, by);
    if (turnMs !== undefined)
      duration.record(turnMs / 1_000, kind === "completed" ? by : { ...by, "error.type": result.reason ?? kind });
    if (usage === undefined) return;
    tokens.record(inputTokens(usage), { ...by, "gen_ai.token.type": "input" });
    tokens.record(usage.outputTokens, { ...by, "gen_ai.token.type": "output" });
  };
}
