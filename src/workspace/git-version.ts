/** Which git this is: with an older one than that, half of what is done here would fail in ways nobody understands. */
import { PoolError } from "../core/errors.ts";
import { gitText } from "./git.ts";

/** `git merge-tree --write-tree`, which previews and merges stand on, came with it. */
export const oldestGit = "2.38";

/** What `git --version` says, and whether it is enough. @throws {PoolError} `workspace_failed` where there is no git. */
export async function gitVersion(): Promise<{ readonly version: string; readonly isEnough: boolean }> {
  const text = await gitText(["--version"], { cwd: process.cwd() });
  const [version = text, major = "0", minor = "0"] = /(\d+)\.(\d+)[^\s]*/.exec(text) ?? [];
  return { version, isEnough: Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38) };
}

let known: Promise<void> | undefined;

/** Asks once in a process. @throws {PoolError} `workspace_impossible` naming the version and what to do. */
export function requireGit(): Promise<void> {
  known ??= required().catch((error: unknown) => {
    known = undefined; // it may be installed before the next task
    throw error;
  });
  return known;
}

async function required(): Promise<void> {
  const { version, isEnough } = await gitVersion();
  if (isEnough) return;
  throw new PoolError(
    "workspace_impossible",
    `Git ${version} is too old for isolated work: ${oldestGit} or newer is needed. Update git, or ask for isolation none.`,
  );
}
