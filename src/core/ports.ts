/**
 * What the engine needs of the world, as narrow interfaces. One contract suite each (test/contract/) runs over every
 * implementation.
 */
import type { MergeEnd, MergeMethod } from "./merge.ts";
import type { Outcome } from "./outcome.ts";
import type { Skill, SkillEntry } from "./skill.ts";
import type { PoolMessage } from "./message.ts";
import type {
  Effort,
  JsonObject,
  PermissionMode,
  ProcessIdentity,
  SettingSource,
  TokenUsage,
  WorkerFamily,
} from "./task.ts";
import type { Workflow, WorkflowEntry } from "./workflow.ts";
import type {
  CheckResult,
  CheckSpec,
  DiffStat,
  Isolation,
  SavedWork,
  TaskWorkspace,
  WorkspaceStart,
} from "./workspace.ts";

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

/** The worker that uses a tool: its run, and what only the run can do. */
export interface Worker {
  readonly taskId: string;
  readonly runId: string;
  readonly slotId: string;
  readonly cwd: string;
  readonly mayDispatch: boolean;
  /** Of its task: how many tasks deep it was submitted by workers. */
  readonly depth: number;
  readonly limits: WorkerLimits;
  readonly signal: AbortSignal;
  /** What waits in the slot's inbox and this run has not been given yet; it counts as delivered with the run. */
  readMessages(): Promise<readonly PoolMessage[]>;
  /** Puts a question to the coordinator; undefined: nobody answered in time. */
  ask(question: string, timeoutMs: number): Promise<string | undefined>;
}

/** What a task that a worker submits takes over, so that it may do no more than the worker itself. */
export interface WorkerLimits {
  readonly permissionMode: PermissionMode;
  readonly allowedTools: readonly string[];
  readonly disallowedTools: readonly string[];
  readonly tools?: readonly string[];
  readonly maxBudgetUsd?: number;
  readonly workerTools: readonly WorkerFamily[];
  readonly mayDispatch: boolean;
}

