/** A person's terminal: the real Claude CLI with the plugin, a scripted model, and a log in a home of its own. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { startScriptedApi, type ScriptedApi } from "../../src/testing/index.ts";
import { claudeProgram } from "../testing/real-claude.ts";

const plugin = fileURLToPath(new URL("../../plugin", import.meta.url));

export interface Desk {
  readonly work: string;
  readonly home: string;
  readonly api: ScriptedApi;
  /** `claude -p PROMPT` in the folder; resolves to its result message. */
  ask(prompt: string, options?: AskOptions): Promise<Answer>;
  /** `claude plugin …`, as a user installs one. */
  plugin(...args: readonly string[]): Promise<void>;
  /** The same with the terminal left open. */
  open(options?: AskOptions): Promise<Talk>;
  /** What stands in the log, one parsed line each. */
  log(): readonly LogLine[];
}

type Place = Pick<Desk, "work" | "home" | "api">;

export interface AskOptions {
  readonly instance?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Without the plugin: the terminal has what its settings say. */
  readonly bare?: boolean;
}

export interface Answer {
  readonly session_id: string;
  readonly result: string;
}

export type LogLine = Readonly<Record<string, unknown>>;

/** A folder that several terminals work in; all of it gone when the test ends. */
export async function desk(): Promise<Desk> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-desk-")));
  const [work, home] = [join(root, "work"), join(root, "home")];
  for (const path of [work, home]) mkdirSync(path);
  const api = await startScriptedApi();
  onTestFinished(async () => {
    await api.close();
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    work,
    home,
    api,
    ask: (prompt, options = {}) => ask({ work, home, api }, prompt, options),
    async plugin(...args) {
      await promisify(execFile)(claudeProgram(), ["plugin", ...args], {
        cwd: work,
        env: environmentOf({ work, home, api }, {}),
      });
    },
    open: (options = {}) => open({ work, home, api }, options),
    log: () => logLines(join(home, ".claude", "pool", "instance_state.jsonl")),
  };
}

/** A conversation at an open terminal. */
export interface Talk {
  /** Types a prompt, or a command such as `/clear`; resolves to the result message. */
  say(prompt: string): Promise<Answer>;
  /** Closes the terminal as a person would. */
  close(): Promise<void>;
}

async function open(place: Place, options: AskOptions): Promise<Talk> {
  const format = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
  const child = spawn(claudeProgram(), [...argumentsOf(options), ...format], {
    cwd: place.work,
    env: environmentOf(place, options),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL"); // only what a failed test has left
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async say(prompt) {
      child.stdin.write(`${JSON.stringify({ type: "user", message: { role: "user", content: prompt } })}\n`);
      for (;;) {
        const { done, value } = await lines.next();
        if (done === true) throw new Error(`the terminal ended before it answered ${JSON.stringify(prompt)}`);
        const message = JSON.parse(value) as Answer & { readonly type: string };
        if (message.type === "result") return message;
      }
    },
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}

function ask(place: Place, prompt: string, options: AskOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      claudeProgram(),
      [...argumentsOf(options), "--output-format", "json", prompt],
      { cwd: place.work, env: environmentOf(place, options) },
      (error, out, stderr) => {
        if (out === "") reject(new Error(`${error?.message ?? "no answer"}\n${stderr}`));
        else resolve(JSON.parse(out) as Answer);
      },
    );
    child.stdin?.end();
  });
}

function argumentsOf({ args = [], bare = false }: AskOptions): readonly string[] {
  return [
    "-p",
    "--model",
    "claude-sonnet-4-5",
    "--permission-mode",
    "acceptEdits",
    ...(bare ? [] : [`--plugin-dir=${plugin}`]),
    ...args,
  ];
}

function environmentOf({ home, api }: Place, { instance, env }: AskOptions): Readonly<Record<string, string>> {
  return {
    // The Node that runs this test is the one that runs the hooks.
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`,
    CLAUDE_CODE_MAX_RETRIES: "2",
    ...api.environment(home),
    ...(instance === undefined ? {} : { CLAUDE_INSTANCE: instance }),
    ...env,
  };
}

function logLines(path: string): readonly LogLine[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return []; // nothing was ever written
  }
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LogLine]));
}
