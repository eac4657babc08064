/** What stands in a directory, saved under its owner's ref (W1). */
import { join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { savedRef, type SavedWork, type TaskWorkspace } from "../core/workspace.ts";
import { checkoutAt, textOf, within, type Checkout } from "./checkout.ts";
import { asPoolError } from "./file-errors.ts";
import { git, gitText } from "./git.ts";
import { readMark } from "./mark.ts";
import { fetchInto, onlyHere } from "./modules.ts";
import { inRepository, isAncestor, refAt, setSaved } from "./refs.ts";
import { commitOf, isSame, readSaved } from "./saved-commit.ts";
import { look, type Look } from "./standing.ts";

export interface Saving {
  readonly owner: string;
  readonly title: string;
  readonly attempt: number;
  /** The branch that was made for the owner, by its short name. */
  readonly branch?: string;
}

/** The port's `save`. @throws {PoolError} `workspace_save_failed`. */
export async function saveWork(work: Saving & { readonly workspace: TaskWorkspace }): Promise<TaskWorkspace> {
  const { workspace } = work;
  const checkout = await checkoutAt(workspace.path, workspace.repository);
  if (checkout === undefined) {
    throw new PoolError(
      "workspace_save_failed",
      `The directory ${workspace.path} of ${work.owner} is gone or no checkout any more, so there is nothing to save. ` +
        `What was saved before is on ${savedRef(work.owner)}.`,
    );
  }
  const mark = await readMark(checkout.gitDir);
  if (mark !== undefined && mark.owner !== work.owner) {
    throw new PoolError(
      "workspace_save_failed",
      `The directory ${workspace.path} holds the work of ${mark.owner} and not of ${work.owner}; nothing was saved.`,
    );
  }
  if (mark !== undefined && mark.state !== "ready") {
    throw new PoolError(
      "workspace_save_failed",
      `The directory ${workspace.path} was not ready for ${work.owner}, so no work stands there; nothing was saved.`,
    );
  }
  const commit = await saveCheckout(checkout, { ...work, branch: workspace.branch });
  return { ...workspace, saved: await savedWork(workspace, work.owner, commit) };
}

/** Saves under the owner's ref; resolves to the commit. @throws {PoolError} `workspace_save_failed`. */
export async function saveCheckout(checkout: Checkout, saving: Saving): Promise<string> {
  const { repository } = checkout;
  return orSaveFailed(saving.owner, checkout.path, async () => {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const { commit, also } = await keepAll(checkout, saving);
      if (checkout.kind === "clone") await bringOver(checkout, saving.owner, [commit, ...also]);
      const isSet = await setSaved(repository, saving.owner, commit, saving.attempt, also);
      if (isSet && checkout.kind === "clone") await dropIncoming(repository, saving.owner);
      if (isSet) return commit;
    }
    throw new PoolError(
      "workspace_save_failed",
      `Others saved for ${saving.owner} again and again; nothing was removed.`,
    );
  });
}

const maxAttempts = 10;

/** Whatever keeps work from being saved, or from being looked at, says that nothing was removed for it (W2). */
export async function orSaveFailed<T>(owner: string, path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await asPoolError("Reading what stands there", body);
  } catch (error) {
    if (error instanceof PoolError && error.code === "workspace_save_failed") throw error;
    throw new PoolError(
      "workspace_save_failed",
      `The work of ${owner} in ${path} could not be saved; nothing was removed. ` +
        (error instanceof Error ? error.message : String(error)),
      error instanceof PoolError ? error.details : {},
      error,
    );
  }
}

/** What is to be kept of a directory: the commit of what stands there, and others that would go with it. */
async function keepAll(
  checkout: Checkout,
  saving: Saving,
): Promise<{ readonly commit: string; readonly also: readonly string[] }> {
  const keeper = { repository: checkout.repository, owner: saving.owner };
  const seen = await look(checkout, keeper);
  const commit = await unlessSaved(checkout, saving, seen);
  const also = [...(await underWay(checkout)), ...(await leftBehind(checkout, saving, commit))];
  return { commit, also: [...new Set(also)] };
}

