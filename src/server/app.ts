/**
 * The HTTP surface as one Hono application.
 *
 * A1. Every request passes the guard, then the bounds, then its route; whatever fails is a problem document.
 * A2. A route is what its entry in the tables says, for the router and for the OpenAPI document alike.
 */
import { createHash } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono, type Context } from "hono";
import { matchedRoutes } from "hono/route";
import { withCallerTrace } from "../caller-trace.ts";
import { PoolError } from "../core/errors.ts";
import { traceContextOf } from "../core/trace-context.ts";
import { toWire } from "../core/wire.ts";
import type { Pool } from "../pool.ts";
import { parseRest, streamQuery } from "../schema/rest.ts";
import { limiter, type Bounds, type Limiter } from "./bounds.ts";
import type { EventHub } from "./event-hub.ts";
import { guard, type GuardOptions } from "./guard.ts";
import { httpMetrics } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";
import { HttpError, problemResponse } from "./problem.ts";
import { readBody, readQuery } from "./read-request.ts";
import { methods, type Route } from "./route.ts";
import { routes } from "./routes.ts";
import { cursorOf, play, streamRoutes, type StreamRoute } from "./streams.ts";

export interface AppParts {
  readonly pool: Pool;
  readonly hub: EventHub;
  readonly guard: GuardOptions;
  readonly bounds: Bounds;
  /** Fires when the server stops. */
  readonly stopping: AbortSignal;
  readonly report: (error: unknown) => void;
  /** A web-standard handler for `/mcp`, behind the same guard and bounds. */
  readonly mcp?: (request: Request) => Promise<Response>;
}

type Env = { readonly Bindings: HttpBindings };
type Ask = Context<Env>;

const heartbeatMs = 15_000;

export function createApp(parts: AppParts): Hono<Env> {
  const { pool, bounds, stopping, report } = parts;
  const app = new Hono<Env>();
  const limits = limiter(bounds, () => performance.now());
  const metrics = httpMetrics(pool, limits);
  const check = guard(parts.guard);

  app.onError((error) => problemResponse(error, report));
  app.notFound((c) => problemResponse(noRoute(c), report));
  app.use(async (c, next) => {
    const begun = performance.now();
    await next();
    if (c.res === RESPONSE_ALREADY_SENT) return;
    c.header("x-content-type-options", "nosniff");
    metrics.answered(routeOf(c), c.req.method, c.res.status, performance.now() - begun);
  });
  app.use(async (c, next) => {
    limits.take(c.env.incoming.socket.remoteAddress ?? "");
    const { origin } = check({ method: c.req.method, headers: c.req.raw.headers, path: c.req.path });
    if (origin !== undefined) letIn(c, origin);
    if (origin !== undefined && c.req.method === "OPTIONS") return c.body(null, 204);
    await withCallerTrace(traceContextOf(c.req.header("traceparent"), c.req.header("tracestate")), next);
    if (c.res === RESPONSE_ALREADY_SENT) return;
    if (origin !== undefined) letIn(c, origin); // a problem document, or what MCP answered, is an answer of its own
  });
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/health", (c) => c.text("ok"));
  app.get("/readyz", (c) => ready(c, pool, stopping));
  app.get("/metrics", async (c) => c.text(await metrics.text(), 200, { "content-type": metrics.contentType }));
  const document = JSON.stringify(openApiDocument());
  app.get("/v1/openapi.json", (c) => tagged(c, document, 200));
  const { mcp } = parts;
  if (mcp !== undefined) app.all("/mcp", (c) => counted(limits, () => mcp(c.req.raw)));

  for (const route of streamRoutes) {
    app.get(route.path, (c) => openStream(c, route, { ...parts, limits, ended: metrics.streamEnded }));
  }
  for (const route of routes) {
    app.on(route.method, route.path, (c) =>
      counted(
        limits,
        () => {
          const signal = AbortSignal.any([c.req.raw.signal, stopping]);
          return answer(c, route, { pool, signal, maxBodyBytes: bounds.maxBodyBytes });
        },
        stopping,
      ),
    );
  }
  for (const [path, allowed] of allowedMethods()) {
    app.all(path, () => {
      const list = allowed.join(", ");
      throw new HttpError("method_not_allowed", `This route takes ${list}.`, { allow: list });
    });
  }
  return app;
}

/** What the browser of a page that may ask wants to be told. */
function letIn(c: Ask, origin: string): void {
  c.header("access-control-allow-origin", origin);
  c.header("vary", "origin");
  c.header("access-control-allow-methods", methods.join(", "));
  c.header(
    "access-control-allow-headers",
    "authorization, content-type, idempotency-key, if-none-match, last-event-id, mcp-protocol-version, mcp-session-id",
  );
  c.header("access-control-expose-headers", "etag, mcp-session-id, retry-after");
  c.header("access-control-max-age", "600");
}

