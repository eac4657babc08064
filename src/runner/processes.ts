/** Who is a live process of this machine: by pid and start time, since the system uses pids again. */
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Processes } from "../core/ports.ts";
import { psEnvironment, readStat } from "./process-table.ts";

/** The process table of this machine, read from /proc on Linux and from `ps` elsewhere. */
export function systemProcesses(): Processes {
  const self = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "unknown" };
  return {
    bootId: bootId(),
    self,
    isAlive: ({ pid, startTime }) => startTimeOf(pid) === startTime,
    freeMemoryBytes,
  };
}

/** The system's own start time of a pid as text; undefined: no such process, or only its zombie. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const entry = readStat(pid);
    return entry === undefined || entry.zombie ? undefined : entry.startTime;
  }
  try {
    const line = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: psEnvironment(),
    });
    const [state = "", ...start] = line.trim().split(/\s+/);
    return state === "" || state.startsWith("Z") ? undefined : start.join(" ");
  } catch {
    return undefined; // ps ends with 1 when there is no such process
  }
}

/** Linux's own estimate of what can be taken without swapping; what other systems call free leaves out what they would give back. */
function freeMemoryBytes(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const [, kilobytes] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined; // a system without /proc: then nothing is known, and nothing held back
  }
}

function bootId(): string {
  try {
    if (process.platform === "linux") return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const boot = execFileSync("sysctl", ["-n", "kern.boottime"], { encoding: "utf8" });
    return createHash("sha256").update(`${hostname()} ${boot}`).digest("hex").slice(0, 32);
  } catch {
    return `unknown-${hostname()}`; // a weaker identity: pids and start times still tell processes apart
  }
}
