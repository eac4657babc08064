/**
 * The directory of one isolated run: taken, prepared, compared, and at the end saved and judged.
 *
 * I1. A run whose task is isolated works in the directory that was prepared for it, or not at all (W4 of core/workspace.ts).
 * I2. What it left is saved before its end is committed; the commit says where.
 */
import { mergeRequestOf } from "../core/merge.ts";
import { defined, type ResolvedSettings } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import type { NewEvent } from "../core/events.ts";
import type { Outcome } from "../core/outcome.ts";
import type { EndCause } from "../core/runner-port.ts";
import type { Finish, Lease } from "../core/records.ts";
import type { TaskRecord, TaskResult } from "../core/task.ts";
import {
  checkFeedback,
  hasWork,
  type CheckResult,
  type CheckSpec,
  type Isolation,
  type TaskWorkspace,
  type WorkspaceStart,
} from "../core/workspace.ts";
import type { EngineParts } from "./parts.ts";
import { watchOthers } from "./others.ts";
import { patienceOf } from "./patience.ts";
import { ownerOf, saveWork, savingOf } from "./save-work.ts";

/** What the end of a run says of its directory. */
export type Conclusion = { readonly outcome: Outcome } & Pick<Finish, "workspace" | "checkRetries" | "merge">;

export class RunWorkspace {
  readonly #parts: EngineParts;
  readonly #lease: Lease;
  readonly #settings: ResolvedSettings;
  readonly #isolation: Exclude<Isolation, "none">;
  #workspace: TaskWorkspace | undefined;
  #start: WorkspaceStart = "base";

  constructor(parts: EngineParts, lease: Lease, settings: ResolvedSettings, isolation: Exclude<Isolation, "none">) {
    this.#parts = parts;
    this.#lease = lease;
    this.#settings = settings;
    this.#isolation = isolation;
  }

  /** Does the directory hold what an earlier attempt did? */
  get holdsEarlierWork(): boolean {
    return this.#start === "saved" && this.#lease.task.workspace !== undefined;
  }

  /** Another directory than that of the task's last run: a conversation about that one must not be gone on with. */
  get hasMoved(): boolean {
    const before = this.#lease.task.workspace;
    return before !== undefined && before.path !== this.#workspace?.path;
  }

