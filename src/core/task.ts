/** What a task, a run, a slot and a host are. All names as on the wire, in camelCase. */
import type { TaskPlan } from "./attempt.ts";
import type { HeldBack } from "./governor.ts";
import type { EndReason } from "./outcome.ts";
import type { TraceContext } from "./trace-context.ts";
import type { CheckSpec, Isolation, TaskWorkspace } from "./workspace.ts";

/** Every state, in the order of a task's way. */
export const taskStates = ["pending", "running", "pending_review", "completed", "failed", "cancelled"] as const;
export type TaskState = (typeof taskStates)[number];

/** The states that a task never leaves. */
export const terminalStates = ["completed", "failed", "cancelled"] as const satisfies readonly TaskState[];
export type TerminalState = (typeof terminalStates)[number];

export const permissionModes = ["default", "acceptEdits", "bypassPermissions", "dontAsk", "plan", "auto"] as const;
export type PermissionMode = (typeof permissionModes)[number];

/** `min` is accepted at the edge and means `low`. */
export const efforts = ["low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof efforts)[number];

/** A chain holds no slot, its steps do; a `route` task is the pool's own question where work belongs. */
export const taskKinds = ["task", "chain", "route"] as const;
export type TaskKind = (typeof taskKinds)[number];

export const slotModes = ["persistent", "ephemeral"] as const;
export type SlotMode = (typeof slotModes)[number];

export const slotStates = ["idle", "busy", "draining", "stopped", "errored"] as const;
export type SlotState = (typeof slotStates)[number];

/** What a worker's own tools are about; submitting tasks is not among them (`mayDispatch`). */
export const workerFamilies = ["messages", "ask", "progress", "context"] as const;
export type WorkerFamily = (typeof workerFamilies)[number];

export const settingSources = ["user", "project", "local"] as const;
export type SettingSource = (typeof settingSources)[number];

/** Why a pending task is not taken yet. */
export const holdReasons = [
  "budget",
  "limit",
  "memory",
  "dependency",
  "claim",
  "launch",
  "retry",
  "overload",
  "reserve",
] as const;
export type HoldReason = (typeof holdReasons)[number];

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = Readonly<Record<string, Json>>;

/** What a task may set for itself; precedence is task, slot, pool. */
export interface TaskOverrides {
  readonly model?: string;
  readonly permissionMode?: PermissionMode;
  readonly maxTurns?: number;
  /** Appended to Claude Code's own system prompt unless `systemPromptMode` is `replace`. */
  readonly systemPrompt?: string;
  readonly systemPromptMode?: "append" | "replace";
  readonly effort?: Effort;
  readonly fallbackModel?: string;
  /** Added to the slot's and the pool's, unless `allowedToolsMode` is `replace`. */
  readonly allowedTools?: readonly string[];
  readonly allowedToolsMode?: "add" | "replace";
  readonly disallowedTools?: readonly string[];
  /** The built-in tools that exist at all for this task. */
  readonly tools?: readonly string[];
  readonly mcpServers?: JsonObject;
  readonly jsonSchema?: JsonObject;
  readonly maxBudgetUsd?: number;
  readonly settingSources?: readonly SettingSource[];
  /** Whether it works in the shared directory, in its slot's git worktree, or in a clone of its own. Default `none`. */
  readonly isolation?: Isolation;
  /** What its worktree or clone begins from: a branch, tag or commit. Default HEAD. */
  readonly baseRef?: string;
  /** Commands that must succeed on its tree before it counts as done; they replace those of lower layers. */
  readonly checks?: readonly CheckSpec[];
  /** How often failed checks go back to it as feedback; default 2. */
  readonly checkRetries?: number;
  /** Tools of the pool for the worker itself: all, none, or these. */
  readonly workerTools?: boolean | readonly WorkerFamily[];
  /** The worker may submit tasks of its own, down to the pool's `maxDepth`. */
  readonly mayDispatch?: boolean;
}

/** Which conversation a task goes on in: a new one, the slot's last one, or that of another task. */
export type ConversationChoice = "fresh" | "continue" | { readonly taskId: string };

/** What `submit` takes: a prompt and its options. */
export interface TaskSpec extends TaskOverrides {
  readonly prompt: string;
  /** Integer, higher first, default 0. */
  readonly priority?: number;
  readonly tags?: readonly string[];
  /** Absolute, or relative to the pool's; default the pool's. */
  readonly cwd?: string;
  /** The longest the run may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** The longest the task may wait for a slot, in milliseconds; then it fails with `no_slot_available`. */
  readonly queueTimeoutMs?: number;
  /** Idempotency key: the same key and spec give the first task's id. */
  readonly key?: string;
  readonly review?: boolean;
  /** The rejection that fails it for good is this one; default 3, at least 1. */
  readonly maxRejections?: number;
  /** Where a rejected task goes on: in a fresh conversation with its earlier answer, or in the same. Default `fresh`. */
  readonly afterRejection?: "fresh" | "continue";
  /** How often it is tried again after a failure that can heal; default 0. */
  readonly retries?: number;
  /** Before each of them, in milliseconds. */
  readonly retryDelayMs?: number;
  readonly conversation?: ConversationChoice;
  /** `auto`: it goes into the merge queue as soon as it is done, or approved if it is reviewed. Default `manual`. */
  readonly merge?: "manual" | "auto";
  /** What it will edit or use: paths, globs, and resources such as `port:3000`. Claimed in the activity log while it runs. */
  readonly paths?: readonly string[];
  /** The longest that others' claims on its paths hold it, in milliseconds; 0: not at all. Default the pool's. */
  readonly claimWaitMs?: number;
}

export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadInputTokens: number;
  readonly cacheCreationInputTokens: number;
}