/** The commit of what stands there; the saved one if that is the same. */
async function unlessSaved(checkout: Checkout, saving: Saving, { standing, headTree }: Look): Promise<string> {
  const before = await refAt(checkout.repository, savedRef(saving.owner));
  if (before !== undefined) {
    const saved = await readSaved(before, inRepository(checkout.repository));
    if (isSame(saved, standing)) return before;
  }
  return commitOf(standing, headTree, saving.title, within(checkout));
}

/** What a rebase or merge under way has put aside. */
async function underWay({ gitDir, path }: Checkout): Promise<readonly string[]> {
  const files = [
    "rebase-merge/autostash",
    "rebase-apply/autostash",
    "MERGE_AUTOSTASH",
    "CHERRY_PICK_HEAD",
    "rebase-merge/orig-head",
  ];
  const found: string[] = [];
  for (const file of files) {
    const id = (await textOf(join(gitDir, file)))?.trim() ?? "";
    if (!/^[0-9a-f]{40,64}$/.test(id)) continue;
    const args = ["rev-list", "--max-count=1", id, "--not", "--branches", "--remotes", "--tags"];
    const { code, stdout } = await git(args, { ...within({ path, gitDir }), answers: [128] });
    if (code === 0 && stdout !== "") found.push(id);
  }
  return found;
}

/** The owner's branch when HEAD has left it; of a clone every branch, tag and stash, since they go with it. */
async function leftBehind(checkout: Checkout, { branch }: Saving, commit: string): Promise<readonly string[]> {
  if (checkout.kind === "clone") return (await onlyHere(commit, within(checkout))).filter((tip) => tip !== commit);
  const tip = branch === undefined ? undefined : await refAt(checkout.repository, `refs/heads/${branch}`);
  if (tip === undefined || (await isAncestor(checkout.repository, tip, commit))) return [];
  return [tip];
}

/** A clone's objects into the repository, held by refs of passage. */
async function bringOver(clone: Checkout, owner: string, commits: readonly string[]): Promise<void> {
  const known = await refAt(clone.repository, savedRef(owner));
  for (const commit of commits) {
    if (commit === known) continue;
    const from = `refs/claude-pool-saving/${commit}`;
    await git(["update-ref", from, commit], within(clone));
    await fetchInto(clone.repository, clone.gitDir, `+${from}:${incoming(owner)}${commit}`, undefined);
    await git(["update-ref", "-d", from], within(clone));
  }
}

async function dropIncoming(repository: string, owner: string): Promise<void> {
  const args = ["for-each-ref", "--format=delete %(refname)", incoming(owner)];
  const input = await gitText(args, inRepository(repository));
  if (input !== "") await git(["update-ref", "--stdin"], { ...inRepository(repository), input: `${input}\n` });
}

function incoming(owner: string): string {
  return `refs/claude-pool-incoming/${owner}/`;
}

/** What the record says of saved work: counted from where it left its base. */
async function savedWork(workspace: TaskWorkspace, owner: string, commit: string): Promise<SavedWork> {
  const call = inRepository(workspace.repository);
  const tree = await gitText(["rev-parse", `${commit}^{tree}`], call);
  const target = workspace.target === undefined ? undefined : `refs/heads/${workspace.target}`;
  const bases = await git(["merge-base", commit, target ?? workspace.baseCommit], { ...call, answers: [1, 128] });
  const base = bases.stdout.split("\n")[0] ?? "";
  // As `diff` counts: a branch that has the work already tells nothing of it.
  const against = base === "" || base === commit ? workspace.baseCommit : base;
  const args = ["diff-tree", "-r", "-M", "--shortstat", "--no-ext-diff", "--no-textconv", against, tree];
  const stat = await gitText(args, call);
  const count = (what: RegExp): number => Number(what.exec(stat)?.[1] ?? 0);
  return {
    ref: savedRef(owner),
    commit,
    tree,
    files: count(/(\d+) files? changed/),
    insertions: count(/(\d+) insertion/),
    deletions: count(/(\d+) deletion/),
  };
}
