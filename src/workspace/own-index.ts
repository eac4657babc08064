/** Git on a copy of a directory's index, so that the directory's own is only read. */
import { randomUUID } from "node:crypto";
import { copyFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { within, type Checkout } from "./checkout.ts";
import { isMissing } from "./file-errors.ts";
import type { GitCall } from "./git.ts";

/** Calls the body with how git is called on a copy of the directory's index. */
export async function withOwnIndex<T>(
  at: Pick<Checkout, "path" | "gitDir">,
  signal: AbortSignal | undefined,
  body: (call: GitCall) => Promise<T>,
): Promise<T> {
  const own = join(at.gitDir, `claude-pool-index-${randomUUID()}`);
  const call = within(at, signal);
  try {
    await copyIndex(join(at.gitDir, "index"), own);
    return await body({ ...call, env: { ...call.env, GIT_INDEX_FILE: own } });
  } finally {
    for (const file of [own, `${own}.lock`]) await rm(file, { force: true });
  }
}

async function copyIndex(from: string, to: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(from);
    await copyFile(from, to);
    // Git trusts an entry whose file is older than the index: a copy that looks younger would hide late edits.
    const whole = Math.floor(mtimeMs / 1_000) - 1;
    await utimes(to, whole, whole);
  } catch (error) {
    if (!isMissing(error)) throw error; // a directory without an index yet: git makes one
  }
}