export interface PermissionDenial {
  readonly toolName: string;
  readonly toolUseId?: string;
  readonly toolInput?: JsonObject;
}

/** How a task ended, in full. Times in milliseconds, money in microdollars. */
export interface TaskResult {
  readonly output: string;
  readonly success: boolean;
  readonly costMicrodollars: number;
  /** True when the cost could not be read and stands as an estimate; unknown cost is never zero. */
  readonly costEstimated?: boolean;
  readonly turnsUsed: number;
  readonly elapsedMs: number;
  /** The model that really answered. */
  readonly model?: string;
  readonly sessionId?: string;
  /** The HTTP status with which the Messages API failed it. */
  readonly apiStatus?: number;
  readonly failedCommand?: string;
  readonly exitCode?: number;
  readonly stderr?: string;
  readonly budgetExceeded?: boolean;
  /** Why it did not complete. */
  readonly reason?: EndReason;
  /** The same in words, with what to do. */
  readonly error?: string;
  readonly usage?: TokenUsage;
  readonly modelUsage?: JsonObject;
  readonly permissionDenials?: readonly PermissionDenial[];
  readonly structuredOutput?: Json;
  /** The mode the run really had. */
  readonly permissionMode?: PermissionMode;
}

export interface Hold {
  readonly reason: HoldReason;
  /** Milliseconds since the epoch; absent: until something else releases it. */
  readonly untilMs?: number;
  /** Of `claim`: who holds what, in words; text of another terminal, made harmless. */
  readonly note?: string;
}

/** A task as it is stored; on every surface it has these fields. */
export interface TaskRecord {
  readonly id: string;
  /** Order of submission in this pool; also the cursor of `list`. */
  readonly seq: number;
  readonly prompt: string;
  readonly state: TaskState;
  readonly priority: number;
  readonly tags: readonly string[];
  readonly config?: TaskOverrides;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly queueTimeoutMs?: number;
  readonly key?: string;
  readonly conversation?: ConversationChoice;
  readonly reviewRequired: boolean;
  readonly maxRejections: number;
  readonly rejectionCount: number;
  readonly originalPrompt?: string;
  /** The host whose own slots alone take it before any `serve` host does; set by an attached run. */
  readonly originHost?: string;
  readonly attempt: number;
  readonly slotId?: string;
  readonly hostId?: string;
  /** The run that holds the task now, or held it last; only this one may commit. */
  readonly runId?: string;
  readonly hold?: Hold;
  readonly cancelRequestedAtMs?: number;
  /** The conversation to go on in after a crash, and the run whose prompt it holds. */
  readonly resumeSessionId?: string;
  readonly lostRuns: number;
  /** `chain`: it holds no slot, its steps do; `route`: the pool's own question where work belongs. */
  readonly kind: TaskKind;
  /** The chain that this is a step of, and which. */
  readonly chainId?: string;
  readonly step?: number;
  /** What it keeps of its earlier attempts. */
  readonly plan?: TaskPlan;
  /** Its worktree or clone, what is saved of it, and what its checks said. */
  readonly workspace?: TaskWorkspace;
  readonly merge?: "manual" | "auto";
  readonly paths?: readonly string[];
  /** How long it may still wait for others' claims; only being held by one uses it up. */
  readonly claimWaitMs?: number;
  /** The merge that it waits for: in review, and completed when that has landed (G4 of merge.ts). */
  readonly mergeId?: string;
  readonly retryCount: number;
  /** How many tasks deep it was submitted from within slots; absent: by the coordinator. */
  readonly depth?: number;
  /** The task whose worker submitted it. */
  readonly parentTaskId?: string;
  /** The trace of the request that submitted it, if that had one. */
  readonly trace?: TraceContext;
  /** Set while it runs and waits for somebody's answer, its slot with it. */
  readonly waitsFor?: "permission" | "question";
  readonly createdAtMs: number;
  readonly startedAtMs?: number;
  readonly completedAtMs?: number;
  readonly result?: TaskResult;
}

