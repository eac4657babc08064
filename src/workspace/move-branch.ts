/**
 * Moves a branch, together with the user's checkouts of it.
 *
 * T1. A checkout's files are touched only if those that differ are clean there; that is known before anything is changed.
 * T2. The branch is held (H1) from before the first file is touched until it has moved: nobody can commit on it in between, so
 *     no commit is ever made of files that lag behind their branch.
 * T3. Cut short before the branch has moved, the move has not happened: `heal` brings back a checkout that had gone ahead. Cut
 *     short after, it has happened, and nothing is left to do.
 */
import { PoolError } from "../core/errors.ts";
import { busyWith, checkoutsAmong, mainCheckout, stands } from "./branch-checkouts.ts";
import { bring, refuseDirty } from "./checkout-files.ts";
import { heal } from "./heal-landing.ts";
import { holdBranch, type BranchMove, type HeldBranch } from "./held-branch.ts";
import { dropNote, readNote, writeNote, type LandingNote } from "./landing-note.ts";
import { refAt } from "./refs.ts";
import type { Root } from "./standing.ts";

/** For whom it is moved. */
export type MoveOf = Pick<LandingNote, "taskId" | "mergeId" | "saved" | "checks">;

/**
 * Resolves to false if the branch does not stand at `from`. To be called with the repository's lock.
 *
 * @throws {PoolError} `checkout_dirty`, `merge_failed`, `repository_locked`, `workspace_failed`, `aborted`.
 */
export async function moveBranch(move: BranchMove, of: MoveOf, signal?: AbortSignal): Promise<boolean> {
  const { repository, branch, from, to } = move;
  await heal(repository, branch, signal);
  if ((await refAt(repository, `refs/heads/${branch}`, signal)) !== from) return false;
  const main = await mainCheckout(repository, signal);
  const busy = await busyWith(main, repository, branch);
  if (busy !== undefined) {
    throw new PoolError(
      "merge_failed",
      `${branch} is in the middle of a rebase or bisect in ${busy}, which would not find it again. Finish or abort that, then merge again.`,
    );
  }
  const checkouts = await checkoutsAmong(main, repository, branch);
  const last = await readNote(repository, branch);
  const note = { branch, before: from, commit: to, checkouts: checkouts.map(({ path }) => path), ...of };
  // Before anything that a power cut could leave a lock of.
  await writeNote(repository, { ...note, state: "checking" });
  let held: HeldBranch | undefined;
  try {
    held = await holdClean(checkouts, move, signal);
  } finally {
    if (held === undefined) await (last === undefined ? dropNote(repository, branch) : writeNote(repository, last));
  }
  if (held === undefined) return false;
  await writeNote(repository, { ...note, state: "moving" });
  // From here on nothing is cut short: it is a matter of the files that differ.
  try {
    await bringAll(checkouts, move);
    await held.move();
  } catch (error) {
    await held.letGo();
    await heal(repository, branch);
    throw error;
  }
  await writeNote(repository, { ...note, state: "moved" });
  return true;
}

/** T1, then T2. */
async function holdClean(
  checkouts: readonly Root[],
  move: BranchMove,
  signal: AbortSignal | undefined,
): Promise<HeldBranch | undefined> {
  for (const checkout of checkouts) await refuseDirty(checkout, move.from, move.to, signal);
  return holdBranch(move, signal);
}

async function bringAll(checkouts: readonly Root[], { branch, from, to }: BranchMove): Promise<void> {
  for (const checkout of checkouts) {
    if (await stands(checkout, branch)) await bring(checkout, from, to);
  }
}
