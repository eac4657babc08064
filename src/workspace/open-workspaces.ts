/** The workspaces of one process: git worktrees and clones behind core's port. */
import { basename, dirname, join } from "node:path";
import { defined } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import type { Processes } from "../core/ports.ts";
import type { Workspaces } from "../core/workspaces-port.ts";
import type { TaskWorkspace } from "../core/workspace.ts";
import { runChecks } from "./check.ts";
import { checkoutAt, type Checkout } from "./checkout.ts";
import { conflictsWith } from "./conflicts.ts";
import { diffOf } from "./diff.ts";
import { asPoolError } from "./file-errors.ts";
import { find, rescue } from "./finding.ts";
import { requireGit } from "./git-version.ts";
import { land } from "./land.ts";
import { readMark } from "./mark.ts";
import { draftSuffix } from "./making.ts";
import { moveBranch } from "./move-branch.ts";
import { baseDirectory } from "./places.ts";
import { prepare } from "./prepare.ts";
import { branchWith, dropRef, refAt, savedRefs } from "./refs.ts";
import { remove } from "./removing.ts";
import { branchLock, placeLock, repositoryLock } from "./repository-lock.ts";
import { repositoryOf } from "./repository.ts";
import { restore } from "./restoring.ts";
import { saveWork } from "./saving.ts";
import { verify } from "./verifying.ts";

export interface WorkspacesOptions {
  readonly processes: Processes;
  /** Absolute, or from the repository's main checkout; default `.claude/worktrees/claude-pool` there. */
  readonly baseDirectory?: string;
}

/** Opens them; there is nothing to close. */
export function openWorkspaces({ processes, baseDirectory: configured }: WorkspacesOptions): Workspaces {
  const lock = repositoryLock(processes);
  const place = placeLock(processes);
  const branchTurn = branchLock(processes);
  /** Nobody makes a directory ready or saves it while it is being removed; a draft belongs to the place beside it. */
  const inTurn = <T>(path: string, repository: string, body: () => Promise<T>, patience?: AbortSignal): Promise<T> =>
    place({ repository, path: join(dirname(path), basename(path, draftSuffix)) }, patience, body);
  const folderOf = (repository: string, poolId: string): string => join(baseDirectory(repository, configured), poolId);
  return {
    repositoryOf: (cwd) => repositoryOf(cwd),
    pathOf: ({ repository, poolId, name }) => join(folderOf(repository, poolId), name),
    alone: place,
    async prepare(request, signal) {
      await requireGit();
      return asPoolError(`Preparing ${request.path}`, () =>
        prepare(request, { lock, baseDirectory: configured }, signal),
      );
    },
    verify,
    save: saveWork,
    async check({ workspace, checks, isAlone, patience }, signal) {
      const [checkout, owner] = await standing(workspace);
      const { cwd, saved, path, repository } = workspace;
      if (saved === undefined) throw new PoolError("workspace_failed", `Nothing is saved of ${owner} to be checked.`);
      const turn = <T>(body: () => Promise<T>): Promise<T> => inTurn(path, repository, body, patience);
      return runChecks({ checkout, cwd, owner, tree: saved.tree, checks, isAlone, inTurn: turn }, signal);
    },
    async land(request, signal) {
      await requireGit();
      const { target: branch, workspace } = request;
      // Pools that share a repository would else take turns in making each other's merge begin anew.
      return branchTurn({ repository: workspace.repository, branch }, signal, () => land(request, lock, signal));
    },
    async conflicts(workspace, other) {
      await requireGit();
      return conflictsWith(workspace, other);
    },
    async moveBranch(repository, branch, from, to) {
      const move = { repository, branch, from, to, reason: "claude-pool: undo merge" };
      const moved = await lock(repository, undefined, () => moveBranch(move, {}));
      if (moved) return;
      throw new PoolError(
        "merge_moved",
        `${branch} does not stand at ${from} any more, so something came after it; nothing was changed. ` +
          `On ${branch}, \`git revert ${to.slice(0, 12)}..${from.slice(0, 12)}\` takes it back with a commit of its own.`,
        defined({ branch, at: await refAt(repository, `refs/heads/${branch}`) }),
      );
    },
    diff: (request) => diffOf(request),
    restore: (work) => asPoolError(`Restoring to ${work.path}`, () => restore(work, lock)),
    find: (repository, poolId) =>
      asPoolError("Looking for places", () => find(repository, folderOf(repository, poolId))),
    rescue: (found, repository) => inTurn(found.path, repository, () => rescue(found, repository)),
    remove: (path, repository) =>
      inTurn(path, repository, () => asPoolError(`Removing ${path}`, () => remove(path, repository, lock))),
    savedRefs,
    dropRef,
    branchWith,
  };
}

async function standing({ path, repository }: TaskWorkspace): Promise<[Checkout, string]> {
  const checkout = await checkoutAt(path, repository);
  const mark = checkout === undefined ? undefined : await readMark(checkout.gitDir);
  if (checkout === undefined || mark === undefined) {
    throw new PoolError("workspace_failed", `There is no directory of a task at ${path} any more.`);
  }
  return [checkout, mark.owner];
}
