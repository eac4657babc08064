/**
 * The pool's MCP server over streamable HTTP, as one web-standard `fetch` function.
 *
 * To mount it: `app.all("/mcp", (c) => handler.fetch(c.req.raw))`, behind the server's own checks of Host, Origin and token,
 * since none are made here; and `await handler.close()` when the server stops.
 *
 * H1. The newest revision has no sessions: each request has an instance of its own, and changes go over `subscriptions/listen`.
 * H2. Clients of the revisions before it have a session each, so that they can cancel and subscribe; it ends with their
 *     DELETE, or after an hour without a request.
 */
import {
  createMcpHandler,
  isLegacyRequest,
  WebStandardStreamableHTTPServerTransport,
  type McpServer,
} from "@modelcontextprotocol/server";
import type { Pool } from "../pool.ts";
import { poolServer, type PoolServer, type PoolServerOptions } from "./server.ts";

export interface PoolMcpHandler {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly close: () => Promise<void>;
}

export interface McpHttpBounds {
  /** The longest body of a request, in bytes. Default 4 MiB. */
  readonly maxBodyBytes?: number;
  /** The most sessions of clients of older revisions; one more ends the one that was quiet for longest. Default 100. */
  readonly maxSessions?: number;
  readonly onError?: (error: Error) => void;
}

export type McpHttpOptions = PoolServerOptions & McpHttpBounds;

/** The pool over HTTP, for a server to mount. */
export function mcpHandler(pool: Pool, options: McpHttpOptions = {}): PoolMcpHandler {
  const { profile, answerWithinMs, ...bounds } = options;
  const of = {
    ...(profile === undefined ? {} : { profile }),
    ...(answerWithinMs === undefined ? {} : { answerWithinMs }),
  };
  return overHttp(poolServer(pool, of), bounds);
}

/** Any server of this kind over HTTP: what carries its messages knows nothing of what they say. */
export function overHttp(shared: PoolServer, bounds: McpHttpBounds = {}): PoolMcpHandler {
  const { maxBodyBytes = 4 * 1024 * 1024, maxSessions = 100, onError } = bounds;
  const report = (error: Error): void => onError?.(error);
  const modern = createMcpHandler(({ era }) => shared.connect(era, { tellsChanges: false }), {
    legacy: "reject",
    maxRequestBodySize: maxBodyBytes,
    onerror: report,
  });
  const stopTelling = shared.feed.listen((changed) => {
    for (const uri of changed.uris) modern.notify.resourceUpdated(uri);
    if (changed.resources) modern.notify.resourcesChanged();
    if (changed.prompts) modern.notify.promptsChanged();
  });
  const sessions = new Sessions(shared, { maxBodyBytes, maxSessions });
  return {
    fetch: async (request) => {
      const isLegacy = await isLegacyRequest(request, undefined, { maxRequestBodySize: maxBodyBytes });
      return isLegacy ? sessions.fetch(request) : modern.fetch(request);
    },
    async close() {
      stopTelling();
      await sessions.close();
      await modern.close();
      shared.close();
    },
  };
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly mcp: McpServer;
  usedAtMs: number;
}

const longestQuietMs = 3_600_000;

/** H2 */
class Sessions {
  readonly #shared: PoolServer;
  readonly #maxBodyBytes: number;
  readonly #maxSessions: number;
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Session>();

  constructor(shared: PoolServer, bounds: { readonly maxBodyBytes: number; readonly maxSessions: number }) {
    this.#shared = shared;
    this.#maxBodyBytes = bounds.maxBodyBytes;
    this.#maxSessions = bounds.maxSessions;
  }

  async fetch(request: Request): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    const session = id === null ? undefined : this.#sessions.get(id);
    if (id !== null && session !== undefined) {
      this.#touch(id, session);
      return session.transport.handleRequest(request);
    }
    // The revisions say so: a client that hears this opens a new session.
    if (id !== null) return refusal(404, -32001, "No such session: it has ended. Begin with `initialize`.");
    return this.#open(request);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.mcp.close()));
    this.#sessions.clear();
  }

  async #open(request: Request): Promise<Response> {
    const mcp = this.#shared.connect("legacy");
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => globalThis.crypto.randomUUID(),
      maxRequestBodySize: this.#maxBodyBytes,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, { transport, mcp, usedAtMs: Date.now() });
        this.#endQuiet();
      },
      onsessionclosed: (id) => void this.#sessions.delete(id),
    });
    await mcp.connect(transport);
    const response = await transport.handleRequest(request);
    if (transport.sessionId === undefined) await mcp.close(); // it was no `initialize`: nobody will come back to it
    return response;
  }

  #touch(id: string, session: Session): void {
    session.usedAtMs = Date.now();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
  }

  /** The oldest first: those that were quiet for too long, and those beyond the bound. */
  #endQuiet(): void {
    for (const [id, session] of this.#sessions) {
      const isQuiet = Date.now() - session.usedAtMs > longestQuietMs;
      if (!isQuiet && this.#sessions.size <= this.#maxSessions) return;
      this.#sessions.delete(id);
      session.mcp.close().catch(() => undefined); // it is closed either way
    }
  }
}

function refusal(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status });
}
