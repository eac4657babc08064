/** What users hold: every surface calls this class, and each method hands on to the one place that does the work. */
import { admit, keyedBy, type Admission } from "./admission.ts";
import type {
  DrainOptions,
  DrainSummary,
  EventsOptions,
  FanOutChainsOptions,
  FanOutOptions,
  ListOptions,
  ResumeChainOptions,
  RunChainOptions,
  RunOptions,
  Settled,
  SettledChain,
  SubmitOptions,
  WaitAnswer,
  WaitOptions,
} from "./core/api.ts";
import type { ChainOptions, ChainProgress, ChainResult, StepSpec } from "./core/chain.ts";
import type { PoolConfig } from "./core/config.ts";
import { PoolError } from "./core/errors.ts";
import type { PoolEvent } from "./core/events.ts";
import { newHostId } from "./core/ids.ts";
import type { TaskOutcome } from "./core/outcome.ts";
import type { Skills } from "./core/skills-port.ts";
import type { ListPage, Records } from "./core/records.ts";
import type { AutoOptions, AutoResult, RouteAnswer, RouteOptions } from "./core/route.ts";
import type { RunRecord, TaskRecord, TaskResult, TaskSpec } from "./core/task.ts";
import { cancelTask } from "./engine/cancelling.ts";
import { drainPool } from "./engine/draining.ts";
import { fanOut } from "./engine/fan-out.ts";
import { Host } from "./engine/host.ts";
import type { HostOptions } from "./engine/host-record.ts";
import type { EngineParts } from "./engine/parts.ts";
import { outcomeOf, Waiting } from "./engine/waiting.ts";
import { eventStream } from "./event-stream.ts";
import { fullId, taskNamed } from "./full-id.ts";
import { outputListener } from "./output-listener.ts";
import { PoolChains } from "./pool-chains.ts";
import { PoolLanding } from "./pool-landing.ts";
import { PoolRequests } from "./pool-requests.ts";
import { PoolRouting } from "./pool-routing.ts";
import { PoolSkills } from "./pool-skills.ts";
import { PoolWebhooks } from "./pool-webhooks.ts";
import { PoolWorkflows } from "./pool-workflows.ts";
import { checkConcurrency, parseDrainOptions, parseListOptions, parseWaitOptions } from "./schema/calls.ts";
import { wholeNumber } from "./schema/whole-number.ts";
import { Task } from "./task-handle.ts";

/** A pool as one process holds it; the queue, the money and the record live in the store. */
export class Pool extends PoolLanding implements AsyncDisposable {
  /** The store's file. */
  readonly store: string;
  /** The directory that it is about, by its real path. */
  readonly cwd: string;
  readonly skills: PoolSkills;
  readonly workflows: PoolWorkflows;
  readonly webhooks: PoolWebhooks;
  readonly requests: PoolRequests;
  readonly #parts: EngineParts;
  readonly #records: Records;
  readonly #waiting: Waiting;
  readonly #chains: PoolChains;
  readonly #routing: PoolRouting;
  #closing: Promise<void> | undefined;

