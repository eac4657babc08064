/** The environment of a program that must touch nothing of this machine's user: own home, no key, no login, no network. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toolEnvironment } from "./run.ts";

/** Only what a program needs of the real environment, with `home` in place of the user's. */
export function sandbox(home: string, extra: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const temporary = join(home, "tmp");
  mkdirSync(temporary, { recursive: true });
  return {
    PATH: toolEnvironment().PATH ?? "",
    TMPDIR: temporary,
    HOME: home,
    CLAUDE_CONFIG_DIR: `${home}/.claude`,
    CLAUDE_POOL_HOME: `${home}/.claude-pool`,
    NO_COLOR: "1",
    ...extra,
  };
}

/** Processes that were started with this home and are alive; where there is no /proc, none is found. */
export function processesWith(home: string): readonly string[] {
  return entries("/proc").filter((pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/environ`).includes(home));
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no Linux
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it has ended, or is another user's
  }
}
