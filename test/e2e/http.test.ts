import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { expect, it, onTestFinished } from "vitest";
import { mcpHandler } from "../../src/mcp/http.ts";
import { startHttpServer } from "../../src/server/http-server.ts";
import { text, toolUse } from "../../src/testing/index.ts";
import { receiver } from "../webhooks/receiver.ts";
import { sse } from "../server/sse.ts";
import { place, realPool } from "./real-pool.ts";

const token = "a-token-of-twenty-two-characters";
const bearer = { authorization: `Bearer ${token}`, "content-type": "application/json" };

it("has the real CLI do what came over HTTP, tells it by stream and webhook, and serves MCP behind the same token", async () => {
  const here = await place();
  const file = join(here.work, "made.txt");
  here.api.on("Make the file", toolUse("Write", { file_path: file, content: "made over HTTP" }), text("Made."));
  const pool = await realPool(here);
  const mcp = mcpHandler(pool);
  const http = await startHttpServer(pool, { port: 0, tokens: [token], mcp });
  onTestFinished(() => http.close(0));
  const hook = await receiver();
  pool.webhooks.deliver();
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(http.url + path, { method: "POST", headers: bearer, body: JSON.stringify(body) });
    return response.json();
  };
  await post("/v1/webhooks", { url: hook.url, events: ["task_completed"], allow_private: true });

  const { task_id: id } = (await post("/v1/tasks", { prompt: "Make the file", permission_mode: "acceptEdits" })) as {
    readonly task_id: string;
  };
  const client = await sse(`${http.url}/v1/tasks/${id}/stream`, undefined, { authorization: bearer.authorization });
  await client.ended;
  await hook.has(1);

  const coordinator = new Client({ name: "test", version: "1" });
  const url = new URL(`${http.url}/mcp`);
  await coordinator.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: bearer.authorization } } }),
  );
  const asked = await coordinator.callTool({ name: "pool_result", arguments: { task_id: id } });
  await coordinator.close();
  const strangers = await Promise.all([
    fetch(url, { method: "POST", body: "{}" }),
    fetch(url, { method: "POST", body: "{}", headers: { ...bearer, origin: "https://evil.example" } }),
  ]);

  expect({
    file: readFileSync(file, "utf8"),
    tool: client.messages.some(({ event, data }) => event === "task.tool" && JSON.stringify(data).includes("Write")),
    end: client.messages.at(-1)?.event,
    hook: hook.got.map(({ event }) => event),
    mcp: JSON.stringify(asked.structuredContent).includes("Made."),
    strangers: strangers.map(({ status }) => status),
  }).toEqual({
    file: "made over HTTP",
    tool: true,
    end: "complete",
    hook: ["task_completed"],
    mcp: true,
    strangers: [401, 403],
  });
});
