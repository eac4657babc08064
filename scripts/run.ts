/** Starts the programs of this repository's own node_modules, so that a script works from npm and by hand alike. */
import { spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A program that takes longer counts as failed: a hang is a failure. Milliseconds. */
  readonly timeoutMs?: number;
  /** Keep what it prints instead of passing it on. */
  readonly quiet?: boolean;
}

export interface RunResult {
  readonly exitCode: number;
  /** Both streams, in the order they came; empty unless `quiet`. */
  readonly output: string;
  readonly stdout: string;
}

/** The environment in which `node` and every tool are this repository's. */
export function toolEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [resolve("node_modules/.bin"), process.env.PATH].join(delimiter), ...extra };
}

/** Runs a program with its output passed on. @throws if it does not exit with 0. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await tryRun(program, args, options);
  if (result.exitCode === 0) return result;
  throw new Error(`${[program, ...args].join(" ")}: exit ${String(result.exitCode)}\n${result.output}`);
}

/** The same, but any exit code is an answer; a program that was killed, by a signal or the time limit, has -1. */
export async function tryRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeoutMs = 600_000 } = options;
  const child = spawn(program, args, {
    cwd: options.cwd ?? process.cwd(),
    env: options.env === undefined ? toolEnvironment() : { ...options.env },
    stdio: options.quiet === true ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    // A group of its own, so that a program over its time is ended with everything it started.
    detached: true,
  });
  let output = "";
  let stdout = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  // Ctrl-C reaches only the terminal's own group.
  const onInterrupt = (): void => {
    endGroup(child.pid);
    process.exit(130);
  };
  process.once("SIGINT", onInterrupt);
  const timer = setTimeout(() => {
    output += `\n(ended: it took longer than ${String(timeoutMs)} ms)`;
    endGroup(child.pid);
  }, timeoutMs);
  try {
    const code = await new Promise<number | null>((done, failed) => {
      child.once("error", failed).once("close", done);
    });
    return { exitCode: code ?? -1, output, stdout };
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", onInterrupt);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // it ended by itself in the same moment
  }
}
