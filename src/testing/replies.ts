/** What the scripted API can answer. Every function here makes one reply; a reply may be used any number of times. */
import { defined } from "../core/config.ts";
import type { Answer, ContentBlock, Exchange, ReplyUsage } from "./exchange.ts";
import type { LoggedRequest } from "./logged-request.ts";

/** A reply, played once for each API call that it answers. */
export interface ScriptedReply {
  play(exchange: Exchange): void | Promise<void>;
}

/** A reply, or a function that looks at the request and makes one. */
export type Reply = ScriptedReply | ((request: LoggedRequest) => Reply | Promise<Reply>);

export interface TextOptions {
  readonly usage?: ReplyUsage;
  /** Before the first byte, in milliseconds. */
  readonly delayMs?: number;
  /** Pieces that the text is streamed in, default 1. */
  readonly chunks?: number;
  /** Between two pieces, in milliseconds. */
  readonly chunkDelayMs?: number;
  /** The model named in the answer, default the one asked for. */
  readonly model?: string;
  /** Default `end_turn`; also `max_tokens`, `refusal`, … */
  readonly stopReason?: string;
}

/**
 * An answer in text, which ends the turn.
 *
 * @example api.on(/summarise/, text("It is short.", { usage: { outputTokens: 2_000 } }));
 */
export function text(content: string, options: TextOptions = {}): ScriptedReply {
  const { delayMs, stopReason, ...rest } = options;
  const reply = answer({ content: [{ type: "text", text: content }], stopReason: stopReason ?? "end_turn", ...rest });
  return delayMs === undefined ? reply : delayed(reply, delayMs);
}

/** A tool that the model wants used. */
export interface ToolCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface ToolUseOptions {
  /** Said before the tools are asked for. */
  readonly text?: string;
  readonly usage?: ReplyUsage;
}

/**
 * Asks for a tool, which the CLI really runs; the next reply answers its result.
 *
 * @example api.on("write the file", toolUse("Write", { file_path: path, content: "hello" }), text("done"));
 */
export function toolUse(
  name: string,
  input: Readonly<Record<string, unknown>>,
  options: ToolUseOptions = {},
): ScriptedReply {
  return toolUses([{ name, input }], options);
}

/** Asks for several tools in one answer. */
export function toolUses(calls: readonly ToolCall[], options: ToolUseOptions = {}): ScriptedReply {
  return {
    play: (exchange) => {
      const asked = calls.map((call, index): ContentBlock => ({
        type: "tool_use",
        id: `toolu_scripted_${String(exchange.request.index)}_${String(index)}`,
        ...call,
      }));
      const said: readonly ContentBlock[] = options.text === undefined ? [] : [{ type: "text", text: options.text }];
      return exchange.answer(
        defined<Answer>({ content: [...said, ...asked], stopReason: "tool_use", usage: options.usage }),
      );
    },
  };
}

/** Answers a task that has a JSON schema: a call of the CLI's StructuredOutput tool with this input. */
export function structured(input: Readonly<Record<string, unknown>>, options: ToolUseOptions = {}): ScriptedReply {
  return toolUse("StructuredOutput", input, options);
}

const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

export interface ApiErrorOptions {
  /** Default the API's own type for this status. */
  readonly type?: string;
  readonly message?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** An error of the API, as JSON with its status. */
export function apiError(status: number, options: ApiErrorOptions = {}): ScriptedReply {
  const error = {
    type: options.type ?? errorTypes[status] ?? "api_error",
    message: options.message ?? `scripted error ${String(status)}`,
  };
  const headers = options.retryAfter === undefined ? undefined : { "retry-after": String(options.retryAfter) };
  return {
    play: (exchange) => exchange.send(status, "application/json", JSON.stringify({ type: "error", error }), headers),
  };
}

export type LimitType = "five_hour" | "seven_day" | "seven_day_opus" | "seven_day_sonnet";

/** The rejection of a subscription that is used up. The CLI believes it only with subscription authentication. */
export function usageLimit(options: { readonly resetsAtMs: number; readonly type?: LimitType }): ScriptedReply {
  const rejected = apiError(429, {
    message: "This request would exceed your account's rate limit. Please try again later.",
  });
  return withLimits(rejected, { status: "rejected", utilization: 1, ...options });
}

export interface Limits {
  readonly status: "allowed" | "allowed_warning" | "rejected";
  /** From 0 to 1. */
  readonly utilization: number;
  readonly resetsAtMs: number;
  /** Default `five_hour`. */
  readonly type?: LimitType;
}

/** The reply, with what a subscription's headers say of its limits. */
export function withLimits(reply: Reply, limits: Limits): ScriptedReply {
  const type = limits.type ?? "five_hour";
  const window = type === "five_hour" ? "5h" : "7d";
  const reset = String(Math.floor(limits.resetsAtMs / 1000));
  const unified = {
    status: limits.status,
    reset,
    "representative-claim": type,
    [`${window}-status`]: limits.status,
    [`${window}-reset`]: reset,
    [`${window}-utilization`]: String(limits.utilization),
    ...(limits.status === "allowed_warning" ? { [`${window}-surpassed-threshold`]: String(limits.utilization) } : {}),
  };
  const headers = Object.fromEntries(
    Object.entries(unified).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value]),
  );
  return { play: (exchange) => play(reply, exchange.withHeaders(headers)) };
}

