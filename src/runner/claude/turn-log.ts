/** What a turn has said so far: the text, the calls, the tools, the limits; and the facts that its outcome is made of. */
import type { SDKMessage, SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import { defined } from "../../core/config.ts";
import type { TurnEvent, TurnSpec } from "../../core/runner-port.ts";
import type { JsonObject, PermissionMode, TokenUsage } from "../../core/task.ts";
import { microdollars } from "../../core/budget.ts";
import { toolSummary } from "../../core/tool-summary.ts";
import { priceOf, priceOfUnseen } from "./cost.ts";
import { asJson, blocksOf, isFields, modelUsageOf, usageOf } from "./messages.ts";
import type { Cause, ResultFacts, TurnFacts } from "./outcome.ts";

/** What a message was for the turn's limits. */
export type Step = "call_ended" | "tools_ended" | undefined;

const structuredOutputTool = "StructuredOutput";
const synthetic = "<synthetic>";

export class TurnLog {
  readonly #spec: TurnSpec;
  readonly #emit: (event: TurnEvent) => void;
  /** API calls of the main loop, by message id. */
  readonly #calls = new Set<string>();
  readonly #streamed = new Set<string>();
  readonly #openTools = new Set<string>();
  #answering = false;
  #usedTools = false;
  #answers = false;
  #text = "";
  #textOf: string | undefined;
  #streaming: string | undefined;
  #lastToolUseId: string | undefined;
  #model: string | undefined;
  #sessionId: string | undefined;
  #mode: PermissionMode | undefined;
  #limit: TurnFacts["limit"];
  #limitText = false;
  /** Usage of calls that are not in `#measuredMicrodollars` yet. */
  #unmeasured: TokenUsage | undefined;
  #usage: TokenUsage | undefined;
  #inFlight = false;
  /** Tool calls that were denied by whoever was asked, and whether anybody answered. */
  readonly #denied = new Map<string, boolean>();
  #measuredMicrodollars = 0;

  constructor(spec: TurnSpec, emit: (event: TurnEvent) => void) {
    this.#spec = spec;
    this.#emit = emit;
  }

  get usedTools(): boolean {
    return this.#usedTools;
  }

  /** The last call gave the structured answer: the turn is about to end by itself. */
  get answers(): boolean {
    return this.#answers;
  }

  get turns(): number {
    return this.#calls.size;
  }

  get usage(): TokenUsage | undefined {
    return this.#usage;
  }

  denied(toolUseId: string, isAnswered: boolean): void {
    this.#denied.set(toolUseId, isAnswered);
  }

  take(message: SDKMessage): Step {
    switch (message.type) {
      case "system":
        this.#takeSystem(message);
        return undefined;
      case "stream_event":
        return this.#takeStream(message);
      case "assistant":
        return this.#takeAssistant(message);
      case "user":
        return this.#takeUser(message);
      case "rate_limit_event":
        this.#takeLimit(message);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Takes a mid-turn total (undefined: unknown) and gives the turn's cost so far in microdollars. */
  measured(usd: number | undefined): number {
    if (usd === undefined)
      return this.#measuredMicrodollars + (this.#unmeasured === undefined ? 0 : priceOf(this.#unmeasured));
    this.#measuredMicrodollars = microdollars(usd);
    this.#unmeasured = undefined;
    return this.#measuredMicrodollars;
  }

  facts(end: {
    readonly elapsedMs: number;
    readonly schema: boolean;
    readonly sent: boolean;
    readonly cause: Cause | undefined;
    readonly detail: string | undefined;
    readonly result: SDKResultMessage | undefined;
    readonly costUsd: number | undefined;
    readonly death: TurnFacts["death"];
  }): TurnFacts {
    const { result } = end;
    const modelUsage = result === undefined ? undefined : modelUsageOf(result);
    return defined<TurnFacts>({
      cause: end.cause,
      detail: end.detail,
      result: result === undefined ? undefined : resultFacts(result),
      death: end.death,
      output: this.#text,
      turnsUsed: this.#calls.size,
      elapsedMs: end.elapsedMs,
      ...this.#cost(end.costUsd, end.sent),
      model: this.#model,
      sessionId: this.#sessionId,
      permissionMode: this.#mode,
      usage: (result === undefined ? undefined : usageOf(result.usage)) ?? this.#usage,
      modelUsage: modelUsage as JsonObject | undefined,
      lastToolUseId: this.#lastToolUseId,
      lastDenialAnswered: this.#denied.get(this.#lastToolUseId ?? ""),
      limit: this.#limit ?? (this.#limitText ? { resetsAtMs: Date.now() + unknownResetMs } : undefined),
      asked: defined<TurnFacts["asked"]>({
        schema: end.schema,
        maxTurns: this.#spec.maxTurns,
        maxCostMicrodollars: this.#spec.maxCostMicrodollars,
        silenceTimeoutMs: this.#spec.silenceTimeoutMs,
        disallowedTools: this.#spec.disallowedTools,
      }),
    });
  }

  #cost(usd: number | undefined, sent: boolean): Pick<TurnFacts, "costMicrodollars" | "costEstimated"> {
    if (!sent) return { costMicrodollars: 0, costEstimated: false };
    const seen = this.measured(undefined);
    // A CLI that breaks down says 0 for what it no longer knows.
    const told = usd !== undefined && (usd > 0 || seen === 0);
    if (told) return { costMicrodollars: microdollars(usd), costEstimated: false };
    const unseen = this.#inFlight || this.#calls.size === 0 ? priceOfUnseen(this.#spec.prompt.length) : 0;
    return { costMicrodollars: seen + unseen, costEstimated: true };
  }

  #takeSystem(message: Extract<SDKMessage, { type: "system" }>): void {
    if (message.subtype === "init") {
      this.#sessionId = message.session_id;
      this.#mode = message.permissionMode;
      this.#model = message.model;
      this.#emit({ type: "conversation", sessionId: message.session_id });
    }
    if (message.subtype === "status" && message.status === "requesting") this.#inFlight = true;
    if (message.subtype === "api_retry") {
      this.#emit(
        defined<TurnEvent & { type: "api_retry" }>({
          type: "api_retry",
          attempt: message.attempt,
          status: message.error_status ?? undefined,
        }),
      );
    }
  }

  #takeStream(message: Extract<SDKMessage, { type: "stream_event" }>): Step {
    const { event } = message;
    if (event.type === "content_block_start" && event.content_block.type === "tool_use") this.#usedTools = true;
    if (message.parent_tool_use_id !== null) return undefined;
    if (event.type === "message_start") {
      this.#inFlight = false;
      this.#answering = true;
      this.#streaming = event.message.id;
      this.#model = event.message.model;
      this.#addCall(event.message.id, usageOf(event.message.usage));
    }
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") this.#addText(event.delta.text);
    if (event.type === "message_delta") this.#addUsage({ ...noUsage, outputTokens: event.usage.output_tokens });
    if (event.type !== "message_stop" || !this.#answering) return undefined;
    this.#answering = false;
    return this.#openTools.size > 0 ? "call_ended" : undefined;
  }

  #takeAssistant(message: Extract<SDKMessage, { type: "assistant" }>): Step {
    const { id, model } = message.message;
    if (message.error === "rate_limit" && model === synthetic)
      this.#limitText = isUsageLimit(blocksOf(message.message)[0]?.text ?? "");
    if (model === synthetic) return undefined;
    const main = message.parent_tool_use_id === null;
    const streamed = this.#streamed.has(id) || this.#streaming === id;
    let calls = false;
    if (main && !this.#calls.has(id)) {
      this.#inFlight = false;
      this.#model = model;
      this.#addCall(id, usageOf(message.message.usage));
      calls = true;
    }
    for (const block of blocksOf(message.message)) {
      if (block.type === "text" && main && !streamed && block.text !== undefined) this.#addWholeText(id, block.text);
      if (block.type === "tool_use" && block.id !== undefined)
        this.#addTool(block.id, block.name ?? "", block.input, main);
    }
    return calls && this.#openTools.size > 0 ? "call_ended" : undefined;
  }

  #takeUser(message: Extract<SDKMessage, { type: "user" }>): Step {
    if (message.parent_tool_use_id !== null) return undefined;
    const before = this.#openTools.size;
    for (const block of blocksOf(message.message)) {
      if (block.type === "tool_result" && block.toolUseId !== undefined) this.#openTools.delete(block.toolUseId);
    }
    return before > 0 && this.#openTools.size === 0 ? "tools_ended" : undefined;
  }

  #takeLimit(message: Extract<SDKMessage, { type: "rate_limit_event" }>): void {
    const info = message.rate_limit_info;
    const resetsAtMs = info.resetsAt === undefined ? undefined : info.resetsAt * 1000;
    this.#emit(
      defined<TurnEvent & { type: "usage_limit" }>({
        type: "usage_limit",
        status: info.status,
        utilization: info.utilization,
        resetsAtMs,
        limitType: info.rateLimitType,
      }),
    );
    if (info.status !== "rejected") return;
    this.#limit = defined<NonNullable<TurnFacts["limit"]>>({
      resetsAtMs: resetsAtMs ?? Date.now() + unknownResetMs,
      limitType: info.rateLimitType,
    });
  }

  #addCall(id: string, usage: TokenUsage | undefined): void {
    this.#calls.add(id);
    this.#answers = false;
    if (usage !== undefined) this.#addUsage(usage);
  }

  #addUsage(usage: TokenUsage): void {
    this.#usage = sum(this.#usage, usage);
    this.#unmeasured = sum(this.#unmeasured, usage);
  }

  #addText(text: string): void {
    if (this.#streaming !== this.#textOf) this.#text = "";
    this.#textOf = this.#streaming;
    if (this.#streaming !== undefined) this.#streamed.add(this.#streaming);
    this.#text += text;
    this.#emit({ type: "text", text });
  }

  #addWholeText(id: string, text: string): void {
    this.#text = this.#textOf === id ? this.#text + text : text;
    this.#textOf = id;
    this.#emit({ type: "text", text });
  }

  #addTool(id: string, tool: string, input: Readonly<Record<string, unknown>> | undefined, main: boolean): void {
    if (tool === structuredOutputTool) {
      this.#answers = true; // the answer itself, not work
      return;
    }
    this.#usedTools = true;
    if (main) {
      this.#openTools.add(id);
      this.#lastToolUseId = id; // what a subagent was denied, its caller has dealt with
    }
    this.#emit(defined<TurnEvent & { type: "tool" }>({ type: "tool", tool, summary: toolSummary(input) }));
  }
}

