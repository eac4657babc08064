/**
 * The official conformance suite, in three parts. Most of its scenarios call tools and read resources of the suite's own
 * (`test_image_content`, `test://static-text`), which are no part of a pool and are not built in for its sake. So:
 * what needs none runs against the pool as it is; what needs prompts, against a pool whose user has skills of these names; and what
 * is about carrying messages (notifications in the middle of a call), against a server with the suite's tools
 * behind the pool's own HTTP handler. What is left out is about content that the pool has none of (images, sound), and about
 * questions to the client, which the pool never asks.
 */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { McpServer } from "@modelcontextprotocol/server";
import { expect, test } from "vitest";
import { mcpHandler, overHttp, type PoolMcpHandler } from "../../src/mcp/http.ts";
import type { Pool } from "../../src/pool.ts";
import { scriptedPool } from "../engine/scripted-pool.ts";
import { serving } from "../server/serving.ts";

const program = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")),
  "dist/index.js",
);

/** At least one check, and nothing to say against any: a scenario that found nothing to look at has proved nothing. */
const passed = /^Passed: ([1-9]\d*)\/\1, 0 failed, 0 warnings$/m;

/** What the suite complains of; empty: it passes. */
async function complaint(scenario: string, pool: Pool, mcp: PoolMcpHandler): Promise<string> {
  const { http } = await serving(pool, { mcp });
  const args = [program, "server", "--url", `${http.url}/mcp`, "--scenario", scenario];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve(error === null && passed.test(stdout) ? "" : `${stdout}${stderr}`);
    });
  });
}

test.each([
  "server-initialize",
  "ping",
  "tools-list",
  "resources-list",
  "resources-subscribe",
  "resources-unsubscribe",
  "prompts-list",
  "completion-complete",
  "server-sse-multiple-streams",
  "dns-rebinding-protection",
])("the pool passes %s", async (scenario) => {
  const { pool } = await scriptedPool();
  expect(await complaint(scenario, pool, mcpHandler(pool))).toBe("");
});

test.each(["prompts-get-simple", "prompts-get-with-args"])("a pool with such skills passes %s", async (scenario) => {
  const { pool } = await scriptedPool();
  const [description, argument] = ["A skill of the suite's", { description: "what to say", required: true }];
  await pool.skills.add({ name: "test_simple_prompt", description, prompt: "Say something." });
  await pool.skills.add({
    name: "test_prompt_with_arguments",
    description,
    prompt: "Say {arg1} and {arg2}.",
    arguments: ["arg1", "arg2"].map((name) => ({ name, ...argument })),
  });
  expect(await complaint(scenario, pool, mcpHandler(pool))).toBe("");
});

test.each(["tools-call-with-logging", "tools-call-with-progress"])(
  "what carries the pool's messages over HTTP passes %s",
  async (scenario) => {
    const { pool } = await scriptedPool();
    const feed = { listen: () => () => undefined, close: () => undefined };
    const mcp = overHttp({ connect: suiteServer, feed, close: () => undefined });
    expect(await complaint(scenario, pool, mcp)).toBe("");
  },
);

/** A server with the tools that the suite calls where it is about messages in the middle of a call. */
function suiteServer(): McpServer {
  const mcp = new McpServer({ name: "suite", version: "1" });
  const { server } = mcp;
  server.registerCapabilities({ tools: {}, logging: {} });
  server.setRequestHandler("tools/list", () => ({ tools: [] }));
  server.setRequestHandler("logging/setLevel", () => ({}));
  server.setRequestHandler("tools/call", async ({ params }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? 0;
    for (const progress of [0, 50, 100]) {
      await mcpReq.notify(
        params.name === "test_tool_with_logging"
          ? { method: "notifications/message", params: { level: "info", data: progress } }
          : { method: "notifications/progress", params: { progressToken, progress, total: 100 } },
      );
    }
    return { content: [{ type: "text", text: "done" }] };
  });
  return mcp;
}
