import { spawn } from "node:child_process";
import { once } from "node:events";
import { totalmem } from "node:os";
import { describe, expect, it } from "vitest";
import { markerVariable, processTable, psTable } from "../../src/runner/process-table.ts";
import { startTimeOf, systemProcesses } from "../../src/runner/processes.ts";

describe("the system's processes", () => {
  it("are alive by pid and start time together", async () => {
    const processes = systemProcesses();
    const child = spawn("tail", ["-f", "/dev/null"], { stdio: "ignore" });
    const pid = child.pid ?? 0;
    const startTime = startTimeOf(pid) ?? "";
    const alive = processes.isAlive({ pid, startTime });
    const reused = processes.isAlive({ pid, startTime: `${startTime}1` });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect({
      alive,
      reused,
      ended: processes.isAlive({ pid, startTime }),
      self: processes.isAlive(processes.self),
      pid: processes.self.pid,
      boot: [processes.bootId.length > 8, systemProcesses().bootId === processes.bootId],
    }).toEqual({ alive: true, reused: false, ended: false, self: true, pid: process.pid, boot: [true, true] });
  });

  it.runIf(process.platform === "linux")("are told how much memory they may take", () => {
    const free = systemProcesses().freeMemoryBytes() ?? 0;
    expect([free > 1_000_000, free <= totalmem(), Number.isInteger(free)]).toEqual([true, true, true]);
  });

  it.each([
    ["its own table", processTable()],
    ["ps", psTable],
  ])("are listed with parent, group and marker by %s", async (_, table) => {
    const marker = crypto.randomUUID();
    const env = { ...process.env, [markerVariable]: marker };
    const child = spawn("tail", ["-f", "/dev/null"], { stdio: "ignore", detached: true, env });
    const listed = await table.list();
    const found = await table.marked(
      listed.map((entry) => entry.pid),
      marker,
    );
    const entry = listed.find(({ pid }) => pid === child.pid);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect({ found: [...found], ...entry, startTime: entry?.startTime !== "" }).toEqual({
      found: [child.pid],
      pid: child.pid,
      ppid: process.pid,
      pgid: child.pid,
      sid: child.pid,
      startTime: true,
      zombie: false,
    });
  });
});
