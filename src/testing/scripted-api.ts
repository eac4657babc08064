/**
 * A Messages API on the loopback interface that answers by a script, so that the real CLI runs without network and key.
 *
 * A1. A rule is chosen by what was typed in the conversation's latest turn (conversation-turn.ts), so it goes on
 *     answering through the turn's tool results, retries and CLI-made follow-ups. The first rule that matches wins.
 * A2. A rule's replies are counted for each turn of each conversation: every API call takes the next one, a retry and the CLI's
 *     own repetition too, and the last repeats. Conversations never take each other's; `sequence` counts over all.
 * A3. What no rule matches gets the `otherwise` replies, and without those the text "ok".
 * A4. `close` leaves no connection, timer or waiter.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { type ConversationTurn, latestTurn } from "./conversation-turn.ts";
import { Exchange, type ReplyUsage } from "./exchange.ts";
import { type LoggedRequest, readRequest } from "./logged-request.ts";
import { play, type Reply, text } from "./replies.ts";

/** A part of the typed prompt, a pattern for it, or a test of the whole request. */
export type Match = string | RegExp | ((request: LoggedRequest) => boolean);

export interface ScriptedApiOptions {
  /** Usage of every answer that does not name its own; default 100 tokens in, 10 out, nothing cached. */
  readonly usage?: ReplyUsage;
}

/** A scripted Messages API, open until `close`. */
export interface ScriptedApi extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Every request so far, in order of arrival. */
  readonly requests: readonly LoggedRequest[];
  /**
   * Adds a rule; the first that matches wins. Several replies answer the API calls of one turn one after the other.
   *
   * @example api.on("write it", toolUse("Write", { file_path: path, content: "x" }), text("done"));
   */
  on(match: Match, ...replies: readonly [Reply, ...Reply[]]): this;
  /** The replies to what no rule matches; default the text "ok". */
  otherwise(...replies: readonly [Reply, ...Reply[]]): this;
  /**
   * Resolves to the first request to `/v1/messages` that matches, one already seen too.
   *
   * @throws the signal's reason, or an Error when the API is closed first.
   */
  waitForRequest(match: Match, options?: { readonly signal?: AbortSignal }): Promise<LoggedRequest>;
  /** Everything the CLI's environment needs to run offline against this API, with its own home under `home`. */
  environment(home: string, auth?: "key" | "subscription"): Record<string, string>;
  /** Ends the server and every open connection. */
  close(): Promise<void>;
}

/**
 * Starts a scripted Messages API on a free port.
 *
 * @example
 * await using api = await startScriptedApi();
 * api.on(/summarise/, text("It is short."));
 * spawn(claude, ["-p", "summarise x"], { env: { ...process.env, ...api.environment(home) } });
 */
export async function startScriptedApi(options: ScriptedApiOptions = {}): Promise<ScriptedApi> {
  // Loaded here: whoever takes only the scripted runner from this package does not need it.
  const { createServer } = await import("node:http");
  const api = new LoopbackApi(options, createServer());
  await api.listen();
  return api;
}

interface Rule {
  readonly match: Match;
  readonly replies: readonly [Reply, ...Reply[]];
}

interface Waiter {
  readonly match: Match;
  readonly resolve: (request: LoggedRequest) => void;
  readonly reject: (reason: unknown) => void;
}

const defaultUsage: Required<ReplyUsage> = {
  inputTokens: 100,
  outputTokens: 10,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
};

class LoopbackApi implements ScriptedApi {
  readonly requests: LoggedRequest[] = [];
  readonly #server: Server;
  readonly #usage: Required<ReplyUsage>;
  readonly #rules: Rule[] = [];
  readonly #used = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  #default: Rule = { match: "", replies: [text("ok")] };
  #closed = false;

  constructor(options: ScriptedApiOptions, server: Server) {
    this.#usage = { ...defaultUsage, ...options.usage };
    this.#server = server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#handle(request, response).catch((error: unknown) => {
        // A reply function of the test threw: the test must see it, so it is the answer.
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        if (response.headersSent) response.destroy();
        else response.writeHead(500, { "x-should-retry": "false" }).end(message);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
  }

  on(match: Match, ...replies: readonly [Reply, ...Reply[]]): this {
    this.#rules.push({ match, replies });
    return this;
  }

  otherwise(...replies: readonly [Reply, ...Reply[]]): this {
    this.#default = { match: "", replies };
    return this;
  }

