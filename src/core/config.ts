/** What a pool can be told, its defaults, and how a task's own settings, the slot's and the pool's become one. */
import {
  type ConversationChoice,
  type Effort,
  type JsonObject,
  type PermissionMode,
  type SettingSource,
  type SlotConfig,
  type SlotMode,
  type TaskOverrides,
  type TaskRecord,
  workerFamilies,
  type WorkerFamily,
} from "./task.ts";
import type { MergeMethod } from "./merge.ts";
import type { CheckSpec, Isolation } from "./workspace.ts";

export interface ScalingConfig {
  readonly minSlots: number;
  readonly maxSlots: number;
  /** Each host but an attached one changes its number of slots by itself, by what waits. Default false. */
  readonly auto?: boolean;
  /** Tasks that have waited so long for a slot get another. Default 1,000. */
  readonly upDelayMs?: number;
  /** A slot that has been idle so long is taken away. Default 60,000. */
  readonly downDelayMs?: number;
}

/** Settings of the whole pool; each is an option of `openPool` and a key of claude-pool.json (in snake_case). */
export interface PoolConfig {
  readonly model?: string;
  readonly permissionMode?: PermissionMode;
  readonly maxTurns?: number;
  readonly systemPrompt?: string;
  readonly systemPromptMode: "append" | "replace";
  readonly allowedTools: readonly string[];
  readonly disallowedTools: readonly string[];
  readonly tools?: readonly string[];
  readonly mcpServers: JsonObject;
  readonly effort?: Effort;
  readonly fallbackModel?: string;
  readonly budgetMicrodollars?: number;
  /** `none`, or when spending starts to count anew by itself. */
  readonly budgetRenews: "none" | "day" | "week";
  readonly slotMode: SlotMode;
  /** How often in a row a slot is tried again after a failure. */
  readonly maxRestarts: number;
  /** The original's switch: true is `isolation: "worktree"` for every task that names none. */
  readonly worktreeIsolation: boolean;
  readonly isolation?: Isolation;
  readonly baseRef?: string;
  readonly checks?: readonly CheckSpec[];
  readonly checkRetries?: number;
  /** Slots take part in the activity log: claims of paths, endings, and what others wrote before the model. Default true. */
  readonly activityLog: boolean;
  /** The longest that others' claims on their paths hold tasks; 0: not at all. */
  readonly claimWaitMs: number;
  /** Where worktrees and clones are; default `.claude/worktrees/claude-pool` in the repository, which is kept out of git. */
  readonly worktreeBaseDir?: string;
  /** Ignored files that a worktree gets copies of, as patterns of .gitignore; beside those of .worktreeinclude. */
  readonly worktreeInclude: readonly string[];
  /** Run by `/bin/sh -c` in a worktree that was made, or whose base has moved. */
  readonly worktreeSetup?: string;
  /** The longest that takes. */
  readonly worktreeSetupTimeoutMs: number;
  /** How accepted work lands; default `rebase`. */
  readonly mergeMethod: MergeMethod;
  /** The branch it lands in; default the one its base was. */
  readonly mergeTarget?: string;
  /** A task in review whose merge meets conflicts or failed checks stays there, or goes back to a slot. Default `rework`. */
  readonly onMergeConflict: "review" | "rework";
  readonly slotAssignmentTimeoutSecs?: number;
  readonly scaling: ScalingConfig;
  /** With no permission mode chosen: `dontAsk` instead of `plan`. */
  readonly unattendedMode: boolean;
  readonly detectPermissionPrompts: boolean;
  /** Slots that are errored are tried again; without it they stay so until they are restarted by hand. */
  readonly supervisorEnabled: boolean;
  /** The longest pause before an errored slot is tried again. */
  readonly supervisorIntervalSecs: number;
  readonly strictMcpConfig: boolean;
  /** Default: what `claude -p` reads, user, project and local. */
  readonly settingSources?: readonly SettingSource[];
  /** The Claude program; default the one of the Agent SDK. */
  readonly claude?: string;
  /** Added to the environment of every Claude process. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** A run that says nothing for so long while no tool runs is timed out. */
  readonly silenceTimeoutMs: number;
  /** Between asking a process to end and killing it. */
  readonly killGraceMs: number;
  /** A process of its own namespace for each CLI: whether it must, may or must not. */
  readonly processNamespace: "auto" | "require" | "off";
  /** A slot's process is replaced, when idle, after so many tasks. */
  readonly maxTasksPerProcess: number;
  /** A slot's process is replaced, when idle, past so much memory. */
  readonly maxProcessMemoryBytes: number;
  /** A task whose process died so often is failed with reason `lost`. */
  readonly maxLostRuns: number;
  /** How long a host's right to its tasks lasts without renewal. */
  readonly leaseMs: number;
  /** Share of a subscription's usage window kept for the user's own terminal, 0 to 1. */
  readonly limitReserve: number;
  /** After a usage limit or an overload: quiet time after which one more task may run at once. */
  readonly rampStepMs: number;
  /** How many processes a host opens at the same time. */
  readonly maxOpening: number;
  /** With less memory free, a host opens no process; Linux only. */
  readonly minFreeMemoryBytes: number;
  readonly conversation: "fresh" | "continue";
  /** Bypass of permissions is possible at all; needed for mode `bypassPermissions`. */
  readonly allowBypassPermissions: boolean;
  /** Commands inside trusted skills are run when the skill is; default false. */
  readonly skillCommands: boolean;
  /** In permission mode `default`: whoever coordinates the pool is asked, or what is not allowed is denied at once. */
  readonly permissionRequests: "ask" | "deny";
  /** A request that nobody has answered for so long is denied. */
  readonly permissionTimeoutSecs: number;
  readonly workerTools?: boolean | readonly WorkerFamily[];
  /** How deep tasks that workers submit may be nested: 1, they may not submit any themselves. */
  readonly maxDepth: number;
}

