/** The public names of claude-pool; nothing else is public. */

// Opening and using a pool
export { openPool } from "./open-pool.ts";
export type { Pool } from "./pool.ts";
export type { PoolBudget } from "./pool-budget.ts";
export type { PoolGovernor } from "./pool-governor.ts";
export type { PoolMerges } from "./pool-merges.ts";
export type { PoolRequests } from "./pool-requests.ts";
export type { PoolSkills, SkillArguments } from "./pool-skills.ts";
export type { PoolWebhooks } from "./pool-webhooks.ts";
export type { PoolWorktrees } from "./pool-workspaces.ts";
export type { PoolWorkflows } from "./pool-workflows.ts";
export type { Task } from "./task-handle.ts";

// Options and answers
export type {
  ApproveOptions,
  BudgetScope,
  DiffOptions,
  DrainOptions,
  DrainSummary,
  EstimateOptions,
  EventsOptions,
  FanOutChainsOptions,
  FanOutOptions,
  MergeListOptions,
  MergeOptions,
  MergePreview,
  MessageSpec,
  OpenPoolOptions,
  PrunedRef,
  PrunedWorktree,
  PruneRefsOptions,
  RejectOptions,
  RequestFilter,
  RestoreOptions,
  ResumeChainOptions,
  RunChainOptions,
  RunOptions,
  SavedRef,
  Settled,
  SettledChain,
  ShownWorkspace,
  SlotFilter,
  SubmitOptions,
  SupervisorHandle,
  SupervisorOptions,
  WaitAnswer,
  WaitOptions,
  WorkEstimate,
  Worktree,
  WorktreeExplanation,
} from "./core/api.ts";
export { defaultConfig, type PoolConfig, type ScalingConfig } from "./core/config.ts";
export type { BudgetState, ScopeBudget } from "./core/budget.ts";
export type { Basis, Forecast, Range } from "./core/forecast.ts";
export type { GovernorState, HeldBack, HeldBackReason } from "./core/governor.ts";
export type { HeldBackTime, MetricsFilter, ModelMetrics, SessionMetrics } from "./core/metrics.ts";

// The activity log of independent terminals
export { openActivityLog } from "./open-activity-log.ts";
export type { ActivityLog, ClaimOutcome, LogListAnswer } from "./activity-log.ts";
export type {
  ActivityLogOptions,
  ClaimSpec,
  LogListOptions,
  LogPurgeOptions,
  PostSpec,
  ReleaseSpec,
} from "./schema/activity.ts";
export type { Claim as LogClaim } from "./activity/claims.ts";
export type { Entry as LogEntry } from "./activity/entry.ts";
export type { Finding as LogFinding } from "./activity/doctor.ts";
export type { Presence as LogPresence } from "./activity/who.ts";
export type { Written as LogWritten } from "./activity/write.ts";
// Requests of running tasks, and the rules that answer some
export type {
  AnsweredBy,
  PermissionAnswer,
  PermissionRule,
  PoolRequest,
  RequestKind,
  RequestState,
} from "./core/permission.ts";
export type { Decision } from "./core/permission-rule.ts";

// Webhooks
export type { WebhookEvent, WebhookRecord, WebhookSpec, WebhookTest } from "./core/webhook.ts";

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
  WorkerFamily,
} from "./core/task.ts";
export type {
  ChainOptions,
  ChainProgress,
  ChainResult,
  StepCondition,
  StepRecord,
  StepResult,
  StepSpec,
  StepState,
} from "./core/chain.ts";
export type {
  CheckResult,
  CheckSpec,
  DiffStat,
  Isolation,
  SavedWork,
  TaskWorkspace,
  WorkspaceStart,
} from "./core/workspace.ts";
export type { MergeMethod, MergeRecord, MergeState } from "./core/merge.ts";
export type { DiffFile, WorkDiff } from "./core/workspaces-port.ts";
export type { EndReason, TaskOutcome } from "./core/outcome.ts";
export type { EventData, EventType, PoolEvent } from "./core/events.ts";
export type { ListPage } from "./core/records.ts";

// Errors
export { PoolError, type ErrorCode } from "./core/errors.ts";

// Ports, for those who bring their own runner, clock or process table
export type { Clock, Processes } from "./core/ports.ts";
export type {
  AskedTool,
  LaunchSpec,
  Remains,
  Runner,
  SlotProcess,
  ToolDecision,
  TurnDesk,
  TurnEvent,
  TurnSpec,
  WorkerAnswer,
  WorkerTool,
} from "./core/runner-port.ts";

// JSON as every surface writes it
export { fromWire, toWire } from "./core/wire.ts";
