/** For tests of programs that use claude-pool: a scripted model for the real CLI, and time and processes in your hands. */
export type { ToolResult } from "./conversation-turn.ts";
export type { ReplyUsage } from "./exchange.ts";
export type { LoggedRequest } from "./logged-request.ts";
export {
  apiError,
  type ApiErrorOptions,
  cutStream,
  delayed,
  garbage,
  gate,
  type Gate,
  type Limits,
  type LimitType,
  type Reply,
  type ScriptedReply,
  sequence,
  stall,
  type StallOptions,
  structured,
  text,
  type TextOptions,
  toolUse,
  type ToolCall,
  type ToolUseOptions,
  toolUses,
  usageLimit,
  withLimits,
} from "./replies.ts";
export { type Match, type ScriptedApi, type ScriptedApiOptions, startScriptedApi } from "./scripted-api.ts";
export { manualClock, type ManualClock } from "./manual-clock.ts";
export { cancelled, completed, failed, limited, lost, timedOut } from "./outcomes.ts";
export type { ScriptedProcess, ScriptedTurn, TurnAnswer } from "./scripted-process.ts";
export {
  type RemainsQuery,
  type RunnerAnswer,
  type RunnerScript,
  scriptedRunner,
  type ScriptedRunner,
  type ScriptedRunnerOptions,
  type TurnMatch,
} from "./scripted-runner.ts";
