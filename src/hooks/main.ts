/**
 * `claude-pool-hook`: one program for all hooks. Builtins only, and it runs on Node 20 too.
 *
 * H1. It exits 0 whatever happens: a hook that fails must not stand in the way of anybody's work. What went wrong is in the log's `errors.log`.
 * H2. It writes to stdout only what a hook answers Claude Code, as one line of JSON, or nothing.
 */
import { writeSync } from "node:fs";
import { groundOf, type LogFolder } from "../activity/place.ts";
import { handle } from "./handle.ts";
import { hookInput } from "./input.ts";
import { noteProblem } from "./problem.ts";
import { readStdin } from "./stdin.ts";

/** Reads stdin, does what the event asks for, and answers; never rejects (H1). */
export async function main(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  try {
    const text = readStdin();
    if (text === undefined) {
      problem(env, "a hook's input was longer than 1 MiB, or came from a keyboard; it was left alone");
      return;
    }
    const input = hookInput(text);
    if (input === undefined) {
      problem(env, `a hook's input of ${String(text.length)} characters was none of ours`);
      return;
    }
    const answer = await handle(input, env, Date.now() / 1000);
    if (answer !== undefined) writeSync(1, `${JSON.stringify(answer)}\n`);
  } catch (error) {
    problem(env, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

function problem(env: NodeJS.ProcessEnv, text: string): void {
  const folder = someFolder(env);
  if (folder !== undefined) noteProblem(folder, text);
}

/** The log's folder, also where the directory of the hook is gone. */
function someFolder(env: NodeJS.ProcessEnv): LogFolder | undefined {
  for (const directory of [env.CLAUDE_PROJECT_DIR ?? "", ".", "/"]) {
    try {
      if (directory !== "") return groundOf(directory, env).folder;
    } catch {
      continue; // gone
    }
  }
  return undefined;
}