/** The pool's defaults: the original's, except where docs/configuration.md says otherwise. */
export const defaultConfig: PoolConfig = {
  systemPromptMode: "append",
  allowedTools: [],
  disallowedTools: [],
  mcpServers: {},
  budgetRenews: "none",
  slotMode: "persistent",
  maxRestarts: 3,
  worktreeIsolation: false,
  activityLog: true,
  claimWaitMs: 600_000,
  worktreeInclude: [],
  worktreeSetupTimeoutMs: 600_000,
  mergeMethod: "rebase",
  onMergeConflict: "rework",
  scaling: { minSlots: 1, maxSlots: 16 },
  unattendedMode: false,
  detectPermissionPrompts: true,
  supervisorEnabled: true,
  supervisorIntervalSecs: 30,
  strictMcpConfig: true,
  env: {},
  silenceTimeoutMs: 600_000,
  killGraceMs: 2_000,
  processNamespace: "auto",
  maxTasksPerProcess: 100,
  maxProcessMemoryBytes: 1_000_000_000,
  maxLostRuns: 3,
  leaseMs: 30_000,
  limitReserve: 0,
  rampStepMs: 5_000,
  maxOpening: 2,
  minFreeMemoryBytes: 300_000_000,
  conversation: "fresh",
  allowBypassPermissions: false,
  skillCommands: false,
  permissionRequests: "ask",
  permissionTimeoutSecs: 300,
  maxDepth: 1,
};

/** What a run is told, after precedence: nothing in it is a default that somebody has yet to look up. */
export interface ResolvedSettings {
  readonly model?: string;
  readonly permissionMode: PermissionMode;
  readonly maxTurns?: number;
  readonly systemPrompt?: string;
  readonly systemPromptMode: "append" | "replace";
  readonly effort?: Effort;
  readonly fallbackModel?: string;
  readonly allowedTools: readonly string[];
  readonly disallowedTools: readonly string[];
  readonly tools?: readonly string[];
  readonly mcpServers: JsonObject;
  readonly strictMcpConfig: boolean;
  readonly settingSources?: readonly SettingSource[];
  readonly jsonSchema?: JsonObject;
  readonly maxCostMicrodollars?: number;
  readonly timeoutMs?: number;
  readonly conversation: ConversationChoice;
  readonly isolation: Isolation;
  readonly baseRef: string;
  readonly checks: readonly CheckSpec[];
  readonly checkRetries: number;
  readonly workerTools: readonly WorkerFamily[];
  readonly mayDispatch: boolean;
}

