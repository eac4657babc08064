/** A task as its submitter holds it. */
import type { EventsOptions, WaitOptions } from "./core/api.ts";
import type { PoolEvent } from "./core/events.ts";
import type { TaskOutcome } from "./core/outcome.ts";
import type { TaskRecord } from "./core/task.ts";
import type { Pool } from "./pool.ts";

/**
 * A handle on one task; it holds the id and asks the pool for the rest.
 *
 * @example
 * const task = await pool.submit("Refactor the auth module", { timeoutMs: 600_000 });
 * const outcome = await task.outcome();
 */
export class Task {
  readonly id: string;
  readonly #pool: Pool;

  constructor(pool: Pool, id: string) {
    this.#pool = pool;
    this.id = id;
  }

  /** The record as it is now. */
  get(): Promise<TaskRecord> {
    return this.#pool.get(this.id);
  }

  /** Waits for the end, or for the need of a review; a failed task is an answer, not an exception. */
  async outcome(options: Pick<WaitOptions, "signal" | "timeoutMs"> = {}): Promise<TaskOutcome> {
    await this.#pool.wait(this.id, options);
    return this.#pool.result(this.id);
  }

  /** Its events, from the first; ends with the task. */
  async *events(options: Omit<EventsOptions, "taskId"> = {}): AsyncGenerator<PoolEvent> {
    for await (const event of this.#pool.events({ after: 0, ...options, taskId: this.id })) {
      yield event;
      if (event.type === "task.finished") return;
    }
  }

  /** Resolves when no process of it is alive. */
  cancel(options: { readonly signal?: AbortSignal } = {}): Promise<TaskRecord> {
    return this.#pool.cancel(this.id, options);
  }
}
