/**
 * What the engine needs of the world, as narrow interfaces. One contract suite each (test/contract/) runs over every
 * implementation.
 */
import type { Outcome } from "./outcome.ts";
import type { Skill, SkillEntry } from "./skill.ts";
import type { Effort, JsonObject, PermissionMode, ProcessIdentity, SettingSource, TokenUsage } from "./task.ts";
import type { Workflow, WorkflowEntry } from "./workflow.ts";

/** A value that SQL stores. */
export type SqlValue = null | number | bigint | string | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * A connection to the store's database.
 *
 * S1. Statements of one `tx` are atomic, and no other statement of this connection runs between them.
 * S2. `tx` takes the write lock at its start, so what it reads is what it writes on.
 * S3. Every failure is a PoolError with a `store_*` code; a PoolError thrown by the body passes through unchanged.
 */
export interface Sql {
  all(query: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  tx<T>(body: (sql: SqlTx) => Promise<T>): Promise<T>;
  /** Changes whenever another connection has committed; cheap enough to ask every few milliseconds. */
  version(): number;
  close(): Promise<void>;
}

/** The statements of one open transaction. */
export interface SqlTx {
  all(query: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Runs a statement that returns no rows; resolves to the number of rows it changed. */
  run(query: string, params?: readonly SqlValue[]): Promise<number>;
}

/** Time, so that tests can hold it in their hands. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never jumps. For durations. */
  monotonic(): number;
  /** Calls back once after so many milliseconds; the function returned cancels that. */
  after(ms: number, callback: () => void): () => void;
}

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
  turn(spec: TurnSpec, signal: AbortSignal, emit: TurnListener): Promise<Outcome>;
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

/** A file of a skill or workflow, and whether what in it needs trust has it. */
export interface RestrictedFile {
  readonly path: string;
  /** Of the text that was read. */
  readonly fingerprint: string;
  /** What could run a program or loosen protection, in words; empty: nothing. */
  readonly needs: readonly string[];
  /** True for the user's own and the built-in ones. */
  readonly isTrusted: boolean;
}

export interface FoundSkill extends RestrictedFile {
  readonly skill: Skill;
}

export interface FoundWorkflow extends RestrictedFile {
  readonly workflow: Workflow;
}

/**
 * Skills and workflows that lie in folders.
 *
 * L1. The first folder that has a name wins, with a broken file too: nothing runs in place of what was meant.
 * L2. A broken file hides no other: it is listed with its error.
 * L3. What is written is whole or not there, and nothing is written outside the folder that was named.
 */
export interface Skills {
  list(): Promise<readonly SkillEntry[]>;
  /** @throws {PoolError} `invalid_options` for what is no name, `invalid_skill` for a broken file. */
  get(name: string): Promise<FoundSkill | undefined>;
  workflows(): Promise<readonly WorkflowEntry[]>;
  /** @throws {PoolError} as `get`. */
  workflow(name: string): Promise<FoundWorkflow | undefined>;
  /** The project's own files that hold something that needs trust, trusted or not. */
  restricted(): Promise<readonly RestrictedFile[]>;
  /** The commands inside a skill. */
  commands(skill: Skill): readonly string[];
  /** The skill with what its commands print in their place. @throws {PoolError} `skill_command_failed`, `invalid_skill`. */
  runCommands(skill: Skill, cwd: string): Promise<Skill>;
  /** Writes a skill; resolves to the file. @throws {PoolError} `skill_exists` unless it may be replaced. */
  save(skill: Skill, to: "project" | "user", replace: boolean): Promise<string>;
  /** Copies a skill's folder; resolves to its SKILL.md. @throws {PoolError} `skill_exists`. */
  eject(skill: Skill, to: "project" | "user"): Promise<string>;
}

/** Who is a live process of this machine, told by pid and start time. */
export interface Processes {
  readonly bootId: string;
  /** This process. */
  readonly self: { readonly pid: number; readonly startTime: string };
  isAlive(process: { readonly pid: number; readonly startTime: string }): boolean;
  /** Memory that new processes may take without harm to others; undefined where the system does not tell. */
  freeMemoryBytes(): number | undefined;
}
