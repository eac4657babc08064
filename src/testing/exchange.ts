/** One request's answer on the wire: an SSE stream or plain JSON, as the request asked. */
import type { ServerResponse } from "node:http";
import { setTimeout as timer } from "node:timers/promises";
import type { LoggedRequest } from "./logged-request.ts";

/** Tokens that an answer claims to have used; the CLI makes money of them by its own price list. */
export interface ReplyUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadInputTokens?: number;
  readonly cacheCreationInputTokens?: number;
}

export type ContentBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown };

/** A whole answer of the model. */
export interface Answer {
  readonly content: readonly ContentBlock[];
  readonly stopReason: string;
  readonly usage?: ReplyUsage;
  /** Default the model that was asked for. */
  readonly model?: string;
  /** Pieces that each text is streamed in, default 1. */
  readonly chunks?: number;
  /** Between two pieces, in milliseconds. */
  readonly chunkDelayMs?: number;
}

type SseEvent = Readonly<Record<string, unknown>> & { readonly type: string };

/** The answering side of one request. */
export class Exchange {
  readonly request: LoggedRequest;
  /** Aborted when the connection is closed, by whichever side. */
  readonly closed: AbortSignal;
  readonly #response: ServerResponse;
  readonly #usage: Required<ReplyUsage>;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(
    request: LoggedRequest,
    response: ServerResponse,
    closed: AbortSignal,
    usage: Required<ReplyUsage>,
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.request = request;
    this.closed = closed;
    this.#response = response;
    this.#usage = usage;
    this.#headers = headers;
  }

  /** The same exchange, whose answer carries these headers too. */
  withHeaders(headers: Readonly<Record<string, string>>): Exchange {
    return new Exchange(this.request, this.#response, this.closed, this.#usage, { ...this.#headers, ...headers });
  }

  /** Waits; at most until the connection is closed. */
  async wait(until: number | Promise<unknown>): Promise<void> {
    if (this.closed.aborted) return;
    if (typeof until === "number") {
      await timer(until, undefined, { signal: this.closed }).catch(() => undefined); // closed: nobody waits any more
      return;
    }
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const listener = (): void => {
      resolve();
    };
    this.closed.addEventListener("abort", listener);
    await Promise.race([until, gone]).finally(() => {
      this.closed.removeEventListener("abort", listener);
    });
  }

  /** Sends a whole answer. */
  async answer(answer: Answer): Promise<void> {
    if (!this.request.stream) {
      await this.send(200, "application/json", JSON.stringify(this.#message(answer)));
      return;
    }
    await this.begin(answer);
    for (const [index, block] of answer.content.entries()) {
      for (const [piece, event] of blockEvents(block, index, answer.chunks ?? 1).entries()) {
        if (piece > 1 && answer.chunkDelayMs !== undefined) await this.wait(answer.chunkDelayMs);
        await this.#event(event);
      }
    }
    const delta = { stop_reason: answer.stopReason, stop_sequence: null };
    await this.#event({ type: "message_delta", delta, usage: { output_tokens: this.#tokens(answer).output_tokens } });
    await this.#event({ type: "message_stop" });
    this.#response.end();
  }

  /** Starts a streamed answer and sends the text of its first block, with no end: what a stall or a cut leaves behind. */
  async begin(answer: Omit<Answer, "stopReason">, partialText?: string): Promise<void> {
    this.#head(200, "text/event-stream");
    const message = this.#message({ ...answer, content: [], stopReason: "" });
    const start = { ...message, stop_reason: null, usage: { ...this.#tokens(answer), output_tokens: 1 } };
    await this.#event({ type: "message_start", message: start });
    if (partialText === undefined) return;
    for (const event of blockEvents({ type: "text", text: partialText }, 0, 1).slice(0, -1)) await this.#event(event);
  }

  /** Ends a streamed answer that `begin` left open after its text. */
  async finishText(usage?: ReplyUsage): Promise<void> {
    const tokens = this.#tokens(usage === undefined ? {} : { usage });
    await this.#event({ type: "content_block_stop", index: 0 });
    const delta = { stop_reason: "end_turn", stop_sequence: null };
    await this.#event({ type: "message_delta", delta, usage: { output_tokens: tokens.output_tokens } });
    await this.#event({ type: "message_stop" });
    this.#response.end();
  }

  /** Sends any other response. */
  async send(
    status: number,
    contentType: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    this.#head(status, contentType, headers);
    await this.#write(body);
    this.#response.end();
  }

  /** Breaks the connection off. */
  cut(): void {
    this.#response.destroy();
  }

  #head(status: number, contentType: string, headers: Readonly<Record<string, string>> = {}): void {
    if (this.closed.aborted || this.#response.headersSent) return;
    this.#response.writeHead(status, {
      "content-type": contentType,
      "request-id": `req_scripted_${String(this.request.index)}`,
      ...this.#headers,
      ...headers,
    });
  }

  async #event(event: SseEvent): Promise<void> {
    await this.#write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  async #write(text: string): Promise<void> {
    if (this.closed.aborted) return;
    // Waits until it is on its way: what a cut follows must have arrived.
    await this.wait(new Promise<void>((resolve) => this.#response.write(text, () => resolve())));
  }

  #message(answer: Answer): Readonly<Record<string, unknown>> {
    return {
      id: `msg_scripted_${String(this.request.index)}`,
      type: "message",
      role: "assistant",
      model: answer.model ?? this.request.model ?? "scripted",
      content: answer.content,
      stop_reason: answer.stopReason,
      stop_sequence: null,
      usage: this.#tokens(answer),
    };
  }

  #tokens(answer: Pick<Answer, "usage">): { readonly output_tokens: number } & Readonly<Record<string, number>> {
    const usage = { ...this.#usage, ...answer.usage };
    return {
      input_tokens: usage.inputTokens,
      cache_creation_input_tokens: usage.cacheCreationInputTokens,
      cache_read_input_tokens: usage.cacheReadInputTokens,
      output_tokens: usage.outputTokens,
    };
  }
}

/** The events of one block: start, deltas, stop. */
function blockEvents(block: ContentBlock, index: number, chunks: number): readonly SseEvent[] {
  const start = block.type === "text" ? { ...block, text: "" } : { ...block, input: {} };
  const deltas =
    block.type === "text"
      ? pieces(block.text, chunks).map((text) => ({ type: "text_delta", text }))
      : [{ type: "input_json_delta", partial_json: JSON.stringify(block.input) }];
  return [
    { type: "content_block_start", index, content_block: start },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

function pieces(text: string, count: number): readonly string[] {
  const size = Math.max(1, Math.ceil(text.length / count));
  return Array.from({ length: Math.max(1, Math.ceil(text.length / size)) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  );
}
