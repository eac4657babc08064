/**
 * Lands saved work on a branch (G1 to G3 of core/merge.ts).
 *
 * J1. The result is computed in objects, judged in a worktree of its own, and only then does the branch move; whatever goes
 *     wrong before leaves the branch and every checkout as they were.
 * J2. A branch that moves meanwhile makes everything begin anew: no check of another result counts.
 * J3. A merge that is landed once more, after a crash say, answers what the first time did. Another merge of work that has
 *     landed moves nothing, and says so: the commit that it found is the one that it leaves.
 */
import { PoolError } from "../core/errors.ts";
import type { MergeEnd } from "../core/merge.ts";
import type { LandingRequest } from "../core/workspaces-port.ts";
import type { CheckResult } from "../core/workspace.ts";
import { git } from "./git.ts";
import { heal } from "./heal-landing.ts";
import { landingCommit } from "./landing-commit.ts";
import { readNote } from "./landing-note.ts";
import { judge } from "./merge-place.ts";
import { moveBranch } from "./move-branch.ts";
import { inRepository, isAncestor, refAt } from "./refs.ts";
import type { RepositoryLock } from "./repository-lock.ts";

/** The port's `land`; every failure but `aborted` is an end of the merge. @throws {PoolError} `aborted`. */
export async function land(request: LandingRequest, lock: RepositoryLock, signal: AbortSignal): Promise<MergeEnd> {
  try {
    return await landed(request, lock, signal);
  } catch (error) {
    if (!(error instanceof PoolError) || error.code === "aborted") throw error;
    return { state: "failed", error: error.message, code: error.code };
  }
}

async function landed(request: LandingRequest, lock: RepositoryLock, signal: AbortSignal): Promise<MergeEnd> {
  const { target } = request;
  const { repository } = request.workspace;
  await lock(repository, signal, () => heal(repository, target, signal));
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const before = await headOf(request, signal);
    const known = await landedBefore(request, before);
    if (known !== undefined) return known;
    const result = await landingCommit(
      { ...request, saved: request.workspace.saved.commit },
      before,
      inRepository(repository, signal),
    );
    if ("conflicts" in result) return { state: "conflict", before, conflicts: result.conflicts };
    const { commit } = result;
    if (commit === before) return { state: "merged", before, commit };
    const checks = request.checks.length === 0 ? [] : await judge(commit, request, lock, signal);
    if (checks.some((check) => !check.passed)) return { state: "checks_failed", before, checks };
    const evidence = checks.length === 0 ? {} : { checks };
    if (await move(request, { before, commit, evidence }, lock, signal)) {
      return { state: "merged", before, commit, ...evidence };
    }
  }
  const error = `${target} moved ${String(maxAttempts)} times while the merge was under way; it did not land. Merge again.`;
  return { state: "failed", error, code: "merge_moved" };
}

const maxAttempts = 5;

async function move(
  { target, taskId, mergeId, workspace }: LandingRequest,
  to: {
    readonly before: string;
    readonly commit: string;
    readonly evidence: { readonly checks?: readonly CheckResult[] };
  },
  lock: RepositoryLock,
  signal: AbortSignal,
): Promise<boolean> {
  const { repository, saved } = workspace;
  const reason = `claude-pool: merge ${taskId}`;
  return lock(repository, signal, () =>
    moveBranch(
      { repository, branch: target, from: to.before, to: to.commit, reason },
      { taskId, mergeId, saved: saved.commit, ...to.evidence },
      signal,
    ),
  );
}

async function headOf({ target, workspace }: LandingRequest, signal: AbortSignal): Promise<string> {
  if (target.startsWith("claude-pool/")) {
    throw new PoolError(
      "merge_failed",
      `${target} is a branch that the pool itself works on; merge into one of your own.`,
    );
  }
  const call = { ...inRepository(workspace.repository, signal), answers: [1] };
  // What follows a branch's name (`main~1`) makes it no branch.
  const isName = (await git(["check-ref-format", `refs/heads/${target}`], call)).code === 0;
  const head = isName ? await refAt(workspace.repository, `refs/heads/${target}`, signal) : undefined;
  if (head !== undefined) return head;
  throw new PoolError(
    "merge_failed",
    `There is no branch ${target} in ${workspace.repository}. Create it, or merge into another with --into.`,
  );
}

/** J3. */
async function landedBefore(
  { target, taskId, mergeId, workspace }: LandingRequest,
  head: string,
): Promise<Extract<MergeEnd, { state: "merged" }> | undefined> {
  const { repository, saved } = workspace;
  const note = await readNote(repository, target);
  if (note?.state !== "moved" || note.taskId !== taskId || note.saved !== saved.commit) return undefined;
  if (!(await isAncestor(repository, note.commit, head))) return undefined;
  if (note.mergeId !== mergeId) return { state: "merged", before: head, commit: head };
  const { before, commit, checks } = note;
  return { state: "merged", before, commit, ...(checks === undefined ? {} : { checks }) };
}
