/** A pool on the scripted runner and its HTTP server on a free port, both gone when the test is over. */
import { onTestFinished } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import type { Pool } from "../../src/pool.ts";
import { startHttpServer, type HttpServer, type HttpServerOptions } from "../../src/server/http-server.ts";
import type { RunnerScript, ScriptedRunner } from "../../src/testing/scripted-runner.ts";
import { scriptedPool } from "../engine/scripted-pool.ts";

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Served {
  readonly pool: Pool;
  readonly runner: ScriptedRunner;
  readonly http: HttpServer;
  /** What went wrong inside the server. */
  readonly reports: readonly unknown[];
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answered>;
  readonly send: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answered>;
}

export async function served(
  options: HttpServerOptions = {},
  pool: OpenPoolOptions = {},
  script?: RunnerScript,
): Promise<Served> {
  const scripted = await scriptedPool(pool, script);
  return { ...scripted, ...(await serving(scripted.pool, options)) };
}

/** Serves a pool that is there already. */
export async function serving(pool: Pool, options: HttpServerOptions = {}): Promise<Omit<Served, "pool" | "runner">> {
  const reports: unknown[] = [];
  const http = await startHttpServer(pool, { port: 0, report: (error) => reports.push(error), ...options });
  onTestFinished(() => http.close(0));
  const ask = async (path: string, init: RequestInit): Promise<Answered> => {
    const response = await fetch(http.url + path, init);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
  };
  return {
    http,
    reports,
    get: (path, headers = {}) => ask(path, { headers }),
    send: (method, path, body, headers = {}) =>
      ask(path, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
  };
}
