/** The public names of claude-pool; nothing else is public. */

// Opening and using a pool
export { openPool } from "./open-pool.ts";
export type { Pool } from "./pool.ts";
export type { PoolBudget } from "./pool-budget.ts";
export type { PoolGovernor } from "./pool-governor.ts";
export type { PoolSkills, SkillArguments } from "./pool-skills.ts";
export type { PoolWorkflows } from "./pool-workflows.ts";
export type { Task } from "./task-handle.ts";

// Options and answers
export type {
  BudgetScope,
  DrainOptions,
  DrainSummary,
  EstimateOptions,
  EventsOptions,
  FanOutChainsOptions,
  FanOutOptions,
  MessageSpec,
  OpenPoolOptions,
  ResumeChainOptions,
  RunChainOptions,
  RunOptions,
  Settled,
  SettledChain,
  SlotFilter,
  SubmitOptions,
  SupervisorHandle,
  SupervisorOptions,
  WaitAnswer,
  WaitOptions,
  WorkEstimate,
} from "./core/api.ts";
export { defaultConfig, type PoolConfig, type ScalingConfig } from "./core/config.ts";
export type { BudgetState, ScopeBudget } from "./core/budget.ts";
export type { Basis, Forecast, Range } from "./core/forecast.ts";
export type { GovernorState, HeldBack, HeldBackReason } from "./core/governor.ts";
export type { HeldBackTime, MetricsFilter, ModelMetrics, SessionMetrics } from "./core/metrics.ts";

// Messages and routing
export type { PoolMessage } from "./core/message.ts";
export type {
  AutoOptions,
  AutoResult,
  Route,
  RouteAnswer,
  RouteHints,
  RouteOptions,
  RoutePreference,
  WorkOptions,
} from "./core/route.ts";

// Skills and workflows
export type { Skill, SkillArgument, SkillEntry, SkillScope, SkillSource } from "./core/skill.ts";
export type { SkillDefinition } from "./schema/skill.ts";
export type { Workflow, WorkflowEntry, WorkflowSource } from "./core/workflow.ts";

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
export type {
  ChainOptions,
  ChainProgress,
  ChainResult,
  Isolation,
  StepCondition,
  StepRecord,
  StepResult,
  StepSpec,
  StepState,
} from "./core/chain.ts";
export type { EndReason, TaskOutcome } from "./core/outcome.ts";
export type { EventData, EventType, PoolEvent } from "./core/events.ts";
export type { ListPage } from "./core/records.ts";

// Errors
export { PoolError, type ErrorCode } from "./core/errors.ts";

// Ports, for those who bring their own runner, clock or process table
export type { Clock, LaunchSpec, Processes, Remains, Runner, SlotProcess, TurnEvent, TurnSpec } from "./core/ports.ts";

// JSON as every surface writes it
export { fromWire, toWire } from "./core/wire.ts";
