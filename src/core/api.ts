/** The shapes of what `Pool` takes and gives; names and units as on every surface. */
import type { ChainOptions, ChainResult } from "./chain.ts";
import type { PoolConfig } from "./config.ts";
import type { Forecast } from "./forecast.ts";
import type { MergeMethod, MergeState } from "./merge.ts";
import type { TaskOutcome } from "./outcome.ts";
import type { Clock, Processes } from "./ports.ts";
import type { Runner } from "./runner-port.ts";
import type { HostKind, SlotConfig, SlotState, TaskFilter, TaskResult, TaskSpec } from "./task.ts";
import type { TaskWorkspace, WorkspaceStart } from "./workspace.ts";

/** Options of `openPool`: every setting of the pool, and where it lives and runs. */
export interface OpenPoolOptions extends Partial<PoolConfig> {
  /** How many slots this process contributes, or a config for each. Default 1; 0: it only submits, waits and looks. */
  readonly slots?: number | readonly SlotConfig[];
  /** The directory that tasks work in; default the process's. Also chooses the project, and so the store. */
  readonly cwd?: string;
  /** The store's file; default the project's, under CLAUDE_POOL_HOME or ~/.claude-pool. `:memory:` for tests. */
  readonly store?: string;
  /** The pool's cap in dollars; the same as `budgetMicrodollars`. */
  readonly budgetUsd?: number;
  /** Where the user's own skills, workflows and trust lie; default what CLAUDE_POOL_HOME and CLAUDE_CONFIG_DIR say, else ~/.claude-pool and ~/.claude. */
  readonly homes?: { readonly pool?: string; readonly claude?: string };
  /** What kind of host this is; `attached` takes only the tasks it submitted itself. Default `library`. */
  readonly kind?: HostKind;
  /** For tests: another runner, clock or process table. */
  readonly runner?: Runner;
  readonly clock?: Clock;
  readonly processes?: Processes;
}

/** Options of `submit` and `run`: the spec without its prompt. */
export type SubmitOptions = Omit<TaskSpec, "prompt">;

export interface RunOptions extends SubmitOptions {
  /** Ends the wait and cancels the task. */
  readonly signal?: AbortSignal;
  /** Text of the answer as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface WaitOptions {
  /** `all` (default) waits for every task, `any` for the first. */
  readonly mode?: "all" | "any";
  readonly timeoutMs?: number;
  /** Ends the wait; the tasks go on. */
  readonly signal?: AbortSignal;
}

export interface WaitAnswer {
  /** Those that are terminal or in review, in the order of the ids asked for. */
  readonly done: readonly TaskOutcome[];
  readonly pending: readonly string[];
  readonly timedOut: boolean;
}

export interface FanOutOptions extends SubmitOptions {
  /** How many of them run at once; default: as many as there are slots. */
  readonly concurrency?: number;
  /** Cancels what is left. */
  readonly signal?: AbortSignal;
  /** Called with each as it ends. */
  readonly onSettled?: (settled: Settled, index: number) => void;
  readonly onOutput?: (text: string, index: number) => void;
}

/** One result of a fan-out, in the place of its input. */
export type Settled =
  | { readonly status: "fulfilled"; readonly taskId: string; readonly result: TaskResult }
  | { readonly status: "rejected"; readonly taskId?: string; readonly error: Error; readonly outcome?: TaskOutcome };

