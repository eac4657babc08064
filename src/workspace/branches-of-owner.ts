/**
 * The branch that a directory gets for its owner.
 *
 * H1. A branch of ours is moved or deleted only when what it had is on the owner's refs.
 * H2. A branch that somebody else has checked out is left alone; the owner's next is called after it, with a number.
 *
 * To be called with the repository's lock held.
 */
import { branchOf } from "../core/workspace.ts";
import { checkoutAt, within, type Checkout } from "./checkout.ts";
import { git, gitText } from "./git.ts";
import { readMark, writeMark } from "./mark.ts";
import { inRepository, isAncestor, keepEarlier } from "./refs.ts";
import { saveOwned } from "./work.ts";

/** A branch of the owner's that may be made anew at a commit in the directory at `path`. */
export async function takeBranch(
  of: { readonly repository: string; readonly poolId: string; readonly owner: string; readonly path: string },
  commit: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = `${branchOf(of.poolId, of.owner)}${number === 1 ? "" : `-${String(number)}`}`;
    const found = await branchAt(of.repository, name, signal);
    if (found === undefined) return name;
    if (found.checkedOutAt !== undefined && found.checkedOutAt !== of.path) {
      if (!(await letGo(found.checkedOutAt, of))) continue;
    }
    if (!(await isAncestor(of.repository, found.commit, commit, signal))) {
      await keepEarlier(of.repository, of.owner, found.commit);
    }
    return name;
  }
}

/** Deletes a branch of ours that nobody has checked out, if what it has is on some other ref. */
export async function dropBranch(
  of: { readonly repository: string; readonly poolId: string; readonly owner: string },
  branch: string,
): Promise<void> {
  const own = branchOf(of.poolId, of.owner);
  if (branch !== own && !/^-\d+$/.test(branch.slice(own.length))) return;
  const found = await branchAt(of.repository, branch, undefined);
  if (found === undefined || found.checkedOutAt !== undefined) return;
  const kept = ["--glob=refs/claude-pool/", "--glob=refs/claude-pool-earlier/", "--remotes", "--tags"];
  const args = ["rev-list", "--max-count=1", found.commit, "--not", `--exclude=${branch}`, "--branches", ...kept];
  if ((await gitText(args, inRepository(of.repository))) !== "") return;
  await git(["update-ref", "-d", `refs/heads/${branch}`, found.commit], inRepository(of.repository));
}

async function branchAt(
  repository: string,
  branch: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly commit: string; readonly checkedOutAt?: string } | undefined> {
  const args = ["for-each-ref", "--format=%(objectname)%00%(worktreepath)", `refs/heads/${branch}`];
  const text = await gitText(args, inRepository(repository, signal));
  const [commit = "", at = ""] = text.split("\0");
  if (commit === "") return undefined;
  return { commit, ...(at === "" ? {} : { checkedOutAt: at }) };
}

/** Takes the branch from another place of the same owner, whose work there is saved first; false: it is not one. */
async function letGo(
  path: string,
  { repository, owner }: { readonly repository: string; readonly owner: string },
): Promise<boolean> {
  const other = await checkoutAt(path, repository);
  return other !== undefined && giveUp(other, owner);
}

/** Saves what an owner has there, and says that the place holds nothing any more; false: it is another's by now. */
export async function giveUp(checkout: Checkout, owner: string): Promise<boolean> {
  const mark = await readMark(checkout.gitDir);
  if (mark?.owner !== owner) return false;
  await saveOwned(checkout, mark);
  await writeMark(checkout.gitDir, { ...mark, state: "removing" });
  if (checkout.kind === "worktree") {
    const call = within(checkout);
    const head = await gitText(["rev-parse", "HEAD"], call);
    await git(["update-ref", "--no-deref", "HEAD", head], call);
  }
  return true;
}
