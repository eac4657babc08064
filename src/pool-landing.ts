/** The verbs of a pool that are about what a task changed: to look at it, judge it, and merge it. */
import type { ApproveOptions, DiffOptions, MergeOptions, MergePreview, RejectOptions } from "./core/api.ts";
import { defined } from "./core/config.ts";
import { invalidOptions } from "./core/errors.ts";
import { mergeRequestOf, type MergeRecord, type MergeRequest } from "./core/merge.ts";
import type { WorkDiff } from "./core/workspaces-port.ts";
import type { Records } from "./core/records.ts";
import type { TaskRecord } from "./core/task.ts";
import { hasWork } from "./core/workspace.ts";
import { Merging } from "./engine/merging.ts";
import type { EngineParts } from "./engine/parts.ts";
import { fullId, taskNamed } from "./full-id.ts";
import { PoolFigures } from "./pool-figures.ts";
import { PoolMerges } from "./pool-merges.ts";
import { PoolWorktrees, workspaceOf } from "./pool-workspaces.ts";
import { parseApproveOptions, parseDiffOptions, parseMergeOptions, parseRejectOptions } from "./schema/landing.ts";
import { parseFeedback } from "./schema/review.ts";

/** A part of {@link Pool}. */
export abstract class PoolLanding extends PoolFigures {
  readonly worktrees: PoolWorktrees;
  readonly merges: PoolMerges;
  /** Carries out the merge queue in this process. */
  protected readonly merging: Merging;
  readonly #parts: EngineParts;
  readonly #records: Records;

  constructor(parts: EngineParts) {
    super(parts);
    this.#parts = parts;
    this.#records = parts.records;
    this.merging = new Merging(parts);
    this.worktrees = new PoolWorktrees(parts);
    this.merges = new PoolMerges(parts, this.merging);
  }

  /**
   * What a task or chain has changed, against where its work left the branch that it is for; of one that still works, as its
   * directory stands at this moment.
   *
   * @throws {PoolError} `task_not_found`, `nothing_to_merge` for a task that ran without isolation, `invalid_options`.
   * @example console.log((await pool.diff("task-3f9c")).patch);
   */
  async diff(id: string, options: DiffOptions = {}): Promise<WorkDiff> {
    const given = parseDiffOptions(options);
    const task = await taskNamed(this.#records, id);
    const of = given.of ?? (task.state === "running" ? "directory" : "saved");
    return this.#parts.workspaces.diff({ workspace: workspaceOf(task), of });
  }

  /**
   * Puts the work of a completed task, or of one in review, which that approves, into the merge queue, and waits until it has
   * landed or failed to: the record says which. Whatever comes of it, the work stays on its ref.
   *
   * @throws {PoolError} `task_not_found`, `nothing_to_merge`, `invalid_transition`, `invalid_options`; `aborted` when the signal ends the wait.
   * @example const { state, conflicts } = await pool.merge("task-3f9c", { into: "main" });
   */
  async merge(id: string, options: MergeOptions = {}): Promise<MergeRecord> {
    const { signal, wait = true, ...rest } = parseMergeOptions(options);
    const task = await taskNamed(this.#records, id);
    const queued = await this.#records.requestMerge(this.#requestOf(task, rest));
    return wait ? this.merges.wait(queued.id, defined({ signal })) : queued;
  }

  /**
   * Which files would conflict if a task's work were merged; nothing is changed. `with` compares it with the work of another
   * task, which may be under way too, in place of the branch.
   *
   * @throws {PoolError} `task_not_found`, `nothing_to_merge`, `invalid_options`.
   */
  async previewMerge(
    id: string,
    options: { readonly into?: string; readonly with?: string } = {},
  ): Promise<MergePreview> {
    const task = await taskNamed(this.#records, id);
    const workspace = workspaceOf(task);
    const { into } = parseMergeOptions(defined({ into: options.into }));
    const other = options.with === undefined ? undefined : await taskNamed(this.#records, options.with);
    const target = into ?? this.#parts.config.mergeTarget ?? workspace.target;
    if (other === undefined && target === undefined) {
      throw invalidOptions(
        `Task ${task.id} began from ${workspace.baseRef}, which is no branch: name one with --into.`,
        "into",
      );
    }
    const theirs = other === undefined ? target : placeOf(other);
    const conflicts = await this.#parts.workspaces.conflicts(workspace, theirs ?? "");
    return { taskId: task.id, with: other?.id ?? target ?? "", conflicts };
  }

  /**
   * Completes a task that waits for review. With `merge: "auto"`, of the task or given here, its work is merged first, and that
   * completes it; the record says what became of it if the merge met conflicts or failed checks.
   *
   * @throws {PoolError} `task_not_found`, `invalid_transition`, `invalid_options`, `nothing_to_merge`.
   */
  async approve(id: string, options: ApproveOptions = {}): Promise<TaskRecord> {
    const { merge, wait = true, signal, ...rest } = parseApproveOptions(options);
    const task = await taskNamed(this.#records, id);
    const approved = await this.#records.approve(task.id, this.#mergeOnApproval(task, merge, rest));
    const { mergeId } = approved;
    if (mergeId === undefined || !wait) return approved;
    await this.merges.wait(mergeId, defined({ signal }));
    return (await this.#records.get(task.id)) ?? approved;
  }

  /**
   * Sends a task in review back to work with feedback, or fails it if this is its last rejection; the record says which.
   *
   * @throws {PoolError} `task_not_found`, `invalid_transition`, `invalid_options`, `pool_shutdown`, `budget_exhausted`.
   */
  async reject(id: string, feedback: string, options: RejectOptions = {}): Promise<TaskRecord> {
    const { start } = parseRejectOptions(options);
    return this.#records.reject(await fullId(this.#records, id), parseFeedback(feedback), start);
  }

  /** What is to be merged, if anything is: a task that is merged by itself and changed nothing is just approved. */
  #mergeOnApproval(
    task: TaskRecord,
    asked: "auto" | "manual" | undefined,
    options: Pick<MergeOptions, "into" | "method">,
  ): MergeRequest | undefined {
    const isNamed = asked === "auto" || options.into !== undefined || options.method !== undefined;
    const isOwn = asked === undefined && task.merge === "auto" && hasWork(task.workspace);
    return isNamed || isOwn ? this.#requestOf(task, options) : undefined;
  }

  #requestOf(task: TaskRecord, options: Pick<MergeOptions, "into" | "method">): MergeRequest {
    const approves = task.state === "pending_review";
    return mergeRequestOf(this.#parts.config, { taskId: task.id, workspace: task.workspace, approves, ...options });
  }
}

/** A task's work as git finds it: on its branch as long as it is under way, else on its ref. */
function placeOf(task: TaskRecord): string {
  const workspace = workspaceOf(task);
  return task.state === "running" ? workspace.branch : (workspace.saved?.ref ?? workspace.branch);
}