export interface EventsOptions {
  /** Only what comes after this `seq`; default: from now on. */
  readonly after?: number;
  readonly taskId?: string;
  /** False: ends with what the log holds at the moment. Default true. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface ListOptions extends TaskFilter {
  /** How many at once. Default 50. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly after?: number;
  readonly order?: "newest" | "oldest";
}

/** A cap on what the pool spends; without an amount there is none. */
export interface BudgetCap {
  readonly usd?: number;
  readonly microdollars?: number;
  readonly renews?: "none" | "day" | "week";
}

export interface DrainOptions {
  /** How long running tasks may take to end; then they are cancelled. Default 30,000. */
  readonly graceMs?: number;
  /** Pending tasks stay for the next opening instead of being cancelled. */
  readonly keepPending?: boolean;
}

export interface DrainSummary {
  readonly totalCostMicrodollars: number;
  readonly totalTasksCompleted: number;
  /** Pending tasks that were cancelled, and running ones that were stopped at the end of the grace. */
  readonly cancelledPending: readonly string[];
  readonly cancelledRunning: readonly string[];
}

export interface SlotFilter {
  readonly name?: string;
  readonly role?: string;
  readonly state?: SlotState;
}

export interface RunChainOptions extends ChainOptions {
  /** Cancels the chain and ends the wait once nothing of it runs. */
  readonly signal?: AbortSignal;
  /** Called with the chain's id as soon as it has one. */
  readonly onSubmitted?: (chainId: string) => void;
}

export interface ResumeChainOptions {
  /** The step to begin at, which runs again with everything that follows of it; default the ones that did not complete. */
  readonly from?: string;
}

export interface FanOutChainsOptions extends Omit<RunChainOptions, "onSubmitted"> {
  /** Called with each as it ends. */
  readonly onSettled?: (settled: SettledChain, index: number) => void;
}

/** One chain of several, in the place of its input; `taskId` is absent where it was not admitted. */
export type SettledChain =
  | { readonly status: "fulfilled"; readonly taskId: string; readonly result: ChainResult }
  | { readonly status: "rejected"; readonly taskId?: string; readonly error: Error };

export interface RequestFilter {
  /** Those that were answered too, the newest first; default only what is open. */
  readonly all?: boolean;
  readonly taskId?: string;
  /** Default 100, at most 1,000. */
  readonly limit?: number;
}

/** A message to be sent. */
export interface MessageSpec {
  /** A live slot's id, or `coordinator`, which is the default. */
  readonly from?: string;
  /** A live slot's id, or `coordinator`. */
  readonly to: string;
  /** At most 32,000 characters. */
  readonly content: string;
}

export interface SupervisorOptions {
  /** The longest pause before an errored slot is tried again. */
  readonly intervalSecs?: number;
}

export interface SupervisorHandle {
  /** What is errored stays so from now on. */
  readonly stop: () => void;
}

/** Whose money: that of the tasks with a tag, or that of every day. */
export type BudgetScope = { readonly tag: string } | { readonly day: true };

export interface EstimateOptions extends SubmitOptions {
  /** How many of the tasks would run at once; default 1. */
  readonly slots?: number;
}

/** What work would cost and take, judged by the project's own record. Money in microdollars, times in milliseconds. */
export type WorkEstimate = { readonly tasks: number } & Forecast;

/** Which state of a task's work is shown. */
export interface DiffOptions {
  /** What was saved of it, or what stands in its directory at this moment; default the directory as long as it runs. */
  readonly of?: "saved" | "directory";
}

/** How saved work is merged. */
export interface MergeOptions {
  /** The branch, by its short name; default the pool's `mergeTarget`, else the branch that the work began from. */
  readonly into?: string;
  /** Default the pool's `mergeMethod`. */
  readonly method?: MergeMethod;
  /** Whether its end is waited for; default true. Without, a host goes on with it. */
  readonly wait?: boolean;
  /** Ends the wait; the merge stays in the queue. */
  readonly signal?: AbortSignal;
}

/** Would a merge meet conflicts? */
export interface MergePreview {
  readonly taskId: string;
  /** The branch, or the task whose work is compared. */
  readonly with: string;
  /** Paths that would conflict; empty: none would. */
  readonly conflicts: readonly string[];
}

export interface ApproveOptions extends MergeOptions {
  /** Whether its work is merged, which completes it; default what the task says. */
  readonly merge?: "auto" | "manual";
}

export interface RejectOptions {
  /** Its next attempt begins with the work that was rejected (`saved`, the default), or from the base. */
  readonly start?: WorkspaceStart;
}

export interface MergeListOptions {
  readonly taskId?: string;
  readonly state?: MergeState | readonly MergeState[];
  /** Default 50. */
  readonly limit?: number;
}

export interface RestoreOptions {
  /** An empty or new directory; default `<task>` beside the pool's directory. */
  readonly path?: string;
  /** A branch to be made there; default none, HEAD is detached. */
  readonly branch?: string;
}

/** Why a directory of the pool is there. */
export const worktreeExplanations = ["slot", "task", "merge", "free", "leftover", "unknown"] as const;
export type WorktreeExplanation = (typeof worktreeExplanations)[number];

/** A directory that the pool made to work in, or that stands among those. */
export interface Worktree {
  readonly path: string;
  readonly kind: "worktree" | "clone" | "unknown";
  readonly repository: string;
  /**
   * `slot`, `task`, `merge`: held by one. `free`: the next that needs one takes it. `leftover`: of a task that is gone, or of a
   * crash. `unknown`: nothing of the pool's; it is left alone.
   */
  readonly explanation: WorktreeExplanation;
  readonly slotId?: string;
  /** Who holds it, or whose work stands there. */
  readonly taskId?: string;
  readonly mergeId?: string;
  readonly branch?: string;
  readonly head?: string;
  /** Is everything in it on a ref? */
  readonly isSaved: boolean;
  /** Registered with git, but its directory is gone. */
  readonly isMissing?: boolean;
}

/** What is kept of a task's work, wherever its directory is. */
export interface SavedRef {
  readonly ref: string;
  readonly commit: string;
  readonly atMs: number;
  readonly subject: string;
}

/** A task's workspace with every ref that keeps work of it. */
export interface ShownWorkspace {
  readonly taskId: string;
  readonly workspace: TaskWorkspace;
  /** Does its directory still hold its work? */
  readonly stands: boolean;
  /** The latest first. */
  readonly refs: readonly SavedRef[];
}

/** Which refs of saved work may go. */
export interface PruneRefsOptions {
  /** Only those whose work was saved so long ago, in milliseconds; default 0. */
  readonly olderThanMs?: number;
  /** Also work that no branch has, of tasks that are over; default false. */
  readonly force?: boolean;
  /** Only say what would go; default false. */
  readonly dryRun?: boolean;
}

/** What `pruneRefs` did with one ref. */
export interface PrunedRef extends SavedRef {
  readonly repository: string;
  /** Absent: this pool knows no such task. */
  readonly taskId?: string;
  /** A branch that has the work. */
  readonly branch?: string;
  readonly isRemoved?: true;
  /** Why it stays. */
  readonly stays?: string;
}

/** What `prune` did with one directory. */
export interface PrunedWorktree extends Worktree {
  /** Absent: it stays, as `explanation` or `error` says. */
  readonly isRemoved?: true;
  /** The ref that what stood there was saved to just now. */
  readonly savedTo?: string;
  /** Why it could not be saved, and so was not removed. */
  readonly error?: string;
}
