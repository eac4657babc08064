/** Which process wrote something, and whether it is still there. */
import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { performance } from "node:perf_hooks";

/** A process, told from every other that has or will have its pid. */
export interface ProcessMark {
  readonly pid: number;
  /** Linux: ticks since the machine started; elsewhere milliseconds since the epoch. */
  readonly start: string;
  /** The boot and pid namespace, or the host: elsewhere the pid says nothing. */
  readonly machine: string;
}

let self: ProcessMark | undefined;

/** This process. */
export function ownMark(): ProcessMark {
  self ??= {
    pid: process.pid,
    start: startOf(process.pid) ?? String(Math.round(performance.timeOrigin)),
    machine: machine(),
  };
  return self;
}

/** The mark of another process that is alive; undefined if its start cannot be told. */
export function markOf(pid: number): ProcessMark | undefined {
  const start = startOf(pid) ?? psStart(pid);
  return start === undefined ? undefined : { pid, start, machine: machine() };
}

/** `gone` only when that is certain; `unknown` for a process of another machine or container. */
export function stateOf(mark: ProcessMark): "alive" | "gone" | "unknown" {
  if (mark.machine !== ownMark().machine) return "unknown";
  if (!exists(mark.pid)) return "gone";
  if (process.platform === "linux") return startOf(mark.pid) === mark.start ? "alive" : "gone";
  const start = psStart(mark.pid);
  // `ps` knows whole seconds only.
  return start === undefined || Math.abs(Number(start) - Number(mark.start)) < 3_000 ? "alive" : "gone";
}

/** The same for a moment in which many ask of few processes: each is looked at once, since without /proc a look is a process of its own. */
export function statesAtOnce(): typeof stateOf {
  const known = new Map<string, ReturnType<typeof stateOf>>();
  return (mark) => {
    const key = `${String(mark.pid)} ${mark.start} ${mark.machine}`;
    const state = known.get(key) ?? stateOf(mark);
    known.set(key, state);
    return state;
  };
}

/** What was written down, if it is a mark. */
export function markIn(value: unknown): ProcessMark | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, start, machine: where } = value as Partial<Record<keyof ProcessMark, unknown>>;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return typeof start === "string" && typeof where === "string" ? { pid, start, machine: where } : undefined;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // there, but another user's
  }
}

/** From /proc; undefined where there is none, for a process that ended, and for one that nobody has collected yet. */
function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, "latin1");
    // The name in parentheses may hold spaces and parentheses itself; the fields after the last one are fixed.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined; // it ended
  }
}

function psStart(pid: number): string | undefined {
  try {
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env, timeout: 1_000 });
    const at = Date.parse(`${text.trim()} UTC`);
    return Number.isFinite(at) ? String(at) : undefined;
  } catch {
    return undefined; // no such process, or no `ps`: nothing is certain
  }
}

/** `host/boot/pid-namespace`. */
function machine(): string {
  return [
    hostname(),
    ...(process.platform === "linux" ? [line("/proc/sys/kernel/random/boot_id"), namespace()] : []),
  ].join("/");
}

function line(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return ""; // a system that hides it
  }
}

function namespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
