import { connect } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { mcpHandler } from "../../src/mcp/http.ts";
import { scriptedPool } from "../engine/scripted-pool.ts";
import { served, serving } from "./serving.ts";

const token = "a-token-of-twenty-two-characters";

/** Sends bytes as they are and resolves to all that comes back before the server closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
  socket.write(text);
  await once(socket, "close");
  return answer;
}

const statusOf = (answer: string): string => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "nothing";
const codeOf = (answer: string): string | undefined => /"code":"(\w+)"/.exec(answer)?.[1];
const task = JSON.stringify({ prompt: "owned" });
const post = (headers: readonly string[], body = task): string =>
  [
    "POST /v1/tasks HTTP/1.1",
    ...headers,
    "Content-Type: application/json",
    `Content-Length: ${String(body.length)}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");

describe("a hostile page", () => {
  it.each([
    ["a name that was made to point here", ["Host: evil.example"], "403", "forbidden_host"],
    ["no name at all", ["Host:"], "400", undefined],
    ["a name that only begins like ours", ["Host: 127.0.0.1.evil.example"], "403", "forbidden_host"],
    ["another origin", ["Host: localhost", "Origin: https://evil.example"], "403", "forbidden_origin"],
    ["the origin of a file or a sandbox", ["Host: localhost", "Origin: null"], "403", "forbidden_origin"],
    [
      "another port of this machine",
      ["Host: localhost:7673", "Origin: http://localhost:3000"],
      "403",
      "forbidden_origin",
    ],
    [
      "a request that another site caused",
      ["Host: localhost", "Sec-Fetch-Site: cross-site"],
      "403",
      "forbidden_origin",
    ],
    ["a form, which needs no leave to be sent", ["Host: localhost", "Content-Type: text/plain"], "415", "not_json"],
  ])("gets nothing with %s", async (_what, headers, status, code) => {
    const { pool, http } = await served();

    const answer = await raw(
      http.port,
      post(headers).replace(/(Content-Type: text\/plain[\s\S]*)Content-Type: application\/json\r\n/, "$1"),
    );

    const { pendingTasks, completedTasks, runningTasks } = await pool.status();
    expect({
      status: statusOf(answer),
      code: codeOf(answer),
      tasks: pendingTasks + completedTasks + runningTasks,
    }).toEqual({ status, code, tasks: 0 });
  });

  it("gets nothing without the token, nor with a wrong one, on any route but the health checks", async () => {
    const { get, send } = await served({ tokens: [token] });

    const answers = [
      await get("/v1/pool/status"),
      await get("/v1/pool/status", { authorization: "Bearer wrong" }),
      await get("/v1/pool/status", { authorization: `Basic ${token}` }),
      await send("POST", "/v1/tasks", { prompt: "owned" }),
      await get("/v1/pool/events"),
      await get("/metrics"),
      await get("/v1/openapi.json"),
      await get("/nowhere"),
      await get("/healthz"),
      await get("/v1/pool/status", { authorization: `Bearer ${token}` }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401, 401, 401, 200, 200]);
  });

  it("gets nothing beside the page that was let in, whose browser is told so", async () => {
    const { http } = await served({ tokens: [token], allowedOrigins: ["https://dash.example"] });
    const ask = (origin: string, method: string, path = "/v1/pool/status", headers = {}): Promise<Response> =>
      fetch(http.url + path, { method, headers: { origin, ...headers } });
    const bearer = { authorization: `Bearer ${token}` };

    const answers = [
      await ask("https://dash.example", "OPTIONS"),
      await ask("https://evil.example", "OPTIONS"),
      await ask("https://dash.example", "GET", "/v1/pool/status", bearer),
      await ask("https://dash.example", "GET", "/v1/pool/events", bearer),
      await ask("https://dash.example", "GET", "/v1/tasks/none", bearer),
      await ask("https://dash.example", "GET"),
    ];
    for (const { body } of answers) await body?.cancel();

    expect(answers.map(({ status, headers }) => [status, headers.get("access-control-allow-origin")])).toEqual([
      [204, "https://dash.example"],
      [403, null],
      [200, "https://dash.example"],
      [200, "https://dash.example"],
      [404, "https://dash.example"],
      [401, null],
    ]);
  });

  it("gets nothing for a huge body, whether its length is said or not", async () => {
    const { http, get } = await served({ bounds: { maxBodyBytes: 1_000 } });
    const head =
      "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";

    const said = await raw(http.port, `${head}Content-Length: 1000000000\r\n\r\n{`);
    const unsaid = await raw(
      http.port,
      `${head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n${"x".repeat(2_000)}\r\n0\r\n\r\n`,
    );

    expect([statusOf(said), statusOf(unsaid), (await get("/healthz")).status]).toEqual(["413", "413", 200]);
  });

  it("is told of no answer's kind but the one it has, and a page that was let in may speak MCP", async () => {
    const { pool } = await scriptedPool();
    const { http } = await serving(pool, { mcp: mcpHandler(pool), allowedOrigins: ["https://dash.example"] });
    const headers = {
      origin: "https://dash.example",
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "page", version: "1" } };

    const answers = [
      await fetch(`${http.url}/mcp`, {
        method: "POST",
        headers,
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
      }),
      await fetch(`${http.url}/nowhere`, { headers }),
      await fetch(`${http.url}/v1/pool/status`, { headers }),
    ];
    for (const { body } of answers) await body?.cancel();

    expect(
      answers.map((answer) => [
        answer.status,
        answer.headers.get("x-content-type-options"),
        answer.headers.get("access-control-allow-origin"),
        (answer.headers.get("access-control-expose-headers") ?? "").includes("mcp-session-id"),
      ]),
    ).toEqual([200, 404, 200].map((status) => [status, "nosniff", "https://dash.example", true]));
  });

  it("loses its connection when its body or its headers come too slowly", async () => {
    const { http, pool, get } = await served({ bounds: { requestTimeoutMs: 200 } });

    const answers = await Promise.all([
      raw(
        http.port,
        "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
      ),
      raw(http.port, "POST /v1/tasks HTTP/1.1\r\nHost: loc"),
    ]);

    const { completedTasks, runningTasks } = await pool.status();
    expect({
      answers: answers.map(statusOf),
      tasks: completedTasks + runningTasks,
      after: (await get("/healthz")).status,
    }).toEqual({
      answers: ["408", "408"],
      tasks: 0,
      after: 200,
    });
  });

  it("gets no header of more than the bound through", async () => {
    const { http } = await served({ bounds: { maxHeaderBytes: 4_096 } });

    const answer = await raw(
      http.port,
      `GET /v1/pool/status HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(8_000)}\r\nConnection: close\r\n\r\n`,
    );

    expect(statusOf(answer)).toBe("431");
  });
});

describe("bounds", () => {
  it("answers 429 with the time to wait when one address asks too often", async () => {
    const { get } = await served({ bounds: { burst: 3, requestsPerSecond: 0.001 } });

    const answers = [];
    for (let n = 0; n < 4; n += 1) answers.push(await get("/healthz"));

    expect(answers.map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual([
      [200, null],
      [200, null],
      [200, null],
      [429, "1000"],
    ]);
  });

  it("answers 503 at once when as much is under way as may be, and goes on when there is room", async () => {
    const { get, send, runner, pool } = await served(
      { bounds: { maxRequests: 1 } },
      {},
      async (_turn, _launch, { signal }) => {
        await once(signal, "abort");
        return "stopped";
      },
    );
    const task = await pool.submit("hang");
    await runner.waitForTurn("hang");
    const waiting = until(
      () => get(`/v1/tasks/${task.id}/wait?timeout_ms=60000`),
      ({ status }) => status !== 503,
    );
    const refused = await until(
      () => get("/v1/pool/status"),
      ({ status }) => status === 503,
    );
    await pool.cancel(task.id);
    await waiting;

    const after = await send("GET", "/v1/pool/status");

    expect([refused.status, refused.headers.get("retry-after"), after.status]).toEqual([503, "1", 200]);
  });

  it("answers 503 to a stream more than there may be", async () => {
    const { http, get } = await served({ bounds: { maxStreams: 1 } });
    const first = await fetch(`${http.url}/v1/pool/events`);

    const second = await get("/v1/pool/events");

    await first.body?.cancel();
    expect([first.status, second.status]).toEqual([200, 503]);
  });

  it("refuses an address that others reach without a token, and a token that could be guessed", async () => {
    const { pool } = await served();
    const { startHttpServer } = await import("../../src/server/http-server.ts");
    const messages = await Promise.all(
      [{ host: "0.0.0.0" }, { tokens: ["short"] }].map((options) =>
        startHttpServer(pool, { port: 0, ...options }).then(
          () => "it started",
          (error: unknown) => (error as Error).message,
        ),
      ),
    );

    expect(messages).toEqual([
      expect.stringContaining("a token is needed"),
      expect.stringContaining("at least 16 characters"),
    ]);
  });
});

async function until<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isIt(answer)) return answer;
  }
}
