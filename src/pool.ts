/** What users hold: every surface calls this class, and each method hands on to the one place that does the work. */
import { admit } from "./admission.ts";
import type {
  DrainOptions,
  DrainSummary,
  EventsOptions,
  FanOutOptions,
  ListOptions,
  RunOptions,
  Settled,
  SlotFilter,
  SubmitOptions,
  WaitAnswer,
  WaitOptions,
} from "./core/api.ts";
import type { PoolConfig } from "./core/config.ts";
import { PoolError, invalidOptions, slotNotFound, taskNotFound } from "./core/errors.ts";
import type { PoolEvent } from "./core/events.ts";
import { isTaskId, newHostId } from "./core/ids.ts";
import type { TaskOutcome } from "./core/outcome.ts";
import type { ListPage, Records } from "./core/records.ts";
import type {
  HostRecord,
  PoolStatus,
  RunRecord,
  SlotConfig,
  SlotRecord,
  TaskRecord,
  TaskResult,
  TaskSpec,
} from "./core/task.ts";
import { cancelTask } from "./engine/cancelling.ts";
import { drainPool } from "./engine/draining.ts";
import { fanOut } from "./engine/fan-out.ts";
import { Host } from "./engine/host.ts";
import type { EngineParts } from "./engine/parts.ts";
import { scaleTo } from "./engine/scaling.ts";
import { outcomeOf, Waiting } from "./engine/waiting.ts";
import { eventStream } from "./event-stream.ts";
import { PoolBudget } from "./pool-budget.ts";
import {
  checkConcurrency,
  checkContextEntry,
  parseDrainOptions,
  parseListOptions,
  parseSlotFilter,
  parseWaitOptions,
} from "./schema/calls.ts";
import { parseSlotConfig, refuseBypass } from "./schema/parse.ts";
import { wholeNumber } from "./schema/whole-number.ts";
import { Task } from "./task-handle.ts";

/** A pool as one process holds it; the queue, the money and the record live in the store. */
export class Pool implements AsyncDisposable {
  /** The store's file. */
  readonly store: string;
  readonly budget: PoolBudget;
  readonly #parts: EngineParts;
  readonly #records: Records;
  readonly #waiting: Waiting;
  #host: Host | undefined;
  #closing: Promise<void> | undefined;

  /** Use {@link openPool}. */
  constructor(parts: EngineParts, store: string) {
    this.store = store;
    this.#parts = parts;
    this.#records = parts.records;
    this.#waiting = new Waiting(parts.records, parts.clock);
    this.budget = new PoolBudget(parts.records, parts.config);
  }

  /** The id of this process's host; undefined while it contributes no slots. */
  get hostId(): string | undefined {
    return this.#host?.id;
  }

  /** Gives the pool its host; called once, by `openPool`. */
  async attach(host: Host): Promise<void> {
    this.#host = host;
    await host.start();
  }

  /**
   * Submits a task and waits for its result.
   *
   * @throws {PoolError} `task_failed` with `details.outcome`; `aborted` once the signal's cancellation is done; what `submit` throws.
   */
  async run(prompt: string | TaskSpec, options: RunOptions = {}): Promise<TaskResult> {
    const { signal, onOutput, ...rest } = options;
    const [settled] = await this.fanOut([prompt], {
      ...rest,
      ...(signal === undefined ? {} : { signal }),
      ...(onOutput === undefined ? {} : { onOutput }),
    });
    if (settled?.status === "fulfilled") return settled.result;
    throw settled?.error ?? new PoolError("aborted", "The run left no outcome.");
  }

  /**
   * Admits one task; once this resolves, it survives a crash.
   *
   * @throws {PoolError} `invalid_options`, `cwd_not_found`, `key_conflict`, `budget_exhausted`, `task_budget_exceeds_remaining`, `pool_shutdown`.
   */
  async submit(prompt: string | TaskSpec, options: SubmitOptions = {}): Promise<Task> {
    const [task] = await this.submitMany([prompt], options);
    if (task === undefined) throw new Error("a submission of one task answered with none");
    return task;
  }

