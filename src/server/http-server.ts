/** The HTTP server: listening, its limits, and how it stops. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { invalidOptions } from "../core/errors.ts";
import type { Pool } from "../pool.ts";
import { createApp } from "./app.ts";
import { defaultBounds, type Bounds } from "./bounds.ts";
import { eventHub } from "./event-hub.ts";
import { isLoopback } from "./guard.ts";
import { checkToken } from "./token.ts";

/** Not among those that other tools of the kind use. */
export const defaultPort = 7673;
export const defaultHost = "127.0.0.1";

export interface HttpServerOptions {
  /** Default `127.0.0.1`; any other than a loopback address needs a token. */
  readonly host?: string;
  /** Default 7673; 0: any that is free. */
  readonly port?: number;
  /** Any of them is good; at least 16 characters each. */
  readonly tokens?: readonly string[];
  readonly allowedHosts?: readonly string[];
  readonly allowedOrigins?: readonly string[];
  readonly bounds?: Partial<Bounds>;
  /** What goes wrong inside. Default: a warning of the process. */
  readonly report?: (error: unknown) => void;
  /** The MCP server, for `/mcp`; closed with this one. */
  readonly mcp?: { readonly fetch: (request: Request) => Promise<Response>; readonly close: () => Promise<void> };
}

export interface HttpServer {
  /** Where it really listens. */
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:7673` */
  readonly url: string;
  /** Takes nothing new, ends the streams and the waits, and lets what runs end within the grace; default 5,000 ms. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves a pool over HTTP until it is closed; the pool stays open.
 *
 * @throws {PoolError} `invalid_options` for an address that others reach without a token, or a token that is too short.
 * @throws the system's error where the port is taken.
 */
export async function startHttpServer(pool: Pool, options: HttpServerOptions = {}): Promise<HttpServer> {
  const { host = defaultHost, port = defaultPort, tokens = [], report = warn } = options;
  checkTokens(host, tokens);
  const bounds = { ...defaultBounds, ...options.bounds };
  const stop = new AbortController();
  const hub = await eventHub(pool);
  const app = createApp({
    pool,
    hub,
    bounds,
    stopping: stop.signal,
    report,
    guard: { host, tokens, allowedHosts: options.allowedHosts ?? [], allowedOrigins: options.allowedOrigins ?? [] },
    ...(options.mcp === undefined ? {} : { mcp: options.mcp.fetch }),
  });
  const server = createServer(
    {
      maxHeaderSize: bounds.maxHeaderBytes,
      requestTimeout: bounds.requestTimeoutMs,
      headersTimeout: Math.min(bounds.requestTimeoutMs, 10_000),
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: Math.min(bounds.requestTimeoutMs, 1_000),
    },
    listener(app.fetch),
  );
  server.maxConnections = bounds.maxConnections;
  try {
    await listening(server, { host, port, backlog: bounds.maxConnections });
  } catch (error) {
    hub.close();
    throw error;
  }
  const { port: bound } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    host,
    port: bound,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${String(bound)}`,
    close: (graceMs = 5_000) =>
      (closing ??= closed(server, graceMs, async () => {
        stop.abort();
        hub.close();
        await options.mcp?.close();
      })),
  };
}

function checkTokens(host: string, tokens: readonly string[]): void {
  if (tokens.length === 0 && !isLoopback(host)) {
    throw invalidOptions(
      `--host: ${JSON.stringify(host)} can be reached by others, so a token is needed. Give --token-file, or set CLAUDE_POOL_TOKEN.`,
      "--host",
    );
  }
  for (const token of tokens) checkToken(token, "tokens");
}

/** It answers or ends every request by itself, so there is nothing to wait for. */
function listener(fetch: Parameters<typeof getRequestListener>[0]): RequestListener {
  const listen = getRequestListener(fetch, { overrideGlobalObjects: false });
  return (incoming, outgoing) => void listen(incoming, outgoing);
}

/** Clients that all come back at once, after a restart, wait for their turn in the system's queue. */
function listening(
  server: Server,
  options: { readonly host: string; readonly port: number; readonly backlog: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...options }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** A connection that does not end by itself in time is cut. */
async function closed(server: Server, graceMs: number, stop: () => Promise<void>): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  await stop();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await ended;
  clearTimeout(cut);
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