/** How often failed checks go back to the worker where nothing says it. */
const defaultCheckRetries = 2;

/** Task over slot over pool; tool lists add up unless a layer says `replace`, and servers are united by name. */
export function resolveSettings(
  pool: PoolConfig,
  slot: SlotConfig,
  task: Pick<TaskRecord, "config" | "timeoutMs" | "conversation"> & Partial<Pick<TaskRecord, "kind">>,
): ResolvedSettings {
  // The pool's own question has nothing to do with what the pool and its slots are set up for.
  if (task.kind === "route") return resolveSettings(defaultConfig, {}, { ...task, kind: "task" });
  const own: TaskOverrides = task.config ?? {};
  return defined({
    model: own.model ?? slot.model ?? pool.model,
    permissionMode:
      own.permissionMode ?? slot.permissionMode ?? pool.permissionMode ?? (pool.unattendedMode ? "dontAsk" : "plan"),
    maxTurns: own.maxTurns ?? slot.maxTurns ?? pool.maxTurns,
    systemPrompt: own.systemPrompt ?? slot.systemPrompt ?? pool.systemPrompt,
    systemPromptMode: own.systemPromptMode ?? slot.systemPromptMode ?? pool.systemPromptMode,
    effort: own.effort ?? slot.effort ?? pool.effort,
    fallbackModel: own.fallbackModel ?? slot.fallbackModel ?? pool.fallbackModel,
    allowedTools: layer(layer(pool.allowedTools, slot), own),
    disallowedTools: unique([...pool.disallowedTools, ...(own.disallowedTools ?? [])]),
    tools: own.tools ?? pool.tools,
    mcpServers: { ...pool.mcpServers, ...slot.mcpServers, ...own.mcpServers },
    strictMcpConfig: pool.strictMcpConfig,
    settingSources: own.settingSources ?? slot.settingSources ?? pool.settingSources,
    jsonSchema: own.jsonSchema,
    maxCostMicrodollars: own.maxBudgetUsd === undefined ? undefined : Math.round(own.maxBudgetUsd * 1_000_000),
    timeoutMs: task.timeoutMs ?? pool.timeoutMs,
    conversation: task.conversation ?? slot.conversation ?? pool.conversation,
    isolation: isolationOf(pool, slot, task),
    baseRef: own.baseRef ?? slot.baseRef ?? pool.baseRef ?? "HEAD",
    checks: own.checks ?? slot.checks ?? pool.checks ?? [],
    checkRetries: own.checkRetries ?? slot.checkRetries ?? pool.checkRetries ?? defaultCheckRetries,
    workerTools: familiesOf(own.workerTools ?? slot.workerTools ?? pool.workerTools),
    mayDispatch: own.mayDispatch ?? false,
  });
}

/** Where a task in a slot works, by task over slot over pool. */
export function isolationOf(pool: PoolConfig, slot: SlotConfig, task: Pick<TaskRecord, "config">): Isolation {
  return task.config?.isolation ?? slot.isolation ?? pool.isolation ?? (pool.worktreeIsolation ? "worktree" : "none");
}

/** Are permission requests put to anybody? In unattended mode nobody is there to answer. */
export function asksPermission(config: PoolConfig): boolean {
  return config.permissionRequests === "ask" && !config.unattendedMode;
}

function familiesOf(given: boolean | readonly WorkerFamily[] | undefined): readonly WorkerFamily[] {
  if (given === undefined || given === false) return [];
  return given === true ? workerFamilies : workerFamilies.filter((family) => given.includes(family));
}

function layer(
  below: readonly string[],
  own: Pick<TaskOverrides, "allowedTools" | "allowedToolsMode">,
): readonly string[] {
  if (own.allowedTools === undefined) return below;
  return own.allowedToolsMode === "replace" ? unique(own.allowedTools) : unique([...below, ...own.allowedTools]);
}

function unique(list: readonly string[]): readonly string[] {
  return [...new Set(list)];
}

/** An object literal whose `undefined` fields are really absent, as `exactOptionalPropertyTypes` asks. */
export function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  const present: Partial<T> = {};
  // A plain loop: this runs a few times for every row that is read.
  for (const key in fields) if (fields[key] !== undefined) present[key] = fields[key];
  return present as T;
}
