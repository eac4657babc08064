/**
 * A path made free for a new owner, whatever it is that stands there.
 *
 * F1. What has an owner is saved under his ref, what has none under `leftover-…`; what is no checkout of the pool's is moved
 *     aside, next to where it was, and never written to.
 * F2. What a killed process left half made (registered without a directory, a directory that is not registered, git's files
 *     half written, lock files) heals here.
 */
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  checkoutAt,
  isDirectory,
  isThere,
  namesIn,
  registeredAt,
  textOf,
  within,
  type Checkout,
  type Registered,
} from "./checkout.ts";
import { dropBranch } from "./branches-of-owner.ts";
import { git, gitText } from "./git.ts";
import { readMark, type Mark } from "./mark.ts";
import { inRepository, keepEarlier } from "./refs.ts";
import type { RepositoryLock } from "./repository-lock.ts";
import { saveLeftover } from "./leftover.ts";
import { dropStaleLocks } from "./stale-locks.ts";
import { dropIndexCopies } from "./standing.ts";
import { saveOwned } from "./work.ts";

/** What can be worked with at a path, healed; undefined: nothing is there any more. */
export async function healed(
  path: string,
  repository: string,
  lock: RepositoryLock,
  signal: AbortSignal | undefined,
): Promise<{ readonly checkout: Checkout; readonly mark?: Mark } | undefined> {
  const checkout = await checkoutAt(path, repository);
  if (checkout !== undefined && (await isWhole(checkout))) {
    await dropStaleLocks(checkout.gitDir, checkout.path, signal);
    await dropIndexCopies(checkout.gitDir);
    const mark = await readMark(checkout.gitDir);
    // A clone without a mark is somebody else's repository.
    if (mark !== undefined) return { checkout, mark };
    if (checkout.kind === "worktree") return { checkout };
  }
  const left = await registeredAt(path, repository);
  if (left !== undefined) await lock(repository, signal, () => forget(left, repository));
  await moveAside(path);
  return undefined;
}

/** Saves what stands in a place for whoever it belongs to (F1). */
export async function saveStanding(checkout: Checkout, mark: Mark | undefined): Promise<void> {
  if (mark === undefined) await saveLeftover(checkout);
  else await saveOwned(checkout, mark);
}

/** Has git written all that a worktree needs? `worktree add` may have been killed. */
async function isWhole({ kind, gitDir }: Pick<Checkout, "kind" | "gitDir">): Promise<boolean> {
  const files = kind === "worktree" ? ["HEAD", "commondir"] : ["HEAD"];
  for (const file of files) if (((await textOf(join(gitDir, file))) ?? "").trim() === "") return false;
  return hasHead(gitDir);
}

/** Git writes zeros first. */
async function hasHead(gitDir: string): Promise<boolean> {
  return !/^0*$/.test(((await textOf(join(gitDir, "HEAD"))) ?? "").trim());
}

/**
 * Removes what a killed `git worktree add` left in the register before it had a HEAD: nothing of anybody's, but every git that
 * lists worktrees fails over it, the user's own too. To be called with the repository's lock held.
 */
export async function dropHalfRegistered(repository: string): Promise<void> {
  const folder = join(repository, "worktrees");
  for (const name of await namesIn(folder)) {
    const gitDir = join(folder, name);
    if (await isWhole({ kind: "worktree", gitDir })) continue;
    // Younger, somebody else may be at it who does not know of the lock.
    if (Date.now() - (await stat(gitDir)).mtimeMs < 2_000) continue;
    if (!(await hasHead(gitDir))) await rm(gitDir, { recursive: true, force: true });
  }
}

/** Takes a worktree whose directory is gone, or that is half made, out of the register; its commits and index are kept. */
async function forget(left: Registered, repository: string): Promise<void> {
  const { gitDir } = left;
  const mark = await readMark(gitDir);
  if (mark?.state === "ready" && (await isWhole({ kind: "worktree", gitDir }))) {
    await keepIndex(gitDir, repository, mark.owner);
  }
  // By hand: git refuses what is locked, or half written. Nothing else of the repository names it.
  await rm(gitDir, { recursive: true, force: true });
  if (mark !== undefined) await dropBranch({ repository, ...mark }, mark.branch);
}

/** What was committed on no branch, or staged. */
async function keepIndex(gitDir: string, repository: string, owner: string): Promise<void> {
  const call = { ...within({ path: repository, gitDir }), answers: [1, 128] };
  const head = await git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], call);
  if (head.code !== 0) return;
  const commit = head.stdout.trim();
  const index = await git(["write-tree"], call);
  const tree = index.code === 0 ? index.stdout.trim() : await gitText(["rev-parse", `${commit}^{tree}`], call);
  if (tree === (await gitText(["rev-parse", `${commit}^{tree}`], call))) {
    await keepEarlier(repository, owner, commit);
    return;
  }
  const who = ["-c", "user.name=claude-pool", "-c", "user.email=claude-pool@localhost"];
  const message = `What ${owner} had staged when the directory went away`;
  const args = [...who, "commit-tree", tree, "-p", commit, "-m", message];
  await keepEarlier(repository, owner, await gitText(args, inRepository(repository)));
}

/** F1. */
async function moveAside(path: string): Promise<void> {
  if (!(await isThere(path))) return;
  if (await isVoid(path)) {
    await rm(path, { recursive: true, force: true });
    return;
  }
  const stamp = new Date().toISOString().replace(/[-:]/g, "").slice(0, 15);
  for (let number = 1; ; number += 1) {
    const aside = `${path}.found-${stamp}${number === 1 ? "" : `-${String(number)}`}`;
    if (await isThere(aside)) continue;
    await rename(path, aside);
    return;
  }
}

/** A directory with nothing in it, or only git's pointer to where its git directory was. */
async function isVoid(path: string): Promise<boolean> {
  if (!(await isDirectory(path))) return false;
  const names = await namesIn(path);
  if (names.some((name) => name !== ".git")) return false;
  return names.length === 0 || !(await isDirectory(join(path, ".git")));
}
