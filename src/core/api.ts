/** The shapes of what `Pool` takes and gives; names and units as on every surface. */
import type { ChainOptions, ChainResult } from "./chain.ts";
import type { PoolConfig } from "./config.ts";
import type { Forecast } from "./forecast.ts";
import type { TaskOutcome } from "./outcome.ts";
import type { Clock, Processes, Runner } from "./ports.ts";
import type { HostKind, SlotConfig, SlotState, TaskFilter, TaskResult, TaskSpec } from "./task.ts";

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
