/** The public names of claude-pool; nothing else is public. */

// Opening and using a pool
export { openPool } from "./open-pool.ts";
export type { Pool } from "./pool.ts";
export type { PoolBudget } from "./pool-budget.ts";
export type { Task } from "./task-handle.ts";

// Options and answers
export type {
  DrainOptions,
  DrainSummary,
  EventsOptions,
  FanOutOptions,
  OpenPoolOptions,
  RunOptions,
  Settled,
  SlotFilter,
  SubmitOptions,
  WaitAnswer,
  WaitOptions,
} from "./core/api.ts";
export { defaultConfig, type PoolConfig, type ScalingConfig } from "./core/config.ts";
export type { BudgetState } from "./core/budget.ts";

// Records
export type {
  ConversationChoice,
  Effort,
  Hold,
  HoldReason,
  HostKind,
  HostRecord,
  Json,
  JsonObject,
  PermissionDenial,
  PermissionMode,
  PoolStatus,
  ProcessIdentity,
  RunRecord,
  SettingSource,
  SlotConfig,
  SlotMode,
  SlotRecord,
  SlotState,
  TaskFilter,
  TaskOverrides,
  TaskRecord,
  TaskResult,
  TaskSpec,
  TaskState,
  TerminalState,
  TokenUsage,
} from "./core/task.ts";
export type { EndReason, TaskOutcome } from "./core/outcome.ts";
export type { EventData, EventType, PoolEvent } from "./core/events.ts";
export type { ListPage } from "./core/records.ts";

// Errors
export { PoolError, type ErrorCode } from "./core/errors.ts";

// Ports, for those who bring their own runner, clock or process table
export type { Clock, LaunchSpec, Processes, Remains, Runner, SlotProcess, TurnEvent, TurnSpec } from "./core/ports.ts";

// JSON as every surface writes it
export { fromWire, toWire } from "./core/wire.ts";