  async waitForRequest(match: Match, options: { readonly signal?: AbortSignal } = {}): Promise<LoggedRequest> {
    const seen = this.requests.find((request) => isModelCall(request) && matches(match, request));
    if (seen !== undefined) return seen;
    options.signal?.throwIfAborted();
    if (this.#closed) throw closedError(match);
    const { promise, resolve, reject } = Promise.withResolvers<LoggedRequest>();
    const waiter: Waiter = { match, resolve, reject };
    const abort = (): void => reject(options.signal?.reason);
    this.#waiters.add(waiter);
    options.signal?.addEventListener("abort", abort);
    return promise.finally(() => {
      this.#waiters.delete(waiter);
      options.signal?.removeEventListener("abort", abort);
    });
  }

  environment(home: string, auth: "key" | "subscription" = "key"): Record<string, string> {
    return {
      HOME: home,
      CLAUDE_CONFIG_DIR: join(home, ".claude"),
      ANTHROPIC_BASE_URL: this.url,
      ...(auth === "key"
        ? { ANTHROPIC_API_KEY: "sk-ant-scripted-not-a-key" }
        : { CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-scripted-not-a-token" }),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_TELEMETRY: "1",
      DISABLE_ERROR_REPORTING: "1",
      DISABLE_AUTOUPDATER: "1",
      IS_SANDBOX: "1",
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const waiter of [...this.#waiters]) waiter.reject(closedError(waiter.match));
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new AbortController();
    response.once("close", () => {
      closed.abort();
    });
    const atMs = Date.now();
    const body = await readText(incoming);
    let turn: ConversationTurn | undefined;
    const request = readRequest(
      {
        index: this.requests.length,
        method: incoming.method ?? "",
        path: new URL(incoming.url ?? "/", "http://localhost").pathname,
        headers: incoming.headers,
        text: body,
        atMs,
      },
      (messages) => (turn = latestTurn(messages, (typed, current) => this.#isPrompt(typed, current))),
    );
    this.requests.push(request);
    const exchange = new Exchange(request, response, closed.signal, this.#usage);
    if (!isModelCall(request)) {
      await answerOther(exchange);
      return;
    }
    for (const waiter of [...this.#waiters]) if (matches(waiter.match, request)) waiter.resolve(request);
    await play(this.#nextReply(request, turn?.ordinal ?? 0), exchange);
  }

  #nextReply(request: LoggedRequest, turn: number): Reply {
    const found = this.#rules.findIndex((rule) => matches(rule.match, request));
    const { replies } = this.#rules[found] ?? this.#default;
    const key = JSON.stringify([request.conversation, turn, request.prompt, found]);
    const used = this.#used.get(key) ?? 0;
    this.#used.set(key, used + 1);
    return replies[Math.min(used, replies.length - 1)] ?? replies[0];
  }

  /** Text beside a tool result is a prompt if it selects a rule, and another one than the turn it stands in. */
  #isPrompt(typed: string, current: string): boolean {
    const rule = this.#ruleByText(typed);
    return rule !== undefined && rule !== this.#ruleByText(current);
  }

  #ruleByText(typed: string): Rule | undefined {
    return this.#rules.find(({ match }) => typeof match !== "function" && textMatches(match, typed));
  }
}

function isModelCall(request: LoggedRequest): boolean {
  return request.method === "POST" && request.path === "/v1/messages";
}

function matches(match: Match, request: LoggedRequest): boolean {
  return typeof match === "function" ? match(request) : textMatches(match, request.prompt);
}

function textMatches(match: string | RegExp, typed: string): boolean {
  // `search` starts at the beginning whatever a global pattern's lastIndex says.
  return typeof match === "string" ? typed.includes(match) : typed.search(match) >= 0;
}

async function answerOther(exchange: Exchange): Promise<void> {
  const { method, path } = exchange.request;
  if (method === "POST" && path === "/v1/messages/count_tokens") {
    const tokens = Math.ceil(JSON.stringify(exchange.request.body).length / 4);
    await exchange.send(200, "application/json", JSON.stringify({ input_tokens: tokens }));
  } else if (path === "/") {
    await exchange.send(200, "text/plain", "");
  } else {
    const error = { type: "not_found_error", message: `The scripted API has no ${method} ${path}.` };
    await exchange.send(404, "application/json", JSON.stringify({ type: "error", error }));
  }
}

function closedError(match: Match): Error {
  return new Error(`The scripted API was closed before a request matched ${String(match)}.`);
}