const noUsage: TokenUsage = { inputTokens: 0, outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };
/** When a usage limit does not say when it ends, it is tried again after this. */
const unknownResetMs = 300_000;

function sum(a: TokenUsage | undefined, b: TokenUsage): TokenUsage {
  if (a === undefined) return b;
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadInputTokens: a.cacheReadInputTokens + b.cacheReadInputTokens,
    cacheCreationInputTokens: a.cacheCreationInputTokens + b.cacheCreationInputTokens,
  };
}

function isUsageLimit(text: string): boolean {
  return /\b(hit your|reached your|usage) .*limit|limit reached/i.test(text);
}

function resultFacts(result: SDKResultMessage): ResultFacts {
  const success = result.subtype === "success" ? result : undefined;
  const errors: unknown = "errors" in result ? result.errors : undefined;
  return defined<ResultFacts>({
    subtype: result.subtype,
    isError: result.is_error,
    text: success?.result,
    terminalReason: result.terminal_reason,
    stopReason: result.stop_reason ?? undefined,
    apiStatus: success?.api_error_status ?? undefined,
    errors: Array.isArray(errors) ? errors.filter((line) => typeof line === "string") : [],
    denials: (Array.isArray(result.permission_denials) ? result.permission_denials : []).map((denial) => ({
      toolName: denial.tool_name,
      toolUseId: denial.tool_use_id,
      ...(isFields(denial.tool_input) ? { toolInput: denial.tool_input as JsonObject } : {}),
    })),
    structuredOutput: success?.structured_output === undefined ? undefined : asJson(success.structured_output),
  });
}
