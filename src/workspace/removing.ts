/** Directories taken away (W2). */
import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { dropBranch } from "./branches-of-owner.ts";
import { checkoutAt, isThere, registeredAt, type Checkout } from "./checkout.ts";
import { healed, saveStanding } from "./clearing.ts";
import { saveFiles } from "./leftover.ts";
import { draftSuffix } from "./making.ts";
import { writeMark, type Mark } from "./mark.ts";
import type { RepositoryLock } from "./repository-lock.ts";

/** Saves what stands there unless it is saved, and removes the directory. @throws {PoolError} `workspace_save_failed`. */
export async function remove(path: string, repository: string, lock: RepositoryLock): Promise<void> {
  if (path.endsWith(draftSuffix)) {
    await removeFolder(path);
    return;
  }
  const isRegistered = (await registeredAt(path, repository)) !== undefined;
  if (!isRegistered && !(await isThere(path))) return;
  const checkout = await checkoutAt(path, repository);
  if (checkout === undefined && !isRegistered) {
    await saveFiles(path, repository);
    await removeFolder(path);
    return;
  }
  const here = await healed(path, repository, lock, undefined);
  if (here === undefined) return;
  await saveStanding(here.checkout, here.mark);
  await takeAway(here.checkout, here.mark, lock);
}

/** Removes a checkout whose work is saved, and its branch if that is on the refs. */
export async function takeAway(checkout: Checkout, mark: Mark | undefined, lock: RepositoryLock): Promise<void> {
  const { repository, gitDir, path, kind } = checkout;
  // M2: half of it is no state of anybody's.
  if (mark !== undefined) await writeMark(gitDir, { ...mark, state: "removing" });
  await removeFolder(path);
  await lock(repository, undefined, async () => {
    if (kind === "worktree") await rm(gitDir, { recursive: true, force: true });
    if (mark !== undefined) await dropBranch({ repository, poolId: mark.poolId, owner: mark.owner }, mark.branch);
  });
}

/** A tree that has read-only directories in it (package caches) goes too. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
    await openUp(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openUp(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await openUp(join(path, name));
}
