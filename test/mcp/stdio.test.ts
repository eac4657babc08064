/** `claude-pool mcp` as a child process: what it says where, and how it ends. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { place, processesNaming, realPool, type Place } from "../e2e/real-pool.ts";
import { gate, text } from "../../src/testing/index.ts";
import { programArgs } from "./program.ts";
import { newClient, newest, type Fields } from "./rig.ts";

function environment(here: Place): Record<string, string> {
  return {
    ...here.api.environment(`${here.root}/home`),
    PATH: process.env.PATH ?? "",
    CLAUDE_POOL_HOME: `${here.root}/pools`,
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly said: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

function start(here: Place, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const { command, args } = programArgs("mcp", "--store", here.store, ...argv);
  const child = spawn(command, args, { cwd: here.work, env: { ...environment(here), ...env }, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said.stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said.stderr += chunk));
  return { child, said, ended: once(child, "close").then(([code]) => code as number | null) };
}

async function hasSaid({ child, said }: Started, what: string): Promise<void> {
  while (!said.stderr.includes(what)) await once(child.stderr ?? child, "data");
}

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
};

describe.each(["2025-11-25", newest])("over stdio on revision %s", (revision) => {
  test("real slots do what the official client asks, each of them in a CLI of its own", async () => {
    const here = await place();
    here.api.on("say hello", text("hello")).on("say goodbye", text("goodbye"));
    const client = newClient(revision);
    const transport = new StdioClientTransport({
      ...programArgs("mcp", "--store", here.store),
      cwd: here.work,
      env: environment(here),
      stderr: "ignore",
    });
    await client.connect(transport);
    onTestFinished(() => client.close());
    const { structuredContent } = await client.callTool({
      name: "pool_fan_out",
      arguments: { prompts: ["say hello", "say goodbye"] },
    });
    const status = await client.callTool({ name: "pool_status", arguments: {} });
    const pool = await realPool(here, { slots: 0 });
    const hosts = await pool.hosts();
    expect({
      answers: ((structuredContent as Fields).results as readonly Fields[]).map((one) => [one.state, one.output]),
      status: (status.structuredContent as Fields).completed_tasks,
      host: hosts.map((host) => [host.kind, host.targetSlots]),
    }).toEqual({
      answers: [
        ["completed", "hello"],
        ["completed", "goodbye"],
      ],
      status: 2,
      host: [["mcp", 2]],
    });
  });
});

/** The official client on a server of its own, and the server's pid. */
async function session(here: Place): Promise<{ readonly client: Client; readonly pid: () => number }> {
  const client = newClient("2025-11-25");
  const transport = new StdioClientTransport({
    ...programArgs("mcp", "--store", here.store, "--slots", "1"),
    cwd: here.work,
    env: environment(here),
    stderr: "ignore",
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { client, pid: () => transport.pid ?? 0 };
}

describe("claude-pool mcp", () => {
  test("killed in the middle of a call loses nothing: the next server's pool_wait has the result", async () => {
    const here = await place();
    const cutOff = gate(text("never heard"));
    here.api.on("long work", cutOff).on("cut off by a crash", text("done after all"));
    const first = await session(here);
    const calling = first.client.callTool({ name: "pool_run", arguments: { prompt: "long work" } });
    const failed = expect(calling).rejects.toThrow();
    await cutOff.reached;
    process.kill(first.pid(), "SIGKILL");
    await failed;
    cutOff.release();
    const second = await session(here);
    const listed = await second.client.callTool({ name: "pool_list_tasks", arguments: {} });
    const [task] = (listed.structuredContent as Fields).tasks as readonly Fields[];
    const waited = await second.client.callTool({ name: "pool_wait", arguments: { task_ids: [task?.task_id] } });
    expect(
      ((waited.structuredContent as Fields).done as readonly Fields[]).map((one) => [one.state, one.output]),
    ).toEqual([["completed", "done after all"]]);
  });

  test("writes nothing but the protocol to stdout, and ends with its stdin", async () => {
    const here = await place();
    const server = start(here, []);
    server.child.stdin?.write(`${JSON.stringify(initialize)}\nno json at all\n`);
    await once(server.child.stdout ?? server.child, "data");
    server.child.stdin?.end();
    const code = await server.ended;
    const lines = server.said.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Fields);
    const pool = await realPool(here, { slots: 0 });
    expect([code, lines.map((line) => [line.jsonrpc, line.id]), (await pool.hosts()).length]).toEqual([
      0,
      [["2.0", 1]],
      0,
    ]);
  });

  test.each([["its stdin ends"], ["it is told to end"]])(
    "when %s, gives what runs its grace and the rest back to the queue",
    async (how) => {
      const here = await place();
      const never = gate(text("never said"));
      here.api.on("long work", never);
      const server = start(here, ["--slots", "1", "--grace", "10ms"]);
      await hasSaid(server, "over MCP");
      const pool = await realPool(here, { slots: 0 });
      const task = await pool.submit("long work");
      await never.reached;
      if (how === "its stdin ends") server.child.stdin?.end();
      else server.child.kill("SIGTERM");
      const code = await server.ended;
      never.release();
      expect([code, (await task.get()).state, (await pool.hosts()).length, processesNaming(here.root)]).toEqual([
        0,
        "pending",
        0,
        [],
      ]);
    },
  );

  test("says in a line that it ignored what is no message, and goes on", async () => {
    const here = await place();
    const server = start(here, ["--slots", "0"]);
    await hasSaid(server, "over MCP");
    server.child.stdin?.write(`no json\n[1,2]\n"text"\n{"jsonrpc":"1.0"}\n${JSON.stringify(initialize)}\n`);
    await once(server.child.stdout ?? server.child, "data");
    server.child.stdin?.end();
    const code = await server.ended;
    const [, ...said] = server.said.stderr.trim().split("\n");
    const ignored = "mcp: a message that is no JSON-RPC was ignored";
    expect([code, said, (JSON.parse(server.said.stdout) as Fields).id]).toEqual([0, [ignored, ignored, ignored], 1]);
  });

  test("does not open inside a slot", async () => {
    const here = await place();
    const server = start(here, [], { CLAUDE_POOL_MARKER: "a-slot" });
    expect([await server.ended, server.said.stderr.includes("inside a slot"), server.said.stdout]).toEqual([
      4,
      true,
      "",
    ]);
  });

  test("refuses a profile that is none, and says which there are", async () => {
    const here = await place();
    const server = start(here, ["--profile", "cor"]);
    expect([await server.ended, server.said.stderr.includes("core")]).toEqual([2, true]);
  });
});
