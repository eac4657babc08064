/**
 * The port through which the engine uses Claude processes, and what a turn of one says and asks.
 *
 * The contract suite is test/contract/runner.ts.
 */
import type { Outcome } from "./outcome.ts";
import type { Effort, JsonObject, PermissionMode, ProcessIdentity, SettingSource, TokenUsage } from "./task.ts";

/** What is fixed for the life of one Claude process; a task with another launch spec gets another process. */
export interface LaunchSpec {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Appended to Claude Code's own prompt; with `replaceSystemPrompt` instead of it. */
  readonly systemPrompt?: string;
  readonly replaceSystemPrompt: boolean;
  readonly jsonSchema?: JsonObject;
  readonly settingSources?: readonly SettingSource[];
  readonly mcpServers: JsonObject;
  readonly strictMcpConfig: boolean;
  /** The built-in tools that exist at all. */
  readonly tools?: readonly string[];
  readonly fallbackModel?: string;
  /** Tool calls that need a decision are put to the turn's desk; without it the CLI denies them by itself. */
  readonly asksPermission?: boolean;
  /** Offered by an MCP server of the pool's own, in the host's process. */
  readonly workerTools?: readonly WorkerTool[];
  /** `bypassPermissions` can be switched to later only if it was possible from the start. */
  readonly allowBypassPermissions: boolean;
}

/** One turn: everything that a task may set differently from the task before it in the same process. */
export interface TurnSpec {
  /** Also the `uuid` of the message: only the result that names it is this turn's. */
  readonly runId: string;
  /** Sent verbatim; never read as a command, a file mention or a skill. */
  readonly prompt: string;
  /** Reaches the model beside the prompt, as labelled data (shared context, identity, messages). */
  readonly context?: string;
  readonly model?: string;
  readonly effort?: Effort;
  readonly permissionMode: PermissionMode;
  readonly allowedTools: readonly string[];
  readonly disallowedTools: readonly string[];
  readonly maxTurns?: number;
  /** The run is interrupted when its own cost reaches this. */
  readonly maxCostMicrodollars?: number;
  /** The run ends as `timed_out`, reason `silent`, when nothing comes for so long while no tool runs. */
  readonly silenceTimeoutMs: number;
}

/** What a turn says while it runs. */
export type TurnEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool"; readonly tool: string; readonly summary?: string }
  /** After each API call: what this turn has cost so far. */
  | { readonly type: "cost"; readonly costMicrodollars: number; readonly usage?: TokenUsage }
  | { readonly type: "conversation"; readonly sessionId: string }
  /** The CLI waits before it asks the API again. */
  | { readonly type: "api_retry"; readonly attempt: number; readonly status?: number }
  | {
      readonly type: "usage_limit";
      readonly status: string;
      readonly utilization?: number;
      readonly resetsAtMs?: number;
      readonly limitType?: string;
    };

/** A tool of the pool that a worker's model can use. */
export interface WorkerTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of its arguments. */
  readonly inputSchema: JsonObject;
  readonly readOnly: boolean;
}

/** A tool call that needs somebody's decision. */
export interface AskedTool {
  readonly tool: string;
  readonly input: JsonObject;
  /** Where the process works, as it spells it. */
  readonly cwd?: string;
  /** Why the CLI asks, in its own words. */
  readonly reason?: string;
  /** The CLI's own safety check asks, or a rule of the user's that says to ask: nothing may answer but a person. */
  readonly isSensitive?: boolean;
  /** It reaches beyond the directories that the process works in. */
  readonly isOutside?: boolean;
}

/** `message` reaches the model; `isAnswered`: somebody, or a rule of theirs, decided so. */
export type ToolDecision =
  | { readonly decision: "allow" }
  | { readonly decision: "deny"; readonly message: string; readonly isAnswered: boolean };

/** What a worker's tool answers, as text for the model. */
export interface WorkerAnswer {
  readonly text: string;
  readonly isError: boolean;
}

/**
 * Whom a turn turns to: it lasts as long as the turn, so nothing that comes later can reach another run.
 *
 * Neither of the two rejects; the signal fires when the answer is not wanted any more.
 */
export interface TurnDesk {
  decide(asked: AskedTool, signal: AbortSignal): Promise<ToolDecision>;
  useTool(name: string, input: unknown, signal: AbortSignal): Promise<WorkerAnswer>;
}

/** Hears what a turn says. What it gives back for a `cost` is waited for before the turn makes its next API call. */
export type TurnListener = (event: TurnEvent) => Promise<void> | undefined;

/** Why the engine ends a turn early: the `reason` of the AbortSignal. */
export type EndCause = "cancel" | "timeout" | "budget" | "shutdown";

/**
 * One open Claude process.
 *
 * R1. `turn` never rejects: every ending, a broken process included, is an Outcome, and the first cause wins.
 * R2. When `turn` has resolved, no process that the turn's tools started is alive.
 * R3. One turn at a time.
 * R4. `close` may be called at any time and as often as one likes; when it resolves, nothing of the process tree is alive.
 */
export interface SlotProcess {
  readonly identity: ProcessIdentity;
  readonly cliVersion: string;
  /** Resolves when the process is gone, whoever ended it. */
  readonly gone: Promise<void>;
  turn(spec: TurnSpec, signal: AbortSignal, emit: TurnListener, desk?: TurnDesk): Promise<Outcome>;
  /** Makes the process clean for another task; false: it cannot be, and must be closed. */
  clear(): Promise<boolean>;
  memoryBytes(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** What is left of a run whose host died. */
export interface Remains {
  /** The conversation, if its transcript holds the run's prompt; then the next run goes on in it. */
  readonly sessionId?: string;
  /** What the run spent, if that can be told. */
  readonly costMicrodollars?: number;
}

/** Opens Claude processes, and deals with what dead hosts left. */
export interface Runner {
  /**
   * Opens a process, on a new conversation or on that of `resume`.
   *
   * @throws {PoolError} `claude_not_found`, `claude_broken` (with the end of its stderr), `cwd_not_found`.
   */
  open(launch: LaunchSpec, options?: { readonly resume?: string; readonly signal?: AbortSignal }): Promise<SlotProcess>;
  /** Ends a process of a dead host and everything it started; resolves when none is alive. No-op for one that is gone. */
  endOrphan(process: ProcessIdentity): Promise<void>;
  /** Looks in the transcripts for what a lost run left behind. */
  remains(run: { readonly runId: string; readonly cwd: string; readonly sinceMs: number }): Promise<Remains>;
  close(): Promise<void>;
}