/** One attempt: one row of the ledger, written when the task is leased and closed exactly once. */
export interface RunRecord {
  readonly runId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly hostId: string;
  readonly slotId: string;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  /** completed, failed, cancelled, timed_out, limited or lost; absent while it runs. */
  readonly outcome?: string;
  readonly reason?: EndReason;
  readonly reservedMicrodollars: number;
  readonly costMicrodollars: number;
  readonly costEstimated: boolean;
  readonly turnsUsed: number;
  readonly model?: string;
  readonly sessionId?: string;
  readonly usage?: TokenUsage;
  /** Why another attempt took its place, if its own end was not the task's. */
  readonly superseded?: "retried" | "rejected" | "checks";
}

/** What a slot may set for its tasks. */
export interface SlotConfig extends Omit<
  TaskOverrides,
  "jsonSchema" | "maxBudgetUsd" | "tools" | "disallowedTools" | "mayDispatch"
> {
  readonly name?: string;
  readonly role?: string;
  readonly description?: string;
  readonly slotAssignmentTimeoutSecs?: number;
  readonly conversation?: "fresh" | "continue";
  /** It takes no work by itself, only what is claimed for it. */
  readonly pull?: boolean;
}

export interface SlotRecord {
  readonly id: string;
  readonly state: SlotState;
  readonly config: SlotConfig;
  readonly hostId: string;
  readonly currentTask?: string;
  /** Claude's conversation of the last task; with `cwd`, since a conversation belongs to a directory. */
  readonly sessionId?: string;
  readonly sessionCwd?: string;
  readonly tasksCompleted: number;
  readonly costMicrodollars: number;
  /** How often it was restarted after a failure, in all. */
  readonly restartCount: number;
  readonly worktreePath?: string;
  /** Why it is errored. */
  readonly error?: string;
  readonly process?: ProcessIdentity;
}

/** What names one process for good: a pid alone is used again by the system. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The system's own start time of the pid, as text; compared, never computed with. */
  readonly startTime: string;
  /** The value of CLAUDE_POOL_MARKER in its environment and in that of every process it started. */
  readonly marker: string;
}

export const hostKinds = ["serve", "attached", "library", "mcp"] as const;
export type HostKind = (typeof hostKinds)[number];

export interface HostRecord {
  readonly id: string;
  readonly kind: HostKind;
  readonly pid: number;
  readonly startTime: string;
  /** Machine and boot, so that a pid of another machine or before a reboot is never taken for a live one. */
  readonly bootId: string;
  readonly hostname: string;
  readonly startedAtMs: number;
  /** The host's right to its running tasks lasts until then. */
  readonly leaseUntilMs: number;
  readonly state: "alive" | "recovering" | "ended";
  readonly targetSlots: number;
}

/** Counts and money of a pool, from maintained counters: the same cost with ten tasks and a million. */
export interface PoolStatus {
  readonly totalSlots: number;
  readonly idleSlots: number;
  readonly busySlots: number;
  readonly erroredSlots: number;
  readonly runningTasks: number;
  readonly pendingTasks: number;
  readonly heldTasks: number;
  readonly pendingReviewTasks: number;
  /** Running tasks' requests that wait for an answer. */
  readonly openRequests: number;
  readonly completedTasks: number;
  readonly failedTasks: number;
  readonly cancelledTasks: number;
  readonly totalSpendMicrodollars: number;
  readonly budgetMicrodollars?: number;
  readonly budgetSpentMicrodollars: number;
  readonly reservedMicrodollars: number;
  readonly hosts: number;
  readonly shutdown: boolean;
  /** What holds the whole queue back beyond the budget, if anything does. */
  readonly heldBack?: HeldBack;
}

export interface TaskFilter {
  /** Default every kind. */
  readonly kind?: TaskKind | readonly TaskKind[];
  readonly state?: TaskState | readonly TaskState[];
  readonly slotId?: string;
  /** A task matches if it has any of them. */
  readonly tags?: readonly string[];
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** The key of a task by that of the call which it came with, and its place there. */
export function callTaskKey(callKey: string, index: number): string {
  return `${callKey}/${String(index)}`;
}

/** Is this a state that a task never leaves? */
export function isTerminal(state: TaskState): state is TerminalState {
  return (terminalStates as readonly TaskState[]).includes(state);
}