/** Begins an answer and breaks the connection off. */
export function cutStream(afterText = "This answer is cut o"): ScriptedReply {
  return {
    play: async (exchange) => {
      await exchange.begin({ content: [] }, afterText);
      exchange.cut();
    },
  };
}

export interface StallOptions {
  /** Sent first, as the beginning of a stream; without it not even the headers come. */
  readonly afterText?: string;
  /** Then the answer is finished; without it nothing more comes as long as the connection is open. */
  readonly until?: Promise<unknown>;
  readonly usage?: ReplyUsage;
}

/** An answer that stops coming. */
export function stall(options: StallOptions = {}): ScriptedReply {
  const { afterText, until = new Promise(() => undefined), usage } = options;
  return {
    play: async (exchange) => {
      if (afterText === undefined || !exchange.request.stream) {
        await exchange.wait(until);
        await play(text(afterText ?? "ok", defined({ usage })), exchange);
        return;
      }
      await exchange.begin(defined({ content: [], usage }), afterText);
      await exchange.wait(until);
      await exchange.finishText(usage);
    },
  };
}

/** Status 200 and a page that is no answer of the API. */
export function garbage(): ScriptedReply {
  return {
    play: (exchange) => exchange.send(200, "text/html", "<!doctype html><title>Welcome to the café Wi-Fi</title>"),
  };
}

/** A reply that waits for its test. */
export interface Gate extends ScriptedReply {
  /** Resolves when the first request stands at the gate. */
  readonly reached: Promise<LoggedRequest>;
  /** Lets every request through, those to come too. */
  release(): void;
}

/**
 * Holds a reply back until `release`, so that a test waits for events and not for time.
 *
 * @example
 * const held = gate(text("done"));
 * api.on("slow work", held);
 * await held.reached;
 * held.release();
 */
export function gate(reply: Reply = text("ok")): Gate {
  const reached = Promise.withResolvers<LoggedRequest>();
  const open = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    release: open.resolve,
    play: async (exchange) => {
      reached.resolve(exchange.request);
      await exchange.wait(open.promise);
      await play(reply, exchange);
    },
  };
}

/** The reply, so many milliseconds later. */
export function delayed(reply: Reply, ms: number): ScriptedReply {
  return {
    play: async (exchange) => {
      await exchange.wait(ms);
      await play(reply, exchange);
    },
  };
}

/**
 * One reply after the other over *all* conversations, the last one again and again: for what a second attempt at a task meets.
 *
 * @example api.on("deploy", sequence(usageLimit({ resetsAtMs }), text("done")));
 */
export function sequence(...replies: readonly [Reply, ...Reply[]]): ScriptedReply {
  let used = 0;
  return {
    play: (exchange) => {
      const reply = replies[Math.min(used, replies.length - 1)] ?? replies[0];
      used += 1;
      return play(reply, exchange);
    },
  };
}

/** Plays a reply, whichever form it has; nothing when nobody is there any more. */
export async function play(reply: Reply, exchange: Exchange): Promise<void> {
  if (exchange.closed.aborted) return;
  if (typeof reply === "function") await play(await reply(exchange.request), exchange);
  else await reply.play(exchange);
}

function answer(whole: Answer): ScriptedReply {
  return { play: (exchange) => exchange.answer(whole) };
}
