/** The port through which the engine isolates work: directories, saved refs, checks, diffs and merges. */
import type { MergeEnd, MergeMethod } from "./merge.ts";
import type {
  CheckRequest,
  CheckResult,
  CheckSpec,
  DiffStat,
  Isolation,
  SavedWork,
  TaskWorkspace,
  WorkspaceStart,
} from "./workspace.ts";

/** What a directory is to become, for whom. */
export interface WorkspaceRequest {
  readonly poolId: string;
  /** The task whose work it holds; for the steps of a chain the chain. */
  readonly owner: string;
  readonly isolation: Exclude<Isolation, "none">;
  /** The directory's root, from the records; made if it is not there. */
  readonly path: string;
  /** The task's directory in the user's checkout: what it is in the repository, it is in the workspace. */
  readonly cwd: string;
  readonly baseRef: string;
  /** `base`: clean, on a fresh branch. `saved`: as the owner's work stands there, or else as it was saved. */
  readonly start: WorkspaceStart;
  /** Its workspace of before, if it has one. */
  readonly before?: TaskWorkspace;
  /** Has this branch merged into the directory, with its conflicts left in the files. */
  readonly mergeIn?: string;
  /** Patterns of ignored files to be copied, beside those of .worktreeinclude. */
  readonly include: readonly string[];
  readonly setup?: { readonly command: string; readonly timeoutMs: number };
}

/** What `merge` is to do. */
export interface LandingRequest {
  /** For the message of the commit that holds what the worker left uncommitted, or of a squashed one. */
  readonly title: string;
  readonly taskId: string;
  readonly mergeId: string;
  readonly workspace: TaskWorkspace & { readonly saved: SavedWork };
  readonly target: string;
  readonly method: MergeMethod;
  readonly checks: readonly CheckSpec[];
  /** A directory of its own for the checks. */
  readonly path: string;
  /** The task's directory in the user's checkout: checks run in the same place. */
  readonly cwd: string;
  readonly include: readonly string[];
  readonly setup?: { readonly command: string; readonly timeoutMs: number };
}

/** Whose work and against what. */
export interface DiffRequest {
  readonly workspace: TaskWorkspace;
  /** `saved`, or the directory as it stands at this moment. */
  readonly of: "saved" | "directory";
}

/** One file of a diff. */
export interface DiffFile {
  readonly path: string;
  /** Of a renamed or copied file. */
  readonly from?: string;
  readonly status: "added" | "modified" | "deleted" | "renamed" | "copied" | "type_changed";
  /** Absent for a binary file. */
  readonly insertions?: number;
  readonly deletions?: number;
}

export interface WorkDiff extends DiffStat {
  /** The merge base that it is a diff against, and what is compared with it. */
  readonly base: string;
  readonly commit: string;
  readonly entries: readonly DiffFile[];
  /** Unified, as `git apply` takes it; binary files in git's own form. Empty when it would be larger than 16 MB. */
  readonly patch: string;
  /** Why the patch is not whole, and what shows it. */
  readonly note?: string;
}

/** A directory below a base directory, as git and the file system have it. */
export interface FoundPlace {
  readonly path: string;
  readonly kind: "worktree" | "clone" | "unknown";
  /** Whose work it holds, by its own mark. */
  readonly owner?: string;
  readonly branch?: string;
  readonly head?: string;
  /** Has it anything that is in no saved ref? */
  readonly isSaved: boolean;
  /** Registered with git, but its directory is gone. */
  readonly isMissing?: boolean;
}

/**
 * Git worktrees and clones: made, saved, judged, merged, removed.
 *
 * Every failure is a PoolError: `workspace_failed` (with what git said), `workspace_impossible` (no repository, no commit,
 * a bare one, a base that does not exist), `workspace_save_failed`, `repository_locked`, `aborted`.
 */
export interface Workspaces {
  /** The git common directory behind a directory; undefined: it is in no repository. */
  repositoryOf(cwd: string): Promise<string | undefined>;
  /** The directory of this name below the pool's base directory. */
  pathOf(place: { readonly repository: string; readonly poolId: string; readonly name: string }): string;
  /**
   * Runs the body while no other process of this machine does so for this place: the steps of a chain share one. What waits for
   * its turn rejects with `aborted` at the signal.
   */
  alone<T>(
    place: { readonly repository: string; readonly path: string },
    signal: AbortSignal | undefined,
    body: () => Promise<T>,
  ): Promise<T>;
  /**
   * Makes the directory what the request says. Whatever else stands in it is saved first (W2).
   */
  prepare(request: WorkspaceRequest, signal: AbortSignal): Promise<TaskWorkspace>;
  /** Compares directory, git directory and branch with what was meant. @throws {PoolError} `workspace_mismatch`. */
  verify(workspace: TaskWorkspace, reportedCwd: string): Promise<void>;
  /** Saves everything that stands there under the owner's ref (W1); the directory does not change. */
  save(work: {
    readonly owner: string;
    readonly title: string;
    readonly attempt: number;
    readonly workspace: TaskWorkspace;
  }): Promise<TaskWorkspace>;
  /**
   * Runs checks in the directory on the tree that was saved; what they leave there is put back, and a check during which a file
   * of the work changed has not passed. One that was cut short by the signal rejects with `aborted`; one that fails is a result.
   * Where `isAlone` says that somebody else has worked there meanwhile, nothing is put back, and any change voids the check.
   */
  check(work: CheckRequest, signal: AbortSignal): Promise<readonly CheckResult[]>;
  /** Merges saved work into a branch (G2 of merge.ts), once however often it is asked; rejects with `aborted` alone. */
  land(request: LandingRequest, signal: AbortSignal): Promise<MergeEnd>;
  /** Would these meet conflicts? Nothing is changed. `with`: a branch or ref; each path once. */
  conflicts(workspace: TaskWorkspace, other: string): Promise<readonly string[]>;
  /** Moves a branch that still stands at `from` to `to`, with the user's clean checkout of it. @throws {PoolError} `merge_moved` (`at`: where it stands), `checkout_dirty`. */
  moveBranch(repository: string, branch: string, from: string, to: string): Promise<void>;
  diff(request: DiffRequest): Promise<WorkDiff>;
  /** Puts saved work into a directory of the user's choice, with what was uncommitted uncommitted. */
  restore(work: {
    readonly repository: string;
    readonly ref: string;
    readonly path: string;
    readonly branch?: string;
  }): Promise<void>;
  /** What is in the base directory of a pool. */
  find(repository: string, poolId: string): Promise<readonly FoundPlace[]>;
  /** Saves what stands there under its owner's ref, or one of its own; resolves to the ref, if there was anything to save. */
  rescue(found: FoundPlace, repository: string): Promise<string | undefined>;
  /** Removes a directory whose work is saved (W2). @throws {PoolError} `workspace_save_failed`. */
  remove(path: string, repository: string): Promise<void>;
  /** The refs that keep work in a repository: tasks' and earlier attempts'. */
  savedRefs(
    repository: string,
  ): Promise<
    readonly { readonly ref: string; readonly commit: string; readonly atMs: number; readonly subject: string }[]
  >;
  /** Drops a ref that keeps work, if it is still at this commit. */
  dropRef(repository: string, ref: string, commit: string): Promise<void>;
  /** A branch, local or of a remote, that has the commit and is none of a pool's; undefined: there is none. */
  branchWith(repository: string, commit: string): Promise<string | undefined>;
}
