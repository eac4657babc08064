/**
 * The pool as an MCP server: one instance for a connection (or, in the newest revision over HTTP, for a request), all of
 * them over one `Pool`.
 *
 * V1. What is bound to a connection (subscriptions) lives in its instance; everything else in the pool, so that an instance
 *     can come and go without harm.
 */
import {
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  SdkError,
  type CallToolResult,
  type ContentBlock,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { withCallerTrace } from "../caller-trace.ts";
import { PoolError } from "../core/errors.ts";
import { traceContextOf } from "../core/trace-context.ts";
import { toWire } from "../core/wire.ts";
import type { Pool } from "../pool.ts";
import { bounded, type Cut } from "./bounded.ts";
import { changeFeed, type ChangeFeed, type Changed } from "./changes.ts";
import { completions } from "./completion.ts";
import { defaultMode } from "./default-mode.ts";
import { instructions } from "./instructions.ts";
import { defaultAnswerWithinMs, type Profile } from "./profile.ts";
import { promptList, promptOf } from "./prompts.ts";
import { published, type PublishedTool } from "./published.ts";
import { readResource, resourceList, resourceTemplates, type KeptTexts } from "./resources.ts";
import { locate } from "./rest.ts";
import type { ToolCall } from "./tool-call.ts";
import { toolError } from "./tool-error.ts";
import type { Tool } from "./tool.ts";
import { toolsOf, unknownTool } from "./tools.ts";
import { version } from "./version.ts";

export interface PoolServerOptions {
  /** Which tools there are. Default `full`. */
  readonly profile?: Profile;
  /** After so many milliseconds a call that waits for work answers with its ids. Default 50,000: many clients give up at 60. */
  readonly answerWithinMs?: number;
}

/** `modern`: revision 2026-07-28 and later; `legacy`: those before it. */
type Era = "legacy" | "modern";

/** What all connections to one pool share. */
export interface PoolServer {
  /** A new instance for one connection or request; `era` is the serving entry's. */
  readonly connect: (era: Era, options?: { readonly tellsChanges?: boolean }) => McpServer;
  readonly feed: ChangeFeed;
  readonly close: () => void;
}

/** The pool as an MCP server; `stdio.ts` and `http.ts` give it a transport. */
export function poolServer(pool: Pool, options: PoolServerOptions = {}): PoolServer {
  const { profile = "full", answerWithinMs = defaultAnswerWithinMs } = options;
  const tools = toolsOf(profile);
  const shared: Shared = {
    pool,
    answerWithinMs,
    tools,
    listed: [...tools.values()].map(published),
    profile,
    texts: keptTexts(),
  };
  const feed = changeFeed(pool);
  return {
    feed,
    connect: (era, { tellsChanges = true } = {}) => {
      const subscribed = new Set<string>();
      const mcp = instance(shared, era, subscribed);
      if (tellsChanges) tellChanges(mcp, feed, (uri) => era === "modern" || subscribed.has(uri));
      return mcp;
    },
    close: () => feed.close(),
  };
}

interface Shared {
  readonly pool: Pool;
  readonly answerWithinMs: number;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly listed: readonly PublishedTool[];
  readonly profile: Profile;
  readonly texts: KeptTexts;
}

function instance(shared: Shared, era: Era, subscribed: Set<string>): McpServer {
  const mcp = new McpServer(
    { name: "claude-pool", title: "claude-pool", version },
    {
      capabilities: {},
      instructions: instructions(shared.profile, defaultMode(shared.pool.config())),
    },
  );
  const { server } = mcp;
  server.registerCapabilities({
    tools: { listChanged: false },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    completions: {},
  });
  server.setRequestHandler("tools/list", () => ({ tools: [...shared.listed] as never }));
  server.setRequestHandler("tools/call", async ({ params }, ctx) => {
    const result = await callTool(shared, params.name, params.arguments, ctx, era);
    return server.projectCallToolResult(result, undefined);
  });
  server.setRequestHandler("resources/list", async () => ({ resources: [...(await resourceList(shared.pool))] }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [...resourceTemplates] }));
  server.setRequestHandler("resources/read", ({ params }) =>
    refused(() => readResource(shared.pool, shared.texts, params.uri)),
  );
  server.setRequestHandler("prompts/list", async () => ({ prompts: [...(await promptList(shared.pool))] }));
  server.setRequestHandler("prompts/get", ({ params }) =>
    refused(() => promptOf(shared.pool, params.name, params.arguments ?? {})),
  );
  server.setRequestHandler("completion/complete", ({ params }) => completions(shared.pool, params));
  if (era === "legacy") {
    server.setRequestHandler("resources/subscribe", ({ params }) => {
      subscribe(subscribed, params.uri);
      return {};
    });
    server.setRequestHandler("resources/unsubscribe", ({ params }) => {
      subscribed.delete(params.uri);
      return {};
    });
  }
  return mcp;
}