  /** Use {@link openPool}. */
  constructor(parts: EngineParts, store: string, folders: Skills) {
    super(parts);
    this.store = store;
    this.cwd = parts.cwd;
    this.#parts = parts;
    this.#records = parts.records;
    this.#waiting = new Waiting(parts.records, parts.clock);
    this.webhooks = new PoolWebhooks(parts);
    this.#chains = new PoolChains({
      records: parts.records,
      admission: (isAwaited) => ({
        ...this.#admission(isAwaited ? this.hostId : undefined),
        resolveSkill: (name, cwd) => this.skills.resolve(name, cwd),
      }),
      outcome: (id) => this.task(id).outcome(),
      cancel: (id) => this.cancel(id),
    });
    this.#routing = new PoolRouting({
      records: parts.records,
      store,
      admission: () => this.#admission(this.hostId),
      chains: this.#chains,
      fanOut: (prompts, options) => this.fanOut(prompts, options),
      outcome: (id) => this.task(id).outcome(),
      cancel: (id) => this.cancel(id),
    });
    this.skills = new PoolSkills({
      folders,
      records: parts.records,
      cwd: parts.cwd,
      commandsRun: parts.config.skillCommands,
      submit: (spec) => this.submit(spec),
      run: (spec, options) => this.run(spec, options),
    });
    this.requests = new PoolRequests(parts.records, async (id) => (await this.get(id)).id);
    this.workflows = new PoolWorkflows({
      folders,
      submitChain: (steps, options) => this.submitChain(steps, options),
      runChain: (steps, options) => this.runChain(steps, options),
    });
  }

  /** Gives the pool its host; called once, by `openPool`. */
  async attach(options: HostOptions): Promise<void> {
    const host = new Host(this.#parts, options, this.merging);
    this.host = host;
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

  /**
   * Admits many, all or none, in one transaction; `options` are defaults for each. With a `callKey` the same call again gives the
   * tasks of the first; a call with others, fewer or more under the same key is a `key_conflict`.
   */
  async submitMany(
    specs: readonly (string | TaskSpec)[],
    options: SubmitOptions = {},
    callKey?: string,
  ): Promise<readonly Task[]> {
    return (await this.#submit(specs, options, undefined, callKey)).map((id) => new Task(this, id));
  }

  /** A handle on a task by its id; nothing is asked yet. */
  task(id: string): Task {
    return new Task(this, id);
  }

  /** The record of a task. @throws {PoolError} `task_not_found`. */
  async get(id: string): Promise<TaskRecord> {
    return taskNamed(this.#records, id);
  }

  /** State and, if there is one, result. @throws {PoolError} `task_not_found`. */
  async result(id: string): Promise<TaskOutcome> {
    return outcomeOf(await this.get(id));
  }

  /** Waits for one or many tasks. @throws {PoolError} `task_not_found`, `aborted`. */
  async wait(ids: string | readonly string[], options: WaitOptions = {}): Promise<WaitAnswer> {
    const given = parseWaitOptions(options);
    const full = await Promise.all([ids].flat().map((id) => fullId(this.#records, id)));
    return this.#waiting.wait(full, given);
  }

  /** Cancels a task in any state; when this resolves, no process of it is alive. @throws {PoolError} `task_not_found`. */
  async cancel(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<TaskRecord> {
    return cancelTask(this.#parts, this.#waiting, await fullId(this.#records, id), {
      ...options,
      recoverDeadHosts: () => this.#recoverDeadHosts(),
    });
  }

  /** Runs many tasks at once: every settled result, in the order of the inputs. Never rejects because one failed. */
  async fanOut(inputs: readonly (string | TaskSpec)[], options: FanOutOptions = {}): Promise<readonly Settled[]> {
    const { concurrency, signal, onSettled, onOutput, ...rest } = options;
    checkConcurrency(concurrency);
    const admission = this.#admission(undefined);
    const specs = inputs.map((input) => admit(input, rest, admission).spec);
    const listening = onOutput === undefined ? undefined : outputListener(this.#records, onOutput);
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

  /**
   * Admits a chain: steps that are tasks of their own, the output of one in the prompt of another. It survives a crash.
   *
   * @throws {PoolError} `invalid_options` naming the step, `cwd_not_found`, and what `submit` throws.
   * @example await pool.submitChain([{ name: "plan", prompt: "…" }, { name: "build", prompt: "Do: {previous_output}" }]);
   */
  async submitChain(steps: readonly StepSpec[], options: ChainOptions = {}): Promise<Task> {
    return new Task(this, await this.#chains.submit(steps, options));
  }

  /**
   * Admits many chains, all or none, in one transaction.
   *
   * @throws {PoolError} what `submitChain` throws for the first that is refused; then none of them is there.
   * @example await pool.submitChains(files.map((file) => ({ steps: [{ name: "review", prompt: `Review ${file}` }] })));
   */
  async submitChains(
    chains: readonly (ChainOptions & { readonly steps: readonly StepSpec[] })[],
  ): Promise<readonly Task[]> {
    return (await this.#chains.submitMany(chains)).map((id) => new Task(this, id));
  }

  /** Submits a chain and waits for its result. @throws {PoolError} `task_failed` unless it completes; what `submitChain` throws. */
  runChain(steps: readonly StepSpec[], options: RunChainOptions = {}): Promise<ChainResult> {
    return this.#chains.run(steps, options);
  }

  /** Runs many chains at once; every settled result in the order of the inputs, with the ids. Never rejects because one failed. */
  fanOutChains(
    chains: readonly (readonly StepSpec[])[],
    options: FanOutChainsOptions = {},
  ): Promise<readonly SettledChain[]> {
    return this.#chains.fanOut(chains, options);
  }

  /** How far a chain is: every step with its state, cost and time, and the running one's text so far. @throws {PoolError} `task_not_found`. */
  async chainProgress(id: string): Promise<ChainProgress> {
    return this.#chains.progress(await fullId(this.#records, id));
  }

  /** Chains, newest first, at most `limit` (default 50); without what their steps answered, which `chainProgress` has. */
  listChains(page: { readonly limit?: number; readonly after?: number } = {}): Promise<readonly ChainProgress[]> {
    return this.#records.listChains({ limit: 50, ...page });
  }

  /** As `cancel`: when this resolves, no process of any of its steps is alive. */
  cancelChain(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<TaskRecord> {
    return this.cancel(id, options);
  }

  /**
   * A new chain that takes over the completed steps of one that failed or was cancelled, and runs the others.
   *
   * @throws {PoolError} `task_not_found`, `invalid_transition`, `invalid_options` for an unknown step, and what `submit` throws.
   */
  async resumeChain(id: string, options: ResumeChainOptions = {}): Promise<Task> {
    return new Task(this, await this.#chains.resume(await fullId(this.#records, id), options));
  }

  /** As `submit`, with a review: the task waits at `pending_review` until it is approved or rejected. */
  submitWithReview(prompt: string | TaskSpec, options: Omit<SubmitOptions, "review"> = {}): Promise<Task> {
    return this.submit(typeof prompt === "string" ? prompt : { ...prompt, review: true }, { ...options, review: true });
  }

  /** What waits for a reviewer, oldest first, a page at a time (default 50). */
  listReviews(page: { readonly limit?: number; readonly after?: number } = {}): Promise<ListPage> {
    return this.list({ ...page, state: "pending_review", order: "oldest" });
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
    return this.#records.runs(await fullId(this.#records, taskId));
  }

  /** The settings in force. */
  config(): PoolConfig {
    return this.#parts.config;
  }

  /** The event log from a cursor (default: from now on), this process's events and all others'. */
  events(options: EventsOptions = {}): AsyncIterable<PoolEvent> {
    return eventStream(this.#records, options);
  }

  /**
   * What the event log holds after a cursor, oldest first, at most `limit` at once; of one task, if it is named, and of a chain
   * `withSteps` what its steps did too.
   */
  async eventsAfter(after: number, limit: number, taskId?: string, withSteps = false): Promise<readonly PoolEvent[]> {
    const task = taskId === undefined ? undefined : await fullId(this.#records, taskId);
    return this.#records.events(wholeNumber(after, "after"), wholeNumber(limit, "limit"), task, withSteps);
  }

  /** The cursor of the newest event; 0 without any. */
  lastEventSeq(): Promise<number> {
    return this.#records.lastEventSeq();
  }

  /**
   * Calls back with every event in order, this process's and others', from now on or from a cursor, until the function
   * returned is called; the listener must be quick, and must not throw.
   */
  follow(listener: (events: readonly PoolEvent[]) => void, after?: number): () => void {
    return this.#records.follow(listener, after);
  }

  /**
   * Asks the router how a task is divided; nothing of the task is done. Its cost is in the ledger as any task's.
   *
   * @throws {PoolError} `route_failed`, `aborted`, `invalid_options`, and what `submit` throws.
   * @example const answer = await pool.route("Review a.ts and b.ts"); // { route: "parallel", prompts: […], … }
   */
  route(prompt: string, options: RouteOptions = {}): Promise<RouteAnswer> {
    return this.#routing.route(prompt, options);
  }

  /**
   * Asks the router, then runs what it decided: one task, several at once, or a chain; waits for all of it.
   *
   * @throws {PoolError} as `route`. What fails of the work itself is told in the result.
   */
  auto(prompt: string, options: AutoOptions = {}): Promise<AutoResult> {
    return this.#routing.auto(prompt, options);
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
   * when the signal cuts that short, goes back to the queue; whoever waits for it in this process gets `pool_closed`. When
   * this resolves, no process that the host opened is alive.
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
      await Promise.all([this.host?.stop(graceMs, signal), this.merging.stop()]);
    } finally {
      await this.webhooks.stop();
      this.#waiting.close();
      await this.#parts.runner.close();
      await this.#records.close();
      this.#routing.close();
    }
  }

  /** With an origin, somebody of that host waits for the tasks: they fail rather than wait for money or a Claude that never comes. */
  async #submit(
    specs: readonly (string | TaskSpec)[],
    options: SubmitOptions,
    originHost: string | undefined,
    callKey?: string,
  ): Promise<readonly string[]> {
    const pool = this.#admission(originHost);
    const tasks = specs.map((spec) => admit(spec, options, pool));
    const submitted = await this.#records.submit(callKey === undefined ? tasks : tasks.map(keyedBy(callKey)));
    return submitted.map(({ record }) => record.id);
  }

  #admission(originHost: string | undefined): Admission {
    const { cwd, config, depth } = this.#parts;
    return { cwd, config, originHost, checked: new Set(), ...(depth === undefined ? {} : { depth }) };
  }

  async #recoverDeadHosts(): Promise<void> {
    const options: HostOptions = { id: newHostId(), kind: "attached", slots: [] };
    const helper = this.host ?? new Host(this.#parts, options, this.merging);
    if (helper !== this.host) await helper.start();
    await helper.recover();
    await this.merging.work();
    if (helper !== this.host) await helper.stop();
  }
}
