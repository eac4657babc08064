/** Which files two lines of work would conflict in; nothing is changed. */
import { join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { savedRef, type TaskWorkspace } from "../core/workspace.ts";
import { checkoutsOf } from "./branch-checkouts.ts";
import { checkoutAt } from "./checkout.ts";
import type { GitCall } from "./git.ts";
import { readMark, type Mark } from "./mark.ts";
import { mergeTrees } from "./merge-trees.ts";
import { presentCommit } from "./present-tree.ts";
import { inRepository, refAt } from "./refs.ts";

/**
 * The port's `conflicts`. Work that is still under way counts as it stands in its directory, and so does a branch that the pool
 * works on; any other branch counts as it is committed.
 *
 * @throws {PoolError} `workspace_impossible` if there is no such branch or ref.
 */
export async function conflictsWith(
  workspace: TaskWorkspace,
  other: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const ours = await presentOf(workspace, signal);
  const theirs = await commitOfRef(workspace.repository, other, signal);
  const result = await mergeTrees(theirs, ours.commit, ours.call);
  return "conflicts" in result ? result.conflicts : [];
}

/** A commit, and how git is called so that it is found. */
export interface Present {
  readonly commit: string;
  readonly call: GitCall;
}

/** What stands in a task's directory if it is still his, else what was saved. */
export async function presentOf(workspace: TaskWorkspace, signal?: AbortSignal): Promise<Present> {
  const { repository, path, branch, saved, baseCommit } = workspace;
  const call = inRepository(repository, signal);
  const checkout = await checkoutAt(path, repository);
  const mark = checkout === undefined ? undefined : await readMark(checkout.gitDir);
  if (checkout === undefined || mark?.state !== "ready" || mark.branch !== branch) {
    return { commit: saved?.commit ?? baseCommit, call };
  }
  const commit = await presentCommit(checkout, mark.owner, signal).catch(asError);
  // Whoever was given the place meanwhile has saved first what stood there.
  const isStillHis = isSameMark(await readMark(checkout.gitDir), mark);
  if (commit instanceof Error && isStillHis) throw commit;
  if (commit instanceof Error || !isStillHis) {
    return { commit: (await refAt(repository, savedRef(mark.owner), signal)) ?? saved?.commit ?? baseCommit, call };
  }
  if (checkout.kind === "worktree") return { commit, call };
  // What a clone has is looked at where it is.
  const env = { ...call.env, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(checkout.gitDir, "objects") };
  return { commit, call: { ...call, env } };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function isSameMark(now: Mark | undefined, before: Mark): boolean {
  return now?.state === before.state && now.owner === before.owner && now.branch === before.branch;
}

async function commitOfRef(repository: string, other: string, signal: AbortSignal | undefined): Promise<string> {
  if (other.startsWith("claude-pool/")) {
    const [at] = await checkoutsOf(repository, other, signal);
    const mark = at === undefined ? undefined : await readMark(at.gitDir);
    if (at !== undefined && mark?.state === "ready") {
      return presentCommit({ ...at, kind: "worktree", repository }, mark.owner, signal);
    }
  }
  for (const ref of [`refs/heads/${other}`, other]) {
    const commit = await refAt(repository, `${ref}^{commit}`, signal);
    if (commit !== undefined) return commit;
  }
  throw new PoolError(
    "workspace_impossible",
    `There is no branch, tag or ref ${JSON.stringify(other)} in ${repository}.`,
  );
}
