/** Saved work put where the user wants it. */
import { resolve } from "node:path";
import { PoolError } from "../core/errors.ts";
import { ownerOfRef } from "../core/workspace.ts";
import { isDirectory, isThere, namesIn, realOf, registeredAt } from "./checkout.ts";
import { git } from "./git.ts";
import { putIn } from "./put-in.ts";
import { inRepository, refAt } from "./refs.ts";
import type { RepositoryLock } from "./repository-lock.ts";
import { readSaved } from "./saved-commit.ts";

export interface Restoring {
  readonly repository: string;
  readonly ref: string;
  readonly path: string;
  readonly branch?: string;
}

/** The port's `restore`: a worktree of the user's own. */
export async function restore({ repository, ref, path, branch }: Restoring, lock: RepositoryLock): Promise<void> {
  const where = await realOf(resolve(path));
  if ((await isThere(where)) && (!(await isDirectory(where)) || (await namesIn(where)).length > 0)) {
    throw new PoolError(
      "invalid_options",
      `${where} is not empty, and nothing is overwritten. Name another directory.`,
      {
        field: "path",
      },
    );
  }
  const commit = await refAt(repository, ref);
  if (commit === undefined) {
    throw new PoolError(
      "workspace_failed",
      `There is no ref ${ref} in ${repository} any more: it was dropped, as \`claude-pool worktree prune --refs\` does with work that a branch has.`,
    );
  }
  if (branch !== undefined && (await refAt(repository, `refs/heads/${branch}`)) !== undefined) {
    throw new PoolError(
      "invalid_options",
      `There is a branch ${branch} already, and it is not moved. Name another, or none.`,
      { field: "branch" },
    );
  }
  const saved = await readSaved(commit, inRepository(repository));
  const call = { ...inRepository(repository), timeoutMs: 1_800_000 };
  const head = branch === undefined ? ["--detach"] : ["-b", branch];
  const gitDir = await lock(repository, undefined, async () => {
    await git(["worktree", "add", "--quiet", "--no-checkout", ...head, "--", where, saved.head ?? commit], call);
    return (await registeredAt(where, repository))?.gitDir;
  });
  if (gitDir === undefined) throw new PoolError("workspace_failed", `git made no worktree at ${where}.`);
  const root = { path: where, gitDir };
  await git(["reset", "--quiet", "--hard"], { ...call, cwd: where, env: { GIT_DIR: gitDir, GIT_WORK_TREE: where } });
  await putIn(root, saved, { repository, owner: ownerOfRef(ref) });
}
