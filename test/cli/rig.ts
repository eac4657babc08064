/** The program in this process: a place of its own, streams that are read afterwards, and interrupts in the test's hand. */
import { spawn as spawnProcess, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { main } from "../../src/cli/main.ts";
import type { InterruptListener, Io } from "../../src/cli/terminal/io.ts";

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A call under way. */
export interface Running {
  /** Ctrl-C. */
  interrupt(): void;
  readonly ran: Promise<Ran>;
}

/** A call in this process. */
export interface Started extends Running {
  /** Resolves when its stdout has said this. */
  hasPrinted(text: string): Promise<void>;
}

/** A call in a process of its own. */
export interface Spawned extends Running {
  /** kill -9 */
  kill(): void;
  /** Resolves to its stderr, once that has said this. */
  hasSaid(text: string): Promise<string>;
}

export interface Rig extends Disposable {
  /** The project's directory. */
  readonly project: string;
  /** Where stores and the user's settings are. */
  readonly poolHome: string;
  readonly claudeHome: string;
  run(argv: readonly string[], options?: CallOptions): Promise<Ran>;
  start(argv: readonly string[], options?: CallOptions): Started;
  /** The program in a process of its own. */
  spawn(argv: readonly string[], env?: Readonly<Record<string, string>>): Spawned;
  /** Writes the user's settings file. */
  userFile(settings: unknown): void;
  /** Writes the project's settings file. */
  projectFile(settings: unknown): void;
}

export function rig(): Rig {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-cli-")));
  const [project, poolHome, claudeHome] = [join(folder, "project"), join(folder, "pools"), join(folder, "home")];
  for (const path of [project, poolHome, claudeHome]) mkdirSync(path);
  const env = { HOME: claudeHome, CLAUDE_POOL_HOME: poolHome };
  const children = new Set<ChildProcess>();
  const file = (path: string, settings: unknown): void => writeFileSync(path, JSON.stringify(settings));
  return {
    project,
    poolHome,
    claudeHome,
    userFile: (settings) => file(join(poolHome, "claude-pool.json"), settings),
    projectFile: (settings) => file(join(project, "claude-pool.json"), settings),
    run: (argv, options = {}) => call(argv, env, project, options).ran,
    spawn(argv, more = {}) {
      const call = spawned(argv, { ...env, ...more }, project);
      children.add(call.child);
      return call;
    },
    start: (argv, options = {}) => call(argv, env, project, options),
    [Symbol.dispose]() {
      for (const child of children) child.kill("SIGKILL"); // only what a failed test has left
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function call(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  project: string,
  options: CallOptions,
): Started {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const listeners = new Set<InterruptListener>();
  const said = { stdout: "", stderr: "" };
  stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  const io: Io = {
    stdout,
    stderr,
    stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
    env: { ...env, ...options.env },
    cwd: options.cwd ?? project,
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const ran = main(argv, io).then((exitCode) => {
    stdout.end();
    stderr.end();
    return { exitCode, ...said };
  });
  return {
    ran,
    async hasPrinted(text) {
      while (!said.stdout.includes(text)) await once(stdout, "data");
    },
    interrupt() {
      for (const listener of [...listeners]) listener(false);
    },
  };
}

const entry = new URL("../../src/cli/main.ts", import.meta.url).href;

function spawned(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Spawned & {
  readonly child: ChildProcess;
} {
  const code = `import { main } from ${JSON.stringify(entry)}; process.exitCode = await main(process.argv.slice(1));`;
  const child = spawnProcess(process.execPath, ["--input-type=module", "-e", code, "--", ...argv], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  const ran = once(child, "close").then(([exitCode]) => ({ exitCode: exitCode as number, ...said }));
  return {
    child,
    ran,
    interrupt: () => child.kill("SIGINT"),
    kill: () => child.kill("SIGKILL"),
    async hasSaid(text) {
      const ended = ran.then(() => {
        if (!said.stderr.includes(text)) throw new Error(`it ended before it said ${text}: ${said.stderr}`);
      });
      while (!said.stderr.includes(text)) await Promise.race([once(child.stderr, "data"), ended]);
      return said.stderr;
    },
  };
}