  /** Makes the directory ready. @throws {PoolError} what `Workspaces.prepare` throws. */
  async prepare(signal: AbortSignal): Promise<TaskWorkspace> {
    const { records, workspaces, config } = this.#parts;
    const { task, runId } = this.#lease;
    const cwd = task.cwd ?? this.#parts.cwd;
    const repository = await workspaces.repositoryOf(cwd);
    if (repository === undefined) {
      throw new PoolError(
        "workspace_impossible",
        `Task ${task.id} is to work in a ${this.#isolation} of its own, but ${cwd} is in no git repository. ` +
          "Run `git init` and commit, or ask for isolation none.",
        { taskId: task.id, cwd },
      );
    }
    const owner = ownerOf(task);
    const kind = this.#isolation;
    const { workspace: last } = await this.#owned();
    const place = await records.takePlace({
      kind,
      repository,
      holder: owner === task.id && kind === "worktree" ? { slotId: this.#lease.slotId } : { taskId: owner },
      pathOf: (number) => workspaces.pathOf({ repository, poolId: records.poolId, name: `${kind}-${String(number)}` }),
      ...(last === undefined ? {} : { prefer: last.path }),
    });
    const setup = setupOf(config);
    const data = defined({ runId, isolation: kind, setup: setup?.command });
    this.#tell({ type: "task.preparing", taskId: task.id, data });
    return workspaces.alone(place, signal, async () => {
      // Another step may have made the directory while this one waited for its turn.
      const { workspace: before } = await this.#owned();
      this.#start = this.#startOf(before);
      const prepared = await workspaces.prepare(
        defined({
          poolId: records.poolId,
          owner,
          isolation: kind,
          path: place.path,
          cwd,
          baseRef: this.#settings.baseRef,
          start: this.#start,
          before,
          mergeIn: task.plan?.mergeIn,
          include: config.worktreeInclude,
          setup,
        }),
        signal,
      );
      if (task.merge === "auto") refuseNoTarget(task.id, config.mergeTarget ?? prepared.target);
      this.#workspace = task.chainId === undefined ? prepared : await this.#stepOf(prepared, task.chainId);
      await records.noteWorkspace(task.id, this.#workspace, runId);
      return this.#workspace;
    });
  }

  /** Compares where a process stands with what was meant. @throws {PoolError} `workspace_mismatch`. */
  async verify(reportedCwd: string): Promise<void> {
    if (this.#workspace !== undefined) await this.#parts.workspaces.verify(this.#workspace, reportedCwd);
  }

  /** Saves what the run left (I2) and, if it completed, judges it by its checks. Never rejects. */
  async conclude(outcome: Outcome, signal: AbortSignal): Promise<Conclusion> {
    const patience = patienceOf(this.#parts, signal);
    try {
      return await this.#concluded(outcome, signal, patience.signal);
    } finally {
      patience.end();
    }
  }

  async #concluded(outcome: Outcome, signal: AbortSignal, patience: AbortSignal): Promise<Conclusion> {
    if (this.#workspace === undefined) return { outcome };
    const { runId, task } = this.#lease;
    let workspace: TaskWorkspace;
    try {
      workspace = await saveWork(this.#parts, task, this.#workspace, patience);
    } catch (error) {
      return { outcome: unsaved(outcome, this.#workspace.path, error) };
    }
    const { checks } = this.#settings;
    if (outcome.kind !== "completed") return { workspace, outcome };
    if (checks.length === 0) return { workspace, outcome, ...this.#landing(workspace) };
    this.#tell({ type: "task.checking", taskId: task.id, data: { runId, checks: checks.map(nameOf) } });
    try {
      const isAlone = await watchOthers(this.#parts.records, this.#lease);
      const results = await this.#parts.workspaces.check({ workspace, checks, isAlone, patience }, signal);
      return this.#judged(outcome, { ...workspace, checks: results }, results);
    } catch (error) {
      return { workspace, outcome: unchecked(outcome, error, signal) };
    }
  }

  /** Whose record says where the work stands: the chain's whose steps share it, else the task's. */
  async #owned(): Promise<Pick<TaskRecord, "workspace">> {
    const { task } = this.#lease;
    return task.chainId === undefined ? task : ((await this.#parts.records.get(task.chainId)) ?? {});
  }

  /** An attempt begins anew unless it was asked otherwise, or was only interrupted. */
  #startOf(before: TaskWorkspace | undefined): WorkspaceStart {
    if (before === undefined) return "base";
    return this.#lease.task.chainId === undefined ? (this.#lease.task.plan?.start ?? "saved") : "saved";
  }

  /** A step's own work begins with what the steps before it left. */
  async #stepOf(prepared: TaskWorkspace, chainId: string): Promise<TaskWorkspace> {
    const { records, workspaces } = this.#parts;
    const { task } = this.#lease;
    await records.noteWorkspace(chainId, prepared);
    if (task.workspace !== undefined) return { ...prepared, baseCommit: task.workspace.baseCommit };
    const { saved: _chains, checks: _judged, ...rest } = prepared;
    const before = await workspaces.save({ ...savingOf(task), workspace: prepared });
    return { ...rest, baseCommit: before.saved?.commit ?? prepared.baseCommit };
  }

  #judged(
    outcome: Extract<Outcome, { kind: "completed" }>,
    workspace: TaskWorkspace,
    results: readonly CheckResult[],
  ): Conclusion {
    if (results.every((result) => result.passed)) return { workspace, outcome, ...this.#landing(workspace) };
    const result: TaskResult & { readonly reason: "checks" } = {
      ...outcome.result,
      success: false,
      reason: "checks",
      error: checkFeedback(results),
    };
    return { workspace, outcome: { kind: "failed", result }, checkRetries: this.#settings.checkRetries };
  }

  #tell(event: NewEvent): void {
    this.#parts.records.append([event]).catch(this.#parts.report);
  }

  /** With `merge: auto` and nobody to review it, what is done goes into the merge queue at once. */
  #landing(workspace: TaskWorkspace): Pick<Conclusion, "merge"> {
    const { task } = this.#lease;
    if (task.merge !== "auto" || task.reviewRequired || !hasWork(workspace)) return {};
    return { merge: mergeRequestOf(this.#parts.config, { taskId: task.id, workspace, approves: true }) };
  }
}

export function setupOf(
  config: EngineParts["config"],
): { readonly command: string; readonly timeoutMs: number } | undefined {
  const { worktreeSetup: command, worktreeSetupTimeoutMs: timeoutMs } = config;
  return command === undefined ? undefined : { command, timeoutMs };
}

function nameOf({ name, command }: CheckSpec): string {
  return name ?? command;
}

function refuseNoTarget(taskId: string, target: string | undefined): void {
  if (target !== undefined) return;
  throw new PoolError(
    "workspace_impossible",
    `Task ${taskId} is to be merged by itself, but its base is no branch. Name one with \`merge_target\`, or choose a branch as base.`,
    { taskId },
  );
}

/** Work that is not on its ref is not done, whatever the model said. */
function unsaved(outcome: Outcome, path: string, error: unknown): Outcome {
  const text = error instanceof Error ? error.message : String(error);
  const told = `${outcome.result.error === undefined ? "" : `${outcome.result.error} `}Its work stands in ${path} and could not be saved: ${text}`;
  const result = { ...outcome.result, success: false, error: told };
  return outcome.kind === "completed"
    ? { kind: "failed", result: { ...result, reason: "workspace" } }
    : ({ ...outcome, result: { ...outcome.result, error: told } } as Outcome);
}

/** The checks did not come to an end: cut short with the run, or nothing could be run at all. */
function unchecked({ result: ended }: Outcome, error: unknown, signal: AbortSignal): Outcome {
  const text = error instanceof Error ? error.message : String(error);
  const result: TaskResult = { ...ended, success: false, error: `Its checks did not run to their end: ${text}` };
  switch (signal.aborted ? (signal.reason as EndCause) : undefined) {
    case "cancel":
    case "shutdown":
      return { kind: "cancelled", result: { ...result, reason: "cancelled" } };
    case "timeout":
      return { kind: "timed_out", result: { ...result, reason: "timed_out" } };
    case "budget":
    case undefined:
      return { kind: "failed", result: { ...result, reason: "workspace" } };
  }
}

/** What only a directory of its own can give was asked for without one. */
export function notIsolated(taskId: string): PoolError {
  return new PoolError(
    "workspace_impossible",
    `Task ${taskId} has checks or is to be merged, which takes a tree of its own: give it isolation worktree or clone.`,
    { taskId },
  );
}

/** Was it the directory that failed, and not Claude? */
export function isWorkspaceError(error: unknown): boolean {
  return error instanceof PoolError && (error.code.startsWith("workspace_") || error.code === "repository_locked");
}
