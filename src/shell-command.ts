/**
 * A shell command with an end: what checks, set-up commands and the commands inside skills are run by.
 *
 * K1. It has a process group of its own, and when the call is over nothing of that group is alive: not when the command
 *     ended, took too long or was given up, nor after this process itself was killed.
 * K2. What has left the group (`setsid`) is ended too where the system shows its environment (Linux); elsewhere it may hold the
 *     output open for ever, and nobody waits for it longer than `leftOpenMs`.
 */
import { randomUUID } from "node:crypto";
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface ShellCommand {
  /** Run by `/bin/sh -c`. */
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Hears what it prints, as it prints it. */
  readonly onOutput: (data: Buffer, stream: "stdout" | "stderr") => void;
}

/** How it ended; without `code` a signal ended it. */
export interface ShellEnd {
  readonly how: "exited" | "timed_out" | "aborted";
  readonly code?: number;
  readonly signal?: string;
}

/** Runs it to its end; rejects only when it cannot be started at all. */
export function runShellCommand(wanted: ShellCommand): Promise<ShellEnd> {
  if (wanted.signal?.aborted === true) return Promise.resolve({ how: "aborted" });
  const { promise, resolve, reject } = Promise.withResolvers<ShellEnd>();
  const marker = `${markerVariable}=${randomUUID()}`;
  const { child, letGo } = start(wanted, marker);
  let how: ShellEnd["how"] = "exited";
  const end = (cause: "timed_out" | "aborted"): void => {
    how = cause;
    endGroup(child.pid);
    endMarked(marker);
    letGo();
  };
  const abort = (): void => {
    end("aborted");
  };
  const timer = setTimeout(end, wanted.timeoutMs, "timed_out");
  wanted.signal?.addEventListener("abort", abort, { once: true });
  const forget = (): void => {
    clearTimeout(timer);
    wanted.signal?.removeEventListener("abort", abort);
  };
  child.on("error", (error) => {
    forget();
    letGo();
    reject(error);
  });
  child.on("exit", () => {
    forget();
    // What it left in the background, and the watcher.
    endGroup(child.pid);
    endMarked(marker);
    child.stdio[3]?.destroy();
    const leftOpen = setTimeout(letGo, leftOpenMs);
    child.on("close", () => {
      clearTimeout(leftOpen);
    });
  });
  child.on("close", (code, signal) => {
    resolve({ how, ...(code === null ? {} : { code }), ...(signal === null ? {} : { signal }) });
  });
  return promise;
}

function start(wanted: ShellCommand, marker: string): { readonly child: ChildProcess; readonly letGo: () => void } {
  const child = spawn("/bin/sh", ["-c", withWatcher, "sh", wanted.command], {
    cwd: wanted.cwd,
    env: { ...wanted.env, [markerVariable]: marker.slice(markerVariable.length + 1) },
    detached: true,
    // The fourth is the watcher's: it closes when this process is gone.
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const [, stdout, stderr, lifeline] = child.stdio;
  stdout?.on("data", (data: Buffer) => {
    wanted.onOutput(data, "stdout");
  });
  stderr?.on("data", (data: Buffer) => {
    wanted.onOutput(data, "stderr");
  });
  lifeline?.on("error", () => undefined); // it may be gone before this end of it
  const letGo = (): void => {
    for (const stream of [stdout, stderr, lifeline]) stream?.destroy();
  };
  return { child, letGo };
}

/** K1: a process of the group that waits for the end of the one that started it. */
const withWatcher =
  '(read -r _ <&3; kill -s KILL -- "-$$") </dev/null >/dev/null 2>&1 & exec 3<&-; exec /bin/sh -c "$1"';

/** What everything that a command starts has in its environment. */
const markerVariable = "CLAUDE_POOL_COMMAND";

/** K2, in milliseconds. */
const leftOpenMs = 1_000;

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of the group is left
  }
}

/** Again and again, since what is found may be starting another; one round without any is the end. */
function endMarked(marker: string): void {
  if (process.platform !== "linux") return;
  for (let round = 0; round < 20; round += 1) {
    const found = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(marker));
    if (found.length === 0) return;
    for (const pid of found) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // it ended by itself
      }
    }
  }
}

/** Empty for a zombie, one that has ended, and other users' processes. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    return "";
  }
}
