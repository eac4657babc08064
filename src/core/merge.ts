/**
 * The merge queue: accepted work on its way into a branch.
 *
 * G1. One merge at a time for each target branch of a repository, in the order of their requests.
 * G2. The branch moves by compare-and-swap, to a commit whose tree the checks (if there are any) have passed on.
 * G3. Whatever becomes of a merge, the work stays on the task's ref.
 * G4. A merge that approves a task completes it in the transaction that says the merge has landed.
 */
import type { PoolConfig } from "./config.ts";
import { invalidOptions, PoolError, type ErrorCode } from "./errors.ts";
import type { ProcessOwner } from "./process-owner.ts";
import type { CheckResult, TaskWorkspace } from "./workspace.ts";

export const mergeStates = ["queued", "merging", "merged", "conflict", "checks_failed", "failed", "cancelled"] as const;
export type MergeState = (typeof mergeStates)[number];

/** `rebase`: its commits one by one onto the branch; `merge`: a merge commit; `squash`: one commit. */
export const mergeMethods = ["rebase", "merge", "squash"] as const;
export type MergeMethod = (typeof mergeMethods)[number];

export interface MergeRequest {
  readonly taskId: string;
  /** The branch, by its short name. */
  readonly target: string;
  /** The git common directory. */
  readonly repository: string;
  readonly method: MergeMethod;
  /** The task is in review and completes when this has landed (G4). */
  readonly approves: boolean;
  /** A task in review: it stays there, or goes back to a slot with the conflicts or failed checks. */
  readonly onConflict: "review" | "rework";
}

export interface MergeRecord extends MergeRequest {
  readonly id: string;
  readonly state: MergeState;
  readonly requestedAtMs: number;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** The process that carries it out; what a dead one holds is taken over. */
  readonly holder?: ProcessOwner;
  /** Where the branch stood, and the commit it moved to. */
  readonly before?: string;
  readonly commit?: string;
  /** Paths that conflict. */
  readonly conflicts?: readonly string[];
  readonly checks?: readonly CheckResult[];
  readonly error?: string;
  /** It was undone: the branch went back to `before`. */
  readonly undoneAtMs?: number;
}

/** How a merge ended. */
export type MergeEnd =
  | {
      readonly state: "merged";
      readonly before: string;
      readonly commit: string;
      readonly checks?: readonly CheckResult[];
    }
  | { readonly state: "conflict"; readonly before: string; readonly conflicts: readonly string[] }
  | { readonly state: "checks_failed"; readonly before: string; readonly checks: readonly CheckResult[] }
  | { readonly state: "failed" | "cancelled"; readonly error: string; readonly code?: ErrorCode };

/** What happens to a merge; every allowed step. */
const transitions: Readonly<Record<MergeState, readonly MergeState[]>> = {
  queued: ["merging", "cancelled"],
  merging: ["merged", "conflict", "checks_failed", "failed", "cancelled", "queued"],
  merged: [],
  conflict: [],
  checks_failed: [],
  failed: [],
  cancelled: [],
};

/** Refuses a step that the queue does not know. @throws {PoolError} `invalid_transition`. */
export function checkMergeStep(id: string, from: MergeState, to: MergeState): void {
  if (transitions[from].includes(to)) return;
  throw new PoolError("invalid_transition", `Merge ${id} cannot become ${to}: it is ${from}.`, {
    mergeId: id,
    state: from,
  });
}

/**
 * What is asked of the queue for a task's saved work, by the pool's settings.
 *
 * @throws {PoolError} `nothing_to_merge` without saved work, `invalid_options` where no branch is known.
 */
export function mergeRequestOf(
  config: Pick<PoolConfig, "mergeTarget" | "mergeMethod" | "onMergeConflict">,
  of: {
    readonly taskId: string;
    readonly workspace: TaskWorkspace | undefined;
    readonly approves: boolean;
    readonly into?: string;
    readonly method?: MergeMethod;
    readonly onConflict?: "review" | "rework";
  },
): MergeRequest {
  const { taskId, workspace } = of;
  if (workspace?.saved === undefined) {
    throw new PoolError(
      "nothing_to_merge",
      `Task ${taskId} has no saved work: it ran without isolation, or is not done yet.`,
      { taskId },
    );
  }
  const target = of.into ?? config.mergeTarget ?? workspace.target;
  if (target === undefined) {
    throw invalidOptions(
      `Task ${taskId} began from ${workspace.baseRef}, which is no branch: name one with --into.`,
      "into",
    );
  }
  return {
    taskId,
    target,
    repository: workspace.repository,
    method: of.method ?? config.mergeMethod,
    approves: of.approves,
    onConflict: of.onConflict ?? config.onMergeConflict,
  };
}
