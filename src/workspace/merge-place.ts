/** A worktree for the time of a merge, where its result is set up and checked. Nobody works there, and nothing of it is kept. */
import { mkdir, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { PoolError } from "../core/errors.ts";
import type { LandingRequest } from "../core/workspaces-port.ts";
import type { CheckResult } from "../core/workspace.ts";
import { runChecks } from "./check.ts";
import { checkoutAt, registeredAt, within, type Checkout } from "./checkout.ts";
import { git, gitText } from "./git.ts";
import { copyIgnored } from "./include.ts";
import { writeMark } from "./mark.ts";
import { checkoutOf, placeIn } from "./place-in.ts";
import { inRepository } from "./refs.ts";
import type { RepositoryLock } from "./repository-lock.ts";
import { setUp } from "./setup.ts";

/** What the checks say of a commit that nobody has yet. @throws {PoolError} `workspace_failed`, `aborted`. */
export async function judge(
  commit: string,
  request: LandingRequest,
  lock: RepositoryLock,
  signal: AbortSignal,
): Promise<readonly CheckResult[]> {
  const { repository } = request.workspace;
  await clear(request.path, repository, lock);
  try {
    const checkout = await make(commit, request, lock, signal);
    const from = await checkoutOf(request.cwd, signal);
    if (from !== undefined) {
      await copyIgnored({ from, to: checkout, patterns: request.include, isFresh: true }, signal);
    }
    if (request.setup !== undefined) await setUp({ ...request.setup, checkout, owner: request.taskId, commit }, signal);
    const tree = await gitText(["rev-parse", `${commit}^{tree}`], inRepository(repository, signal));
    const cwd = await placeIn(checkout.path, request.cwd, signal);
    return await runChecks({ checkout, cwd, owner: request.taskId, tree, checks: request.checks }, signal);
  } finally {
    await clear(request.path, repository, lock);
  }
}

async function make(
  commit: string,
  { path, workspace, taskId, target }: LandingRequest,
  lock: RepositoryLock,
  signal: AbortSignal,
): Promise<Checkout> {
  const { repository } = workspace;
  await mkdir(dirname(path), { recursive: true });
  // Its files come after the lock: they are many.
  const checkout = await lock(repository, signal, async () => {
    const args = ["worktree", "add", "--quiet", "--detach", "--no-checkout", path, commit];
    await git(args, inRepository(repository, signal));
    const made = await checkoutAt(path, repository);
    if (made === undefined) throw new PoolError("workspace_failed", `Git made no worktree at ${path}.`);
    // What stands there is nobody's work, and `making` says so to whoever finds it.
    await writeMark(made.gitDir, { state: "making", poolId: basename(dirname(path)), owner: taskId, branch: target });
    return made;
  });
  await git(["reset", "--hard", "--quiet"], { ...within(checkout, signal), timeoutMs: 600_000 });
  return checkout;
}

/** Removes it, or what a merge that was killed left of it. */
async function clear(path: string, repository: string, lock: RepositoryLock): Promise<void> {
  await rm(path, { recursive: true, force: true });
  const left = await registeredAt(path, repository);
  if (left === undefined) return;
  await lock(repository, undefined, () => rm(left.gitDir, { recursive: true, force: true }));
}