/** A request under way, until its answer begins. */
async function counted(limits: Limiter, body: () => Promise<Response>, stopping?: AbortSignal): Promise<Response> {
  const leave = limits.enter("requests");
  try {
    return await body();
  } catch (error) {
    const isCut = stopping?.aborted === true && error instanceof PoolError && error.code === "aborted";
    throw isCut ? new HttpError("stopping", "The server is stopping. What was submitted goes on.") : error;
  } finally {
    leave();
  }
}

interface AnswerParts {
  readonly pool: Pool;
  readonly signal: AbortSignal;
  readonly maxBodyBytes: number;
}

async function answer(c: Ask, route: Route, { pool, signal, maxBodyBytes }: AnswerParts): Promise<Response> {
  const hasBody = route.body !== undefined;
  const value = await route.handle({
    pool,
    param: (name) => c.req.param(name) ?? "",
    query: checkedQuery(route, new URL(c.req.url).searchParams),
    body: hasBody ? await readBody(c.req.raw, maxBodyBytes, route.isBodyOptional === true) : {},
    key: c.req.header("idempotency-key"),
    signal,
  });
  if (route.answer === undefined) return c.body(null, 204);
  return tagged(
    c,
    JSON.stringify(route.isWire === true ? value : toWire(value)),
    route.status === 204 ? 200 : route.status,
  );
}

/** A route without a query takes none, as an unknown field is refused anywhere else. */
function checkedQuery(route: Route, params: URLSearchParams): Readonly<Record<string, unknown>> {
  if (route.query !== undefined || params.size === 0) return readQuery(route.query, params);
  throw new HttpError(
    "malformed_request",
    `This route takes no query; ${JSON.stringify([...params.keys()][0]?.slice(0, 100))} was given.`,
  );
}

/** JSON with an ETag of what it says; 304 to whoever has it already. */
function tagged(c: Ask, json: string, status: 200 | 201 | 202): Response {
  if (c.req.method !== "GET" && c.req.method !== "HEAD")
    return c.body(json, status, { "content-type": "application/json" });
  const etag = `"${createHash("sha256").update(json).digest("base64url").slice(0, 27)}"`;
  const known = (c.req.header("if-none-match") ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  const headers = { etag, "cache-control": "no-cache" };
  if (known.includes(etag) || known.includes("*")) return c.body(null, 304, headers);
  return c.body(json, status, { ...headers, "content-type": "application/json" });
}

async function ready(c: Ask, pool: Pool, stopping: AbortSignal): Promise<Response> {
  if (stopping.aborted) throw new HttpError("stopping", "The server is stopping.");
  const { shutdown } = await pool.status();
  return c.json({ status: shutdown ? "drained" : "ready" }, shutdown ? 503 : 200);
}

type StreamingParts = AppParts & {
  readonly limits: Limiter;
  readonly ended: (why: string) => void;
};

async function openStream(c: Ask, route: StreamRoute, parts: StreamingParts): Promise<Response> {
  const { pool, hub, bounds, stopping, report, limits, ended } = parts;
  const query = parseRest(streamQuery, readQuery(streamQuery, new URL(c.req.url).searchParams));
  const after = cursorOf(c.req.header("last-event-id")) ?? query.after;
  if (stopping.aborted) throw new HttpError("stopping", "The server is stopping.");
  const leave = limits.enter("streams");
  try {
    const opened = await route.open(pool, c.req.param("id") ?? "", after, hub);
    if (opened === undefined) return c.body(null, 204);
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream; charset=utf-8" });
    const origin = c.res.headers.get("access-control-allow-origin");
    const playing = play(c.env.outgoing, opened, {
      ...(origin === null ? {} : { origin }),
      hub,
      heartbeatMs,
      stalledMs: bounds.stalledStreamMs,
      signal: stopping,
      report,
    });
    ended(await playing);
    return RESPONSE_ALREADY_SENT;
  } finally {
    leave();
  }
}

function noRoute(c: Ask): HttpError {
  return new HttpError(
    "route_not_found",
    `No route ${c.req.method} ${c.req.path.slice(0, 200)}. \`GET /v1/openapi.json\` has all of them.`,
  );
}

/** The path as it was written, so that ids make no series of their own. */
function routeOf(c: Ask): string {
  const matched = matchedRoutes(c)
    .map(({ path }) => path)
    .filter((path) => !path.includes("*"));
  return matched[0] ?? "none";
}

function allowedMethods(): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>();
  const add = (path: string, method: string): unknown => all.get(path)?.push(method) ?? all.set(path, [method]);
  for (const { path, method } of routes) add(path, method);
  for (const path of [...streamRoutes.map((route) => route.path), ...plainPaths]) add(path, "GET");
  return all;
}

/** Routes that are not in the tables. */
const plainPaths = ["/healthz", "/health", "/readyz", "/metrics", "/v1/openapi.json"] as const;
