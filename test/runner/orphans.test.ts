import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ProcessIdentity } from "../../src/core/task.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { toolUse } from "../../src/testing/index.ts";
import { countMarked, countRunning, ending, run, startRig } from "./rig.ts";

const script = fileURLToPath(new URL("doomed-host.ts", import.meta.url));

describe.each(["auto", "off"] as const)("what a killed host leaves (process namespace: %s)", (processNamespace) => {
  it("is found and ended, tools and all, and its conversation is found by the run's id", async () => {
    await using rig = await startRig({ processNamespace });
    const file = await rig.write("log.txt", "");
    const name = `claude-pool-test-${crypto.randomUUID()}`;
    const runId = crypto.randomUUID();
    rig.api.on(
      "work",
      toolUse("Bash", {
        command: `(setsid bash -c 'exec -a ${name} tail -f ${file}' >/dev/null 2>&1 &) ; tail -f ${file}`,
      }),
    );
    const options = {
      processNamespace,
      killGraceMs: 1_000,
      env: { PATH: process.env["PATH"], ...rig.api.environment(rig.home) },
    };
    const sinceMs = Date.now();
    const host = spawn(process.execPath, [script, JSON.stringify(options), rig.cwd, "work", runId], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void host.kill("SIGKILL"));
    const [line] = (await once(createInterface({ input: host.stdout }), "line")) as [string];
    const identity = JSON.parse(line) as ProcessIdentity;
    await expect.poll(() => countRunning(name)).toBeGreaterThan(0);
    host.kill("SIGKILL");
    await once(host, "exit");
    const outlived = systemProcesses().isAlive(identity);
    await rig.runner.endOrphan(identity);
    const remains = await rig.runner.remains({ runId, cwd: rig.cwd, sinceMs });
    const resumed = await rig.open({}, remains.sessionId === undefined ? {} : { resume: remains.sessionId });
    await resumed.close();
    expect({
      outlived,
      alive: systemProcesses().isAlive(identity),
      marked: await countMarked(identity.marker),
      tools: await countRunning(name),
      conversation: remains.sessionId !== undefined,
      cost: remains.costMicrodollars,
      other: await rig.runner.remains({ runId: crypto.randomUUID(), cwd: rig.cwd, sinceMs }),
    }).toEqual({
      outlived: true,
      alive: false,
      marked: 0,
      tools: 0,
      conversation: true,
      cost: 600,
      other: {},
    });
  });
});

describe("ending an orphan", () => {
  it("never touches a process that was given the pid again, nor minds one that is gone", async () => {
    await using rig = await startRig();
    const bystander = spawn("tail", ["-f", "/dev/null"], { stdio: "ignore" });
    const processes = systemProcesses();
    const pid = bystander.pid ?? 0;
    await rig.runner.endOrphan({ pid, startTime: "1", marker: "none" });
    await rig.runner.endOrphan({ pid: 4_194_303, startTime: "1", marker: "none" });
    const alive =
      bystander.exitCode === null && bystander.signalCode === null && processes.isAlive({ ...processes.self });
    bystander.kill("SIGKILL");
    await once(bystander, "exit");
    expect(alive).toBe(true);
  });
});

/** The smallest MCP server that the CLI connects to. */
const serverScript = `
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const capabilities = { tools: {} };
  const serverInfo = { name: "still", version: "1" };
  const result = method === "initialize" ? { protocolVersion: params.protocolVersion, capabilities, serverInfo } : { tools: [] };
  console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
});`;

describe("a slot's servers", () => {
  it.each([
    ["does not start", { command: "/nonexistent/server" }, "its status is failed"],
    ["is not defined as Claude wants it", { comand: "x" }, "does not take the definition"],
  ])("fail the task that asked for one that %s, and the process is not used again", async (_why, server, error) => {
    await using rig = await startRig();
    const slot = await rig.open({ mcpServers: { mine: server } });
    const { outcome } = await run(slot, "task");
    expect([ending(outcome), outcome.result.error?.includes(error), await slot.clear()]).toEqual([
      { kind: "failed", reason: "mismatch" },
      true,
      false,
    ]);
  });

  it("outlive a task, and end with the process", async () => {
    await using rig = await startRig();
    const server = await rig.write(`server-${crypto.randomUUID()}.cjs`, serverScript);
    const slot = await rig.open({ mcpServers: { still: { command: process.execPath, args: [server] } } });
    const { outcome } = await run(slot, "task");
    const afterTask = await countRunning(server);
    const memory = await slot.memoryBytes();
    await slot.close();
    expect({
      ending: ending(outcome),
      afterTask,
      afterClose: await countRunning(server),
      memory: (memory ?? 0) > 50_000_000,
    }).toEqual({ ending: { kind: "completed" }, afterTask: 1, afterClose: 0, memory: true });
  });
});
