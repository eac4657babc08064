/** Lock files of a git that was killed. */
import { readdir, readlink, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PoolError } from "../core/errors.ts";
import { namesIn, textOf } from "./checkout.ts";
import { isMissing } from "./file-errors.ts";

/** Where the process table can be read, a lock this old that no git there can hold is a dead one's; elsewhere age alone tells. */
const staleMs = process.platform === "linux" ? 2_000 : 30_000;

/**
 * Removes lock files in a git directory of the pool's if whoever held them is dead; young ones are given the time to go by
 * themselves. A living one's stays: git itself then waits for it.
 */
export async function dropStaleLocks(gitDir: string, path: string, signal: AbortSignal | undefined): Promise<void> {
  const own = (await namesIn(gitDir)).filter((name) => name.endsWith(".lock")).map((name) => join(gitDir, name));
  for (const lock of own) {
    for (let age = await ageMs(lock); age >= 0 && age < staleMs; age = await ageMs(lock)) {
      await delay(Math.min(100, staleMs - age + 1), undefined, { signal }).catch((error: unknown) => {
        throw new PoolError("aborted", `Waiting for ${lock} was aborted.`, { lock }, error);
      });
    }
  }
  await dropOfTheDead(own, [path, gitDir]);
}

/** Removes these lock files, if they are old enough and no git works in those directories. */
export async function dropOfTheDead(locks: readonly string[], folders: readonly string[]): Promise<void> {
  for (const lock of locks) {
    if ((await ageMs(lock)) < staleMs) continue;
    if (await isGitAtWork(folders)) return;
    await rm(lock, { force: true });
  }
}

async function ageMs(file: string): Promise<number> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return -1;
    throw error;
  }
}

/** Does a git of this machine work in one of these directories? Unknown without a process table. */
async function isGitAtWork(folders: readonly string[]): Promise<boolean> {
  if (process.platform !== "linux") return false;
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const name = await textOf(`/proc/${pid}/comm`).catch(noProcess);
    if (name?.startsWith("git") !== true) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(noProcess);
    if (cwd !== undefined && folders.some((folder) => !relative(folder, cwd).startsWith(".."))) return true;
  }
  return false;
}

/** It ended meanwhile, or is another user's. */
function noProcess(): undefined {
  return undefined;
}
