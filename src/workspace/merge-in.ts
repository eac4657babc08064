/** A branch merged into a directory, for a worker to resolve what conflicts. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { savedRef } from "../core/workspace.ts";
import { textOf, within, type Checkout } from "./checkout.ts";
import { git, gitText, identity } from "./git.ts";
import { inRepository, refAt } from "./refs.ts";
import { look } from "./standing.ts";

/** Merges, with conflicts left in the files; what is not committed is committed first, because git would refuse. */
export async function mergeInto(checkout: Checkout, branch: string, owner: string, signal: AbortSignal): Promise<void> {
  const { repository, gitDir } = checkout;
  const commit = (await refAt(repository, `refs/heads/${branch}`, signal)) ?? (await refAt(repository, branch, signal));
  if (commit === undefined) {
    throw new PoolError("workspace_failed", `There is no branch ${branch} to merge into ${checkout.path}.`);
  }
  const call = { ...within(checkout, signal), timeoutMs: 600_000 };
  if (checkout.kind === "clone") {
    await git(
      [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--update-shallow",
        repository,
        `+${commit}:refs/claude-pool-merging`,
      ],
      call,
    );
  }
  const merging = (await textOf(join(gitDir, "MERGE_HEAD")))?.trim();
  if (merging === commit) return; // a host died after it had begun this very merge
  await commitAll(checkout, owner, signal);
  if (await isMerged(checkout, commit, signal)) return;
  const who = await identity(call);
  const how = ["--no-commit", "--no-ff", "--no-edit", "--no-verify", "--no-autostash", "--quiet"];
  const settings = ["-c", "rerere.enabled=false", "-c", "merge.verifySignatures=false"];
  const message = `Merge branch '${branch}'`;
  const end = await git([...who, ...settings, "merge", ...how, "-m", message, commit], { ...call, answers: [1] });
  if ((await textOf(join(gitDir, "MERGE_HEAD"))) === undefined) {
    throw new PoolError(
      "workspace_failed",
      `${branch} could not be merged into ${checkout.path}: ${(end.stderr + end.stdout).trim()}`,
    );
  }
}

async function isMerged(checkout: Checkout, commit: string, signal: AbortSignal): Promise<boolean> {
  const args = ["merge-base", "--is-ancestor", commit, "HEAD"];
  return (await git(args, { ...within(checkout, signal), answers: [1] })).code === 0;
}

/** What stands there uncommitted, on the branch; as a merge, if one was under way. */
async function commitAll(checkout: Checkout, owner: string, signal: AbortSignal): Promise<void> {
  const { repository } = checkout;
  const { standing, headTree } = await look(checkout, { repository, owner }, signal);
  const { head, merges, tree } = standing;
  const call = within(checkout, signal);
  if (tree !== headTree || merges.length > 0) {
    const parents = [...(head === undefined ? [] : [head]), ...merges].flatMap((parent) => ["-p", parent]);
    const args = ["commit-tree", tree, ...parents, "-m", await titleOf(repository, owner)];
    const commit = await gitText([...(await identity(call)), ...args], call);
    await git(["update-ref", "HEAD", commit], call);
    for (const state of ["MERGE_HEAD", "MERGE_MODE", "MERGE_MSG"])
      await rm(join(checkout.gitDir, state), { force: true });
  }
  await git(["reset", "--quiet", "--mixed"], call);
}

/** Its saved commit is called after the task. */
async function titleOf(repository: string, owner: string): Promise<string> {
  const commit = await refAt(repository, savedRef(owner));
  if (commit === undefined) return `Work of ${owner}`;
  return gitText(["show", "-s", "--format=%s", commit], inRepository(repository));
}
