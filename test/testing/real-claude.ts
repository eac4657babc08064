/** Runs the real Claude CLI, with a home of its own, for tests of what stands in for its model. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ScriptedApi } from "../../src/testing/index.ts";

/** The program that the installed Agent SDK brings for this platform. */
export function claudeProgram(): string {
  const sdk = createRequire(createRequire(import.meta.url).resolve("@anthropic-ai/claude-agent-sdk"));
  const name = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}`;
  for (const suffix of ["", "-musl"]) {
    try {
      return sdk.resolve(`${name}${suffix}/claude`);
    } catch {
      continue; // the other C library's package may be the one installed
    }
  }
  throw new Error(`The Agent SDK has no CLI for ${process.platform}-${process.arch}; run npm ci.`);
}

/** A folder of its own for one test, gone when the test is. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "claude-pool-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

export interface AskOptions {
  readonly args?: readonly string[];
  readonly auth?: "key" | "subscription";
}

type Message = Readonly<Record<string, unknown>>;

/** `claude -p PROMPT --output-format json` in the folder; resolves to its result message. */
export async function askClaude(
  api: ScriptedApi,
  home: string,
  prompt: string,
  options: AskOptions = {},
): Promise<Message> {
  return JSON.parse(await run(api, home, ["-p", prompt, "--output-format", "json"], options)) as Message;
}

/** The same with every message; the result is the last. */
export async function claudeMessages(
  api: ScriptedApi,
  home: string,
  prompt: string,
  options: AskOptions = {},
): Promise<readonly Message[]> {
  const args = ["-p", prompt, "--output-format", "stream-json", "--verbose"];
  const lines = (await run(api, home, args, options)).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Message);
}

function run(api: ScriptedApi, home: string, args: readonly string[], options: AskOptions): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const child = execFile(
      claudeProgram(),
      [...args, "--model", "claude-sonnet-4-5", ...(options.args ?? [])],
      {
        cwd: home,
        env: { PATH: process.env.PATH, CLAUDE_CODE_MAX_RETRIES: "2", ...api.environment(home, options.auth) },
      },
      (error, out, stderr) => {
        // An API error is an exit code, but also a result: the result is what the tests read.
        if (error !== null && out === "") reject(new Error(`${error.message}\n${stderr}`));
        else resolve(out);
      },
    );
    child.stdin?.end();
  });
}
