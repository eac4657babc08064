/** Waits for tasks to end, whichever process runs them, by following the event log. */
import { PoolError, taskNotFound } from "../core/errors.ts";
import type { WaitAnswer, WaitOptions } from "../core/api.ts";
import type { PoolEvent } from "../core/events.ts";
import type { TaskOutcome } from "../core/outcome.ts";
import type { Clock } from "../core/ports.ts";
import type { Records } from "../core/records.ts";
import { isTerminal, type TaskRecord } from "../core/task.ts";

/** The answer about a task in the state in which it is. */
export function outcomeOf(record: TaskRecord): TaskOutcome {
  const { id: taskId, state, result } = record;
  return result === undefined ? { taskId, state } : { taskId, state, result };
}

/** A wait is over when the task is terminal, or when it needs a reviewer: not while a merge that completes it is under way. */
function isSettled({ state, mergeId }: TaskRecord): boolean {
  return isTerminal(state) || (state === "pending_review" && mergeId === undefined);
}

/** One follower of the log for all waits of a pool, open only while somebody waits. */
export class Waiting {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<() => void>>();
  /** Ends each wait that is open. */
  readonly #giveUps = new Set<(error: PoolError) => void>();
  #stopFollowing: (() => void) | undefined;

  constructor(records: Records, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /**
   * Waits for all of the tasks, or for the first; a time-out is an answer, not an error.
   *
   * @throws {PoolError} `task_not_found`; `aborted` when the signal fires.
   */
  async wait(ids: readonly string[], options: WaitOptions = {}): Promise<WaitAnswer> {
    options.signal?.throwIfAborted();
    const open = new Set(ids);
    const tolerated = options.mode === "any" ? Math.max(open.size - 1, 0) : 0;
    const enough = Promise.withResolvers<"settled">();
    enough.promise.catch(() => undefined); // it is thrown where it is waited for, if the wait comes so far
    this.#giveUps.add(enough.reject);
    const stop = this.#listen(ids, (id) => {
      open.delete(id);
      if (open.size <= tolerated) enough.resolve("settled");
    });
    try {
      // The followers stand before the first look, so an end between the two is seen by one of them.
      const settled = await this.#records.settled(ids);
      for (const id of ids) {
        const isOver = settled.get(id);
        if (isOver === undefined) throw taskNotFound(id);
        if (isOver) open.delete(id);
      }
      if (open.size <= tolerated) enough.resolve("settled");
      const why = await this.#firstOf(enough.promise, options);
      const records = await this.#all(ids);
      return {
        done: records.filter(isSettled).map(outcomeOf),
        pending: records.filter((record) => !isSettled(record)).map((record) => record.id),
        timedOut: why === "timeout",
      };
    } finally {
      stop();
      this.#giveUps.delete(enough.reject);
    }
  }

  /** Ends every wait: nobody would hear of an end any more. */
  close(): void {
    const text =
      "The pool was closed in this process; the tasks live on. Open it again with `openPool` and wait by id.";
    for (const giveUp of this.#giveUps) giveUp(new PoolError("pool_closed", text));
  }

  /** Calls back once for each task as it ends or needs review; the function returned ends that. */
  #listen(ids: readonly string[], onEnd: (id: string) => void): () => void {
    const entries = ids.map((id) => {
      const call = (): void => {
        onEnd(id);
      };
      const set = this.#listeners.get(id) ?? new Set();
      this.#listeners.set(id, set.add(call));
      return { id, call };
    });
    this.#stopFollowing ??= this.#records.follow((events) => {
      for (const event of events) {
        if (event.taskId === undefined || !isEnd(event)) continue;
        for (const call of this.#listeners.get(event.taskId) ?? []) call();
      }
    });
    return () => {
      for (const { id, call } of entries) {
        const set = this.#listeners.get(id);
        set?.delete(call);
        if (set?.size === 0) this.#listeners.delete(id);
      }
      if (this.#listeners.size > 0) return;
      this.#stopFollowing?.();
      this.#stopFollowing = undefined;
    };
  }

  async #all(ids: readonly string[]): Promise<readonly TaskRecord[]> {
    const found = new Map((await this.#records.getMany([...new Set(ids)])).map((record) => [record.id, record]));
    return ids.map((id) => {
      const record = found.get(id);
      if (record === undefined) throw taskNotFound(id);
      return record;
    });
  }

  async #firstOf(settled: Promise<"settled">, options: WaitOptions): Promise<"settled" | "timeout"> {
    const { timeoutMs, signal } = options;
    if (timeoutMs === undefined && signal === undefined) return settled;
    const other = Promise.withResolvers<"timeout">();
    const cancelTimer =
      timeoutMs === undefined
        ? undefined
        : this.#clock.after(timeoutMs, () => {
            other.resolve("timeout");
          });
    const onAbort = (): void => {
      other.reject(aborted(signal));
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([settled, other.promise]);
    } finally {
      cancelTimer?.();
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

/** Does this event say that its task needs no more waiting? */
function isEnd(event: PoolEvent): boolean {
  if (event.type === "task.finished") return event.data.mergeId === undefined;
  return event.type === "merge.ended" && event.data.taskState === "pending_review";
}

/** What a call ends with when its own signal ended it. */
export function aborted(signal: AbortSignal | undefined): PoolError {
  return new PoolError("aborted", "The call was ended by its AbortSignal.", {}, signal?.reason);
}
