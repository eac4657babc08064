/** The merge queue, as `pool.merges`. */
import type { MergeListOptions } from "./core/api.ts";
import { PoolError } from "./core/errors.ts";
import type { MergeRecord } from "./core/merge.ts";
import type { Merging } from "./engine/merging.ts";
import type { EngineParts } from "./engine/parts.ts";
import { aborted } from "./engine/waiting.ts";
import { fullId } from "./full-id.ts";
import { parseMergeListOptions } from "./schema/landing.ts";

/** How often a merge that somebody else carries out is looked at, in milliseconds. */
const lookMs = 1_000;

/** What was merged, and what waits for it. */
export class PoolMerges {
  readonly #parts: EngineParts;
  readonly #merging: Merging;

  constructor(parts: EngineParts, merging: Merging) {
    this.#parts = parts;
    this.#merging = merging;
  }

  /** Newest first. */
  async list(options: MergeListOptions = {}): Promise<readonly MergeRecord[]> {
    const { limit = 50, taskId, ...filter } = parseMergeListOptions(options);
    const { records } = this.#parts;
    return records.merges(taskId === undefined ? filter : { ...filter, taskId: await fullId(records, taskId) }, limit);
  }

  /** @throws {PoolError} `merge_not_found`. */
  show(id: string): Promise<MergeRecord> {
    return this.#parts.records.merge(id);
  }

  /**
   * Waits until a merge has landed or failed to: the record says which. The queue is carried out here as far as it is nobody
   * else's.
   *
   * @throws {PoolError} `merge_not_found`; `aborted` when the signal ends the wait; the merge stays in the queue.
   */
  async wait(id: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<MergeRecord> {
    for (;;) {
      if (signal?.aborted === true) throw aborted(signal);
      await this.#work(signal);
      const merge = await this.#parts.records.merge(id);
      if (merge.state !== "queued" && merge.state !== "merging") return merge;
      await this.#endOf(id, signal);
    }
  }

  /** Takes a merge out of the queue; a task that waited for it waits for a reviewer. @throws {PoolError} `merge_not_found`, `invalid_transition` for one that is under way or over. */
  cancel(id: string): Promise<MergeRecord> {
    return this.#parts.records.cancelMerge(id);
  }

  /**
   * Takes back a merge that has landed: its branch goes back to where it stood, if nothing came after it.
   *
   * @throws {PoolError} `merge_not_found`, `invalid_transition`, `merge_moved`, `checkout_dirty`.
   */
  async undo(id: string): Promise<MergeRecord> {
    const { records, workspaces } = this.#parts;
    const { state, before, commit, undoneAtMs, repository, target } = await records.merge(id);
    const isLanded = state === "merged" && before !== undefined && commit !== undefined && undoneAtMs === undefined;
    if (!isLanded || before === commit) {
      const how = isLanded
        ? "it moved nothing, because its work had landed already"
        : `it is ${state.replaceAll("_", " ")}`;
      const why = undoneAtMs === undefined ? how : "it has been undone";
      throw new PoolError("invalid_transition", `Cannot undo merge ${id}: ${why}.`, { mergeId: id, state });
    }
    try {
      await workspaces.moveBranch(repository, target, commit, before);
    } catch (error) {
      // Whoever began to undo it died after the branch had moved.
      const isThere = error instanceof PoolError && error.code === "merge_moved" && error.details.at === before;
      if (!isThere) throw error;
    }
    return records.noteUndone(id);
  }

  /** Carries out what waits; it goes on without a caller who leaves, and so does what is wrong with it. */
  async #work(signal: AbortSignal | undefined): Promise<void> {
    const working = this.#merging.work();
    if (signal === undefined) return working;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = (): void => {
      reject(aborted(signal));
      working.catch(this.#parts.report);
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      await Promise.race([working, left]);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Another process is at it, or at one before it: until it ends, or it is time to look whether that one is dead. */
  #endOf(mergeId: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stopFollowing();
        cancelTimer();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const stopFollowing = this.#parts.records.follow((events) => {
        if (events.some((event) => event.type === "merge.ended" && event.data.mergeId === mergeId)) done();
      });
      const cancelTimer = this.#parts.clock.after(lookMs, done);
      signal?.addEventListener("abort", done, { once: true });
    });
  }
}