  /** Admits many, all or none, in one transaction; `options` are defaults for each. */
  async submitMany(specs: readonly (string | TaskSpec)[], options: SubmitOptions = {}): Promise<readonly Task[]> {
    return (await this.#submit(specs, options, undefined)).map((id) => new Task(this, id));
  }

  /** A handle on a task by its id; nothing is asked yet. */
  task(id: string): Task {
    return new Task(this, id);
  }

  /** The record of a task. @throws {PoolError} `task_not_found`. */
  async get(id: string): Promise<TaskRecord> {
    const record = await this.#records.get(await this.#fullId(id));
    if (record === undefined) throw taskNotFound(id);
    return record;
  }

  /** State and, if there is one, result. @throws {PoolError} `task_not_found`. */
  async result(id: string): Promise<TaskOutcome> {
    return outcomeOf(await this.get(id));
  }

  /** Waits for one or many tasks. @throws {PoolError} `task_not_found`, `aborted`. */
  async wait(ids: string | readonly string[], options: WaitOptions = {}): Promise<WaitAnswer> {
    const given = parseWaitOptions(options);
    const full = await Promise.all([ids].flat().map((id) => this.#fullId(id)));
    return this.#waiting.wait(full, given);
  }

  /** Cancels a task in any state; when this resolves, no process of it is alive. @throws {PoolError} `task_not_found`. */
  async cancel(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<TaskRecord> {
    return cancelTask(this.#parts, this.#waiting, await this.#fullId(id), {
      ...options,
      recoverDeadHosts: () => this.#recoverDeadHosts(),
    });
  }

  /** Runs many tasks at once: every settled result, in the order of the inputs. Never rejects because one failed. */
  async fanOut(inputs: readonly (string | TaskSpec)[], options: FanOutOptions = {}): Promise<readonly Settled[]> {
    const { concurrency, signal, onSettled, onOutput, ...rest } = options;
    checkConcurrency(concurrency);
    const specs = inputs.map((input) => admit(input, rest, this.#admission(undefined)).spec);
    const listening = onOutput === undefined ? undefined : this.#listen(onOutput);
    try {
      return await fanOut(
        {
          submit: (some) => this.#submit(some, {}, this.hostId),
          outcome: (id) => this.task(id).outcome(),
          cancel: (id) => this.cancel(id),
        },
        specs,
        {
          ...(concurrency === undefined ? {} : { concurrency }),
          ...(signal === undefined ? {} : { signal }),
          ...(onSettled === undefined ? {} : { onSettled }),
          ...(listening === undefined ? {} : { onSubmitted: listening.add }),
        },
      );
    } finally {
      listening?.stop();
    }
  }

  /** Tasks, newest first, a page at a time (default 50). */
  async list(filter: ListOptions = {}): Promise<ListPage> {
    const { limit = 50, after, order, ...rest } = parseListOptions(filter);
    return this.#records.list(rest, {
      limit,
      ...(after === undefined ? {} : { after }),
      ...(order === undefined ? {} : { order }),
    });
  }

  /** The ledger rows of a task, one for each attempt. */
  async runs(taskId: string): Promise<readonly RunRecord[]> {
    return this.#records.runs(await this.#fullId(taskId));
  }

  /** Counts and money, at the same cost for ten tasks and a million. */
  status(): Promise<PoolStatus> {
    return this.#records.status();
  }

  /** The settings in force. */
  config(): PoolConfig {
    return this.#parts.config;
  }

  /** The event log from a cursor (default: from now on), this process's events and all others'. */
  events(options: EventsOptions = {}): AsyncIterable<PoolEvent> {
    return eventStream(this.#records, options);
  }

  /** Sets a value that every slot sees from its next task on. */
  async setContext(key: string, value: string): Promise<void> {
    checkContextEntry(key, value);
    if (key.trim() === "") throw invalidOptions("A context key must not be blank.", "key");
    await this.#records.setContext(key, value);
  }

  /** A value of the shared context, or undefined. */
  async getContext(key: string): Promise<string | undefined> {
    return (await this.#records.context()).get(key);
  }

  /** Removes a value; false if there was none. */
  deleteContext(key: string): Promise<boolean> {
    return this.#records.deleteContext(key);
  }

  /** The whole shared context. */
  async listContext(): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries(await this.#records.context());
  }

  /** Slots that match all that is given; stopped ones only if asked for. */
  async findSlots(given: SlotFilter = {}): Promise<readonly SlotRecord[]> {
    const filter = parseSlotFilter(given);
    return (await this.#records.slots()).filter(
      (slot) =>
        (filter.state === undefined ? slot.state !== "stopped" : slot.state === filter.state) &&
        (filter.name === undefined || slot.config.name === filter.name) &&
        (filter.role === undefined || slot.config.role === filter.role),
    );
  }

  /** Changes a slot's settings, from its next task on; what is not given stays. @throws {PoolError} `slot_not_found`. */
  async configureSlot(id: string, config: SlotConfig): Promise<SlotRecord> {
    const given = parseSlotConfig(config);
    refuseBypass(given.permissionMode, this.#parts.config.allowBypassPermissions);
    const slot = (await this.#records.slots()).find((one) => one.id === id);
    if (slot === undefined) throw slotNotFound(id);
    return this.#records.updateSlot(id, { config: { ...slot.config, ...given } });
  }

  /** Adds slots to this process's host, or to the first live one; resolves to the new number. @throws {PoolError} `scaling_out_of_bounds`, `no_host`. */
  scaleUp(count: number): Promise<number> {
    return scaleTo(this.#parts, this.hostId, (present) => present + wholeNumber(count, "count"));
  }

  /** Takes slots away: idle ones first, a busy one when its task has ended. @throws {PoolError} `scaling_out_of_bounds`, `no_host`. */
  scaleDown(count: number): Promise<number> {
    return scaleTo(this.#parts, this.hostId, (present) => present - wholeNumber(count, "count"));
  }

  /** Sets the number of slots. @throws {PoolError} `scaling_out_of_bounds`, `no_host`. */
  setTargetSlots(target: number): Promise<number> {
    return scaleTo(this.#parts, this.hostId, () => wholeNumber(target, "target"));
  }

  /** The processes that contribute or contributed slots and have not ended. */
  async hosts(): Promise<readonly HostRecord[]> {
    return (await this.#records.hosts()).filter((host) => host.state !== "ended");
  }

  /** Shuts the pool: refuses new work, cancels what is pending, lets what runs end within the grace. */
  async drain(options: DrainOptions = {}): Promise<DrainSummary> {
    return drainPool(this.#parts, this.#waiting, (id) => this.cancel(id), parseDrainOptions(options));
  }

  /** Removes tasks that ended longer ago than this, with their runs and events. */
  prune(options: { readonly olderThanMs: number }): Promise<{ readonly tasks: number; readonly events: number }> {
    return this.#records.prune(this.#parts.clock.now() - wholeNumber(options.olderThanMs, "olderThanMs"));
  }

  /** Every record as JSON lines. */
  export(): AsyncIterable<string> {
    return this.#records.exportLines();
  }

  /** Reads an export into this pool, which must be empty; all of it or nothing. @throws {PoolError} `invalid_import`. */
  import(lines: AsyncIterable<string>): Promise<{ readonly tasks: number; readonly runs: number }> {
    return this.#records.importLines(lines);
  }

  /**
   * Stops this process's host and closes the store; the queue lives on. What still runs after `graceMs` (default 0), or
   * when the signal cuts that short, goes back to the queue. When this resolves, no process that the host opened is alive.
   */
  close(options: { readonly graceMs?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? 0, options.signal);
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(graceMs: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#host?.stop(graceMs, signal);
    } finally {
      await this.#parts.runner.close();
      await this.#records.close();
    }
  }

  /** With an origin, somebody of that host waits for the tasks: they fail rather than wait for money or a Claude that never comes. */
  async #submit(
    specs: readonly (string | TaskSpec)[],
    options: SubmitOptions,
    originHost: string | undefined,
  ): Promise<readonly string[]> {
    const pool = this.#admission(originHost);
    const submitted = await this.#records.submit(specs.map((spec) => admit(spec, options, pool)));
    return submitted.map(({ record }) => record.id);
  }

  #admission(originHost: string | undefined): Parameters<typeof admit>[2] {
    return { cwd: this.#parts.cwd, config: this.#parts.config, originHost };
  }

  /** Accepts the beginning of an id where it is unique, and long enough not to be a slip: an empty variable names no task. */
  async #fullId(id: string): Promise<string> {
    if (isTaskId(id)) return id;
    if (!/^task-.{3}/.test(id)) throw taskNotFound(id);
    const ids = await this.#records.idsLike(id, 2);
    const [only] = ids;
    if (only !== undefined && (ids.length === 1 || ids.includes(id))) return ids.includes(id) ? id : only;
    if (ids.length > 1) throw invalidOptions(`${JSON.stringify(id)} is the beginning of more than one task id.`, "id");
    throw taskNotFound(id);
  }

  async #recoverDeadHosts(): Promise<void> {
    const helper = this.#host ?? new Host(this.#parts, { id: newHostId(), kind: "attached", slots: [] });
    if (helper !== this.#host) await helper.start();
    await helper.recover();
    if (helper !== this.#host) await helper.stop();
  }

  #listen(onOutput: (text: string, index: number) => void): {
    readonly add: (id: string, index: number) => void;
    readonly stop: () => void;
  } {
    const places = new Map<string, number>();
    const stop = this.#records.follow((events) => {
      for (const event of events) {
        const index = event.type === "task.output" ? places.get(event.taskId ?? "") : undefined;
        if (event.type === "task.output" && index !== undefined) onOutput(event.data.text, index);
      }
    });
    return { add: (id, index) => places.set(id, index), stop };
  }
}
