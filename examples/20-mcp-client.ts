/** What a coordinator sees: `claude-pool mcp` as a child, driven by the official MCP client as Claude Code drives it. */
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api
  .on("Count the notes", text("one note"))
  .on("List the headings", text("Notes"))
  .on("Write the summary", text("One note, under one heading."));

const { cwd, store, env } = stage.options;
const client = new Client({ name: "example", version: "1.0.0" });
await client.connect(
  new StdioClientTransport({
    command: process.execPath,
    args: [
      fileURLToPath(new URL("../bin/claude-pool.js", import.meta.url)),
      "mcp",
      "--store",
      store,
      "--profile",
      "core",
    ],
    cwd,
    env: { ...env, PATH: process.env.PATH ?? "" },
    stderr: "ignore",
  }),
);

interface Answer {
  readonly task_id: string;
  readonly state: string;
  readonly output?: string;
}

async function call<T>(name: string, given: Readonly<Record<string, unknown>>): Promise<T> {
  const { structuredContent } = await client.callTool({ name, arguments: given });
  return structuredContent as T;
}

console.log((await client.listTools()).tools.map((tool) => tool.name).join(" "));

const { results } = await call<{ readonly results: readonly Answer[] }>("pool_fan_out", {
  prompts: ["Count the notes", "List the headings"],
});
for (const { state, output } of results) console.log(state, "->", output);

const { task_id: id } = await call<Answer>("pool_submit_with_review", { prompt: "Write the summary" });
const { done } = await call<{ readonly done: readonly Answer[] }>("pool_wait", { task_ids: [id] });
console.log(done[0]?.state, "->", done[0]?.output);
console.log((await call<Answer>("pool_approve_result", { task_id: id })).state);

await client.close();
