/** Hooks as Claude Code calls them: in a folder and a home of their own, gone when the test ends. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { fileURLToPath } from "node:url";
import { handle, type HookAnswer } from "../../src/hooks/handle.ts";
import { hookInput } from "../../src/hooks/input.ts";

export type Fields = Readonly<Record<string, unknown>>;

const program = fileURLToPath(new URL("../../plugin/hooks/claude-pool-hook.cjs", import.meta.url));

/** Session, event, and what else of input and environment. */
export type HookCall = readonly [string, string, Fields?, Readonly<Record<string, string>>?];

export interface HookPlace {
  readonly root: string;
  readonly work: string;
  readonly home: string;
  /** The log's folder. */
  readonly pool: string;
  /** A hook of a session in this process; resolves to what it tells the model. */
  hook(...call: HookCall): Promise<string>;
  /** The same; resolves to its whole answer. */
  answer(...call: HookCall): Promise<Fields>;
  /** The program itself, with any stdin. */
  run(stdin: string | Buffer, env?: Readonly<Record<string, string>>): Ran;
  lines(): readonly Fields[];
  /** Adds lines to the log as they are. */
  write(...lines: readonly unknown[]): void;
  errors(): string;
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function hookPlace(): HookPlace {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-hooks-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [work, home] = [join(root, "work"), join(root, "home")];
  for (const path of [work, home]) mkdirSync(path);
  const pool = join(home, ".claude", "pool");
  const file = join(pool, "instance_state.jsonl");
  const own = { HOME: home, CLAUDE_PROJECT_DIR: work };
  const answer = async (
    ...[session, event, fields = {}, env = {}]: HookCall
  ): Promise<HookAnswer["hookSpecificOutput"] | undefined> => {
    const text = JSON.stringify({ session_id: session, hook_event_name: event, cwd: work, ...fields });
    const input = hookInput(text);
    if (input === undefined) throw new Error(`no hook's input: ${text}`);
    return (await handle(input, { ...own, ...env }, Date.now() / 1000))?.hookSpecificOutput;
  };
  return {
    root,
    work,
    home,
    pool,
    hook: async (...call) => (await answer(...call))?.additionalContext ?? "",
    answer: async (...call) => ({ ...(await answer(...call)) }),
    run(stdin, env = {}) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
        input: stdin,
        env: { PATH: process.env.PATH, ...own, ...env },
        encoding: "utf8",
        cwd: work,
      });
      return { status, stdout, stderr };
    },
    lines: () =>
      textOf(file)
        .split("\n")
        .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Fields])),
    write(...lines) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
      writeFileSync(file, text.map((line) => `${line}\n`).join(""), { flag: "a" });
    },
    errors: () => textOf(join(pool, "errors.log")),
  };
}

/** git, with a set identity and nobody's settings. */
export function git(cwd: string, ...args: readonly string[]): void {
  const env = {
    PATH: process.env.PATH,
    HOME: cwd,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_AUTHOR_NAME: "T",
    GIT_AUTHOR_EMAIL: "t@example.org",
    GIT_COMMITTER_NAME: "T",
    GIT_COMMITTER_EMAIL: "t@example.org",
  };
  execFileSync("git", args, { cwd, env, stdio: "ignore" });
}

/** An answer that ends with a block. */
export function reporting(...lines: readonly string[]): Fields {
  return { last_assistant_message: ["Done.", "", "```pool", ...lines, "```"].join("\n") };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // nothing was written
  }
}
