/** Does anything stand in a directory that is nowhere else, and whose is it? */
import { savedRef } from "../core/workspace.ts";
import { within, type Checkout } from "./checkout.ts";
import { gitText } from "./git.ts";
import type { Mark } from "./mark.ts";
import { refAt } from "./refs.ts";
import { orSaveFailed, saveCheckout } from "./saving.ts";
import { look, type Look } from "./standing.ts";

/** Saves what an owner has there under his ref; resolves to it, or undefined if there is nothing of his. */
export async function saveOwned(checkout: Checkout, mark: Mark): Promise<string | undefined> {
  // M2 of mark.ts.
  if (mark.state !== "ready") return undefined;
  const { owner, branch } = mark;
  const ref = savedRef(owner);
  if ((await refAt(checkout.repository, ref)) === undefined) {
    const holds = await orSaveFailed(owner, checkout.path, async () =>
      holdsWork(checkout, await look(checkout, { repository: checkout.repository, owner }), branch),
    );
    if (!holds) return undefined;
  }
  await saveCheckout(checkout, { owner, branch, title: `Work of ${owner}`, attempt: 1 });
  return ref;
}

/**
 * Is there anything beside what the branches have, the owner's own left out? Without an owner files that are only missing are no
 * work: such a checkout was half made.
 */
export async function holdsWork(
  checkout: Checkout,
  { standing, headTree }: Look,
  ownBranch: string | undefined,
): Promise<boolean> {
  const { head, tree, indexTree, merges, conflicts, modules } = standing;
  if (merges.length > 0 || conflicts !== undefined || modules.length > 0) return true;
  const call = within(checkout);
  if (head !== undefined) {
    const but = ownBranch === undefined ? [] : [`--exclude=${ownBranch}`];
    const args = ["rev-list", "--max-count=1", head, "--not", ...but, "--branches", "--remotes", "--tags"];
    if ((await gitText(args, call)) !== "") return true;
  }
  for (const other of [tree, indexTree]) {
    if (other === headTree) continue;
    if (ownBranch !== undefined || headTree === undefined) return true;
    const args = ["diff-tree", "-r", "--no-renames", "--diff-filter=d", "--name-only", headTree, other];
    if ((await gitText(args, call)) !== "") return true;
  }
  return false;
}
