/** The same server over streamable HTTP, mounted where `serve --http` mounts it. */
import { StreamableHTTPClientTransport, type Client } from "@modelcontextprotocol/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { mcpHandler, type McpHttpOptions } from "../../src/mcp/http.ts";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import { eventOf, held, scriptedPool } from "../engine/scripted-pool.ts";
import { serving } from "../server/serving.ts";
import { newClient, newest, revisions, type Fields } from "./rig.ts";

/** The revisions that know streamable HTTP. */
const httpRevisions = revisions.filter((revision) => revision >= "2025-03-26");
const token = "a-token-of-the-test";

async function setup(options: McpHttpOptions = {}, script?: RunnerScript) {
  const made = await scriptedPool({}, script);
  const { http } = await serving(made.pool, { mcp: mcpHandler(made.pool, options), tokens: [token] });
  const url = new URL("/mcp", http.url);
  return {
    ...made,
    url,
    async client(revision: string): Promise<Client> {
      const client = newClient(revision);
      const transport = new StreamableHTTPClientTransport(url, {
        requestInit: { headers: { authorization: `Bearer ${token}` } },
      });
      await client.connect(transport);
      onTestFinished(() => client.close());
      return client;
    },
  };
}

describe.each(httpRevisions)("over HTTP on revision %s", (revision) => {
  test("tools, resources, prompts and completion answer as over stdio", async () => {
    const here = await setup();
    const client = await here.client(revision);
    const told: unknown[] = [];
    const { structuredContent } = await client.callTool(
      { name: "pool_fan_out", arguments: { prompts: ["a", "b"] } },
      { onprogress: ({ total }) => told.push(total) },
    );
    const { task_id: id } = ((structuredContent as Fields).results as readonly Fields[])[0] ?? {};
    const { contents } = await client.readResource({ uri: `pool://results/${String(id)}?from=0` });
    const completion = await client.complete({
      ref: { type: "ref/resource", uri: "pool://slots/{id}" },
      argument: { name: "id", value: "" },
    });
    expect({
      tools: (await client.listTools()).tools.length > 40,
      results: ((structuredContent as Fields).results as readonly Fields[]).map((one) => one.output),
      told: told.length > 0 && told.every((total) => total === 2),
      text: contents,
      prompts: (await client.listPrompts()).prompts.some((prompt) => prompt.name === "summarize"),
      slots: completion.completion.values,
      refusal: (await client.callTool({ name: "pool_run", arguments: { promt: "x" } })).isError,
    }).toMatchObject({
      tools: true,
      results: ["ok", "ok"],
      told: true,
      text: [{ text: "ok" }],
      prompts: true,
      slots: ["slot-1"],
      refusal: true,
    });
  });

  test("a client's cancellation cancels the work", async () => {
    const here = await setup({}, () => held<string>().promise);
    const client = await here.client(revision);
    const stop = new AbortController();
    const failed = expect(
      client.callTool({ name: "pool_run", arguments: { prompt: "long" } }, { signal: stop.signal }),
    ).rejects.toThrow();
    await here.runner.waitForTurn("long");
    stop.abort();
    await failed;
    const [task] = (await here.pool.list()).tasks;
    await eventOf(here.pool, "task.finished", task?.id);
    expect((await here.pool.list()).tasks.map((one) => one.state)).toEqual(["cancelled"]);
  });

  test("a subscriber is told of what changed", async () => {
    const here = await setup();
    const client = await here.client(revision);
    const heard = Promise.withResolvers<string>();
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => heard.resolve(params.uri));
    if (revision === newest) await client.listen({ resourceSubscriptions: ["pool://context"] });
    else await client.subscribeResource({ uri: "pool://context" });
    await here.pool.setContext("a", "b");
    expect(await heard.promise).toBe("pool://context");
  });
});

describe("the handler", () => {
  test("lets nobody in without the token, and no page of another origin", async () => {
    const { url } = await setup();
    const ask = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: "{}" }))
        .status;
    expect([await ask({}), await ask({ authorization: `Bearer ${token}`, origin: "https://evil.example" })]).toEqual([
      401, 403,
    ]);
  });

  test("answers a session that it does not know so that the client begins anew, and bounds how many there are", async () => {
    const here = await setup({ maxSessions: 2 });
    const first = await here.client("2025-06-18");
    await here.client("2025-06-18");
    await here.client("2025-06-18");
    await expect(first.listTools()).rejects.toThrow(/No such session|404/);
  });

  test("ends with the work in the queue when the server stops under a call", async () => {
    const gate = held<string>();
    const pool = await scriptedPool({}, () => gate.promise);
    const handler = mcpHandler(pool.pool);
    const { http } = await serving(pool.pool, { mcp: handler });
    const client = newClient(newest);
    await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", http.url)));
    onTestFinished(() => client.close());
    const failed = expect(client.callTool({ name: "pool_run", arguments: { prompt: "cut off" } })).rejects.toThrow();
    await pool.runner.waitForTurn("cut off");
    await http.close(0);
    await failed;
    gate.release("kept");
    const [task] = (await pool.pool.list()).tasks;
    await eventOf(pool.pool, "task.finished", task?.id);
    expect((await pool.pool.result(task?.id ?? "")).result?.output).toBe("kept");
  });
});