/** A session lives as long as its client likes, so what it may leave here is bounded. */
const mostSubscriptions = 1_000;
const longestUri = 4_096;

function subscribe(subscribed: Set<string>, uri: string): void {
  const problem =
    uri.length > longestUri
      ? `uri: at most ${String(longestUri)} characters, got ${String(uri.length)}.`
      : subscribed.size >= mostSubscriptions && !subscribed.has(uri)
        ? `${String(mostSubscriptions)} resources at once are the most that one session may subscribe to: unsubscribe from some first.`
        : undefined;
  if (problem !== undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, problem);
  subscribed.add(uri);
}

/** Hands changes on until the connection is closed; the newest revision's own router picks what was asked for. */
function tellChanges(mcp: McpServer, feed: ChangeFeed, isWanted: (uri: string) => boolean): void {
  const stop = feed.listen((changed: Changed) => {
    if (!mcp.isConnected()) return;
    const ignore = (): void => undefined; // the connection is gone: nobody is left to be told
    for (const uri of changed.uris) if (isWanted(uri)) mcp.server.sendResourceUpdated({ uri }).catch(ignore);
    if (changed.resources) mcp.server.sendResourceListChanged().catch(ignore);
    if (changed.prompts) mcp.server.sendPromptListChanged().catch(ignore);
  });
  mcp.server.onclose = stop;
}

async function callTool(
  shared: Shared,
  name: string,
  given: unknown,
  ctx: ServerContext,
  era: Era,
): Promise<CallToolResult> {
  const tool = shared.tools.get(name);
  if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, unknownTool(name, shared.tools));
  try {
    const { traceparent, tracestate } = ctx.mcpReq._meta ?? {};
    const calling = (): Promise<object> => tool.call(given, toolCall(shared, ctx, era));
    const answer = toWire(await withCallerTrace(traceContextOf(traceparent, tracestate), calling)) as Record<
      string,
      unknown
    >;
    const { value, cuts } = bounded(present(answer), locate);
    return {
      content: [{ type: "text", text: JSON.stringify(value) }, ...cuts.map(link)],
      structuredContent: value,
    };
  } catch (error) {
    return { content: [{ type: "text", text: JSON.stringify(toolError(error)) }], isError: true };
  }
}

function toolCall({ pool, answerWithinMs, texts }: Shared, ctx: ServerContext, era: Era): ToolCall {
  const { signal, _meta: meta, notify } = ctx.mcpReq;
  const token = meta?.progressToken;
  return {
    pool,
    signal,
    answerWithinMs,
    keep: texts.keep,
    isCancelled: () => isCancelled(ctx, era),
    ...(token === undefined
      ? {}
      : {
          report: (progress) => {
            // A client that does not listen any more is told by the answer, or not at all.
            notify({ method: "notifications/progress", params: { progressToken: token, ...progress } }).catch(
              () => undefined,
            );
          },
        }),
  };
}

/** What clients give as the reason when nobody cancelled but their own clock. */
const timedOut = /\btime[ -]?out\b|\btimed out\b/i;

/**
 * A lost connection is no cancellation, nor is a client that has waited long enough. Over HTTP in the newest revision a lost
 * connection is one: there a client cancels by closing the response.
 */
function isCancelled({ mcpReq: { signal }, http }: ServerContext, era: Era): boolean {
  if (!signal.aborted) return false;
  if (era === "modern" && http?.req?.signal.aborted === true) return true;
  const reason: unknown = signal.reason;
  return !(reason instanceof SdkError) && !(typeof reason === "string" && timedOut.test(reason));
}

function link({ field, uri, kept, total }: Cut): ContentBlock {
  return {
    type: "resource_link",
    uri,
    name: field,
    description: `The rest of ${field}: ${String(kept)} of ${String(total)} are here.`,
  };
}

/** Fields given as undefined are not there. */
function present(fields: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(fields)) as Record<string, unknown>;
}

/** A refusal outside of tools is a protocol error: unknown things as the revision names them, the rest as bad parameters. */
async function refused<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message, { code: error.code });
  }
}

/** The latest of those texts; what is older was asked for long ago. */
const mostTexts = 200;

function keptTexts(): KeptTexts {
  const texts = new Map<string, string>();
  return {
    get: (id) => texts.get(id),
    keep(id, text) {
      texts.set(id, text);
      const [oldest] = texts.keys();
      if (texts.size > mostTexts && oldest !== undefined) texts.delete(oldest);
    },
  };
}
