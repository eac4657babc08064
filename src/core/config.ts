/** What a pool can be told, its defaults, and how a task's own settings, the slot's and the pool's become one. */
import type {
  ConversationChoice,
  Effort,
  JsonObject,
  PermissionMode,
  SettingSource,
  SlotConfig,
  SlotMode,
  TaskOverrides,
  TaskRecord,
} from "./task.ts";

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
  readonly worktreeIsolation: boolean;
  readonly worktreeBaseDir?: string;
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
}

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
  });
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