/** The tools that workers may be given. */
export interface WorkerTools {
  list(families: readonly WorkerFamily[], mayDispatch: boolean): readonly WorkerTool[];
  /** @throws {PoolError} what the model is to be told: `invalid_options`, `run_over`, … */
  use(name: string, input: unknown, worker: Worker): Promise<string>;
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

/** What a directory is to become, for whom. */
export interface WorkspaceRequest {
  readonly poolId: string;
  /** The task whose work it holds; for the steps of a chain the chain. */
  readonly owner: string;
  readonly isolation: Exclude<Isolation, "none">;
  /** The directory's root, from the records; made if it is not there. */
  readonly path: string;
  /** The task's directory in the user's checkout: what it is in the repository, it is in the workspace. */
  readonly cwd: string;
  readonly baseRef: string;
  /** `base`: clean, on a fresh branch. `saved`: as the owner's work stands there, or else as it was saved. */
  readonly start: WorkspaceStart;
  /** Its workspace of before, if it has one. */
  readonly before?: TaskWorkspace;
  /** Has this branch merged into the directory, with its conflicts left in the files. */
  readonly mergeIn?: string;
  /** Patterns of ignored files to be copied, beside those of .worktreeinclude. */
  readonly include: readonly string[];
  readonly setup?: { readonly command: string; readonly timeoutMs: number };
}

/** What `merge` is to do. */
export interface LandingRequest {
  /** For the message of the commit that holds what the worker left uncommitted, or of a squashed one. */
  readonly title: string;
  readonly taskId: string;
  readonly workspace: TaskWorkspace & { readonly saved: SavedWork };
  readonly target: string;
  readonly method: MergeMethod;
  readonly checks: readonly CheckSpec[];
  /** A directory of its own for the checks. */
  readonly path: string;
  /** The task's directory in the user's checkout: checks run in the same place. */
  readonly cwd: string;
  readonly include: readonly string[];
  readonly setup?: { readonly command: string; readonly timeoutMs: number };
}

/** Whose work and against what. */
export interface DiffRequest {
  readonly workspace: TaskWorkspace;
  /** `saved`, or the directory as it stands at this moment. */
  readonly of: "saved" | "directory";
}

/** One file of a diff. */
export interface DiffFile {
  readonly path: string;
  /** Of a renamed or copied file. */
  readonly from?: string;
  readonly status: "added" | "modified" | "deleted" | "renamed" | "copied" | "type_changed";
  /** Absent for a binary file. */
  readonly insertions?: number;
  readonly deletions?: number;
}

export interface WorkDiff extends DiffStat {
  /** The merge base that it is a diff against, and what is compared with it. */
  readonly base: string;
  readonly commit: string;
  readonly entries: readonly DiffFile[];
  /** Unified, as `git apply` takes it; binary files in git's own form. Empty when it would be larger than 16 MB. */
  readonly patch: string;
  /** Why the patch is not whole, and what shows it. */
  readonly note?: string;
}

/** A directory below a base directory, as git and the file system have it. */
export interface FoundPlace {
  readonly path: string;
  readonly kind: "worktree" | "clone" | "unknown";
  /** Whose work it holds, by its own mark. */
  readonly owner?: string;
  readonly branch?: string;
  readonly head?: string;
  /** Has it anything that is in no saved ref? */
  readonly isSaved: boolean;
  /** Registered with git, but its directory is gone. */
  readonly isMissing?: boolean;
}

/**
 * Git worktrees and clones: made, saved, judged, merged, removed.
 *
 * Every failure is a PoolError: `workspace_failed` (with what git said), `workspace_impossible` (no repository, no commit,
 * a bare one, a base that does not exist), `workspace_save_failed`, `repository_locked`, `aborted`.
 */
export interface Workspaces {
  /** The git common directory behind a directory; undefined: it is in no repository. */
  repositoryOf(cwd: string): Promise<string | undefined>;
  /** The directory of this name below the pool's base directory. */
  pathOf(place: { readonly repository: string; readonly poolId: string; readonly name: string }): string;
  /**
   * Runs the body while no other process of this machine does so for this place: the steps of a chain share one. What waits for
   * its turn rejects with `aborted` at the signal.
   */
  alone<T>(
    place: { readonly repository: string; readonly path: string },
    signal: AbortSignal | undefined,
    body: () => Promise<T>,
  ): Promise<T>;
  /**
   * Makes the directory what the request says. Whatever else stands in it is saved first (W2).
   */
  prepare(request: WorkspaceRequest, signal: AbortSignal): Promise<TaskWorkspace>;
  /** Compares directory, git directory and branch with what was meant. @throws {PoolError} `workspace_mismatch`. */
  verify(workspace: TaskWorkspace, reportedCwd: string): Promise<void>;
  /** Saves everything that stands there under the owner's ref (W1); the directory does not change. */
  save(work: {
    readonly owner: string;
    readonly title: string;
    readonly attempt: number;
    readonly workspace: TaskWorkspace;
  }): Promise<TaskWorkspace>;
  /**
   * Runs checks in the directory on the tree that was saved; what they leave there is put back, and a check during which a file
   * of the work changed has not passed. One that was cut short by the signal rejects with `aborted`; one that fails is a result.
   */
  check(
    work: { readonly workspace: TaskWorkspace; readonly checks: readonly CheckSpec[] },
    signal: AbortSignal,
  ): Promise<readonly CheckResult[]>;
  /** Merges saved work into a branch (G2 of merge.ts), once however often it is asked; rejects with `aborted` alone. */
  land(request: LandingRequest, signal: AbortSignal): Promise<MergeEnd>;
  /** Would these meet conflicts? Nothing is changed. `with`: a branch or ref; each path once. */
  conflicts(workspace: TaskWorkspace, other: string): Promise<readonly string[]>;
  /** Moves a branch that still stands at `from` to `to`, with the user's clean checkout of it. @throws {PoolError} `merge_moved`, `checkout_dirty`. */
  moveBranch(repository: string, branch: string, from: string, to: string): Promise<void>;
  diff(request: DiffRequest): Promise<WorkDiff>;
  /** Puts saved work into a directory of the user's choice, with what was uncommitted uncommitted. */
  restore(work: {
    readonly repository: string;
    readonly ref: string;
    readonly path: string;
    readonly branch?: string;
  }): Promise<void>;
  /** What is in the base directory of a pool. */
  find(repository: string, poolId: string): Promise<readonly FoundPlace[]>;
  /** Saves what stands there under its owner's ref, or one of its own; resolves to the ref, if there was anything to save. */
  rescue(found: FoundPlace, repository: string): Promise<string | undefined>;
  /** Removes a directory whose work is saved (W2). @throws {PoolError} `workspace_save_failed`. */
  remove(path: string, repository: string): Promise<void>;
  /** The refs that keep work in a repository: tasks' and earlier attempts'. */
  savedRefs(
    repository: string,
  ): Promise<
    readonly { readonly ref: string; readonly commit: string; readonly atMs: number; readonly subject: string }[]
  >;
  /** Drops a ref that keeps work, if it is still at this commit. */
  dropRef(repository: string, ref: string, commit: string): Promise<void>;
  /** A branch, local or of a remote, that has the commit and is none of a pool's; undefined: there is none. */
  branchWith(repository: string, commit: string): Promise<string | undefined>;
}

/** A task as it speaks in the activity log: under its slot's name, and as one terminal whatever slot it is in. */
export interface ActivityTask {
  readonly taskId: string;
  readonly slotId?: string;
  /** Which of its runs speaks: each claims for itself. */
  readonly attempt: number;
  /** In the user's checkout. */
  readonly cwd: string;
  readonly paths: readonly string[];
  readonly prompt: string;
}

/** What came of a task's claim. */
export interface ClaimAsked {
  /** The claim's id; absent where it was not granted. */
  readonly id?: string;
  /** The other's claim that stands in the way, in words. */
  readonly holder?: string;
}

/** What became of a task, for whoever reads the log. */
export interface ActivityEnd {
  readonly how: "completed" | "blocked" | "released";
  readonly summary: string;
  /** The claim that ends with it; without it every claim of the task. */
  readonly claim?: string;
}

/**
 * The activity log as slots take part in it. It is advice among terminals, so none of these ever rejects for what is wrong
 * with the log: that is reported, and the work goes on.
 */
export interface Activity {
  /**
   * For each task who stands in its way, in words: another terminal that holds any of its paths, or a task before it in the list
   * that is free and needs the same. Undefined: nobody.
   */
  holders(tasks: readonly ActivityTask[]): Promise<readonly (string | undefined)[]>;
  /** Claims the task's paths. */
  claim(task: ActivityTask): Promise<ClaimAsked>;
  /** Lets its claim live on. */
  renew(task: ActivityTask): Promise<void>;
  /** Ends its claim, and says how it ended. */
  end(task: ActivityTask, end: ActivityEnd): Promise<void>;
  /** What others wrote that concerns the task, as text for the model. */
  news(task: ActivityTask): Promise<string | undefined>;
  /** What hooks and tools in the slot's process are to know of who they are. */
  environment(slotId: string, cwd: string): Readonly<Record<string, string>>;
}
