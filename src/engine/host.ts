/**
 * A host: the slots that this process contributes, and the loop that gives them work.
 *
 * H1. A slot is free from the moment its run's commit is asked for, so the next lease shares that transaction.
 * H2. What a host must obey (cancel, scaling, configuration, draining) reaches it as events of the log.
 * H3. A host that finds its lease lost ends everything it runs: others may have taken it over.
 */
import { resolveSettings } from "../core/config.ts";
import { dollars } from "../core/errors.ts";
import type { PoolEvent } from "../core/events.ts";
import type { EndCause } from "../core/ports.ts";
import type { DispatchHook, Finish, Lease } from "../core/records.ts";
import type { HostKind, HostRecord, SlotConfig, TaskRecord } from "../core/task.ts";
import { Execution } from "./execution.ts";
import { launchKey, launchSpec } from "./launch.ts";
import type { EngineParts } from "./parts.ts";
import { Recovery } from "./recovery.ts";
import { Slot } from "./slot.ts";

/** How often a host looks for dead hosts and renews its lease; a small part of the lease. */
const stepMs = 1_000;
const commitRetryMs = 500;
const commitAttemptsAtEnd = 5;
/** Between two tries of a slot whose process does not open: doubled each time, up to the longest. */
const reopenMs = 500;
const longestReopenMs = 30_000;

export interface HostOptions {
  readonly id: string;
  readonly kind: HostKind;
  readonly slots: readonly SlotConfig[];
}

export class Host implements DispatchHook {
  readonly id: string;
  readonly #parts: EngineParts;
  readonly #options: HostOptions;
  readonly #recovery: Recovery;
  readonly #slots = new Map<string, Slot>();
  readonly #running = new Map<string, Execution>();
  /** Everything under way that `stop` must see the end of. */
  readonly #work = new Set<Promise<void>>();
  #endings: (() => void)[] = [];
  #cancelStep: () => void = () => undefined;
  #stopping = false;

  constructor(parts: EngineParts, options: HostOptions) {
    this.#parts = parts;
    this.#options = options;
    this.id = options.id;
    this.#recovery = new Recovery(parts);
  }

  /** Registers host and slots, and begins to take work. Recovery of dead hosts goes on beside it. */
  async start(): Promise<void> {
    const { records, clock } = this.#parts;
    await records.startHost(this.#record(clock.now()));
    for (const record of await records.addSlots(this.id, this.#options.slots))
      this.#adopt(new Slot(this.#parts, record));
    this.#endings.push(
      records.follow((events) => {
        for (const event of events) this.#obey(event);
      }),
      records.onForeignChange(() => {
        this.#wake();
      }),
    );
    records.setDispatcher(this.id, this.#options.kind === "attached", this);
    this.#step();
    await records.dispatch();
  }

  // DispatchHook ----------------------------------------------------------------------------------------------------

  freeSlots(): readonly string[] {
    if (this.#stopping) return [];
    const free = [...this.#slots.values()].filter((slot) => slot.free && !slot.draining && slot.error === undefined);
    return free.sort((a, b) => a.freeSince - b.freeSince).map((slot) => slot.id);
  }

  choose(task: TaskRecord, free: readonly string[]): string {
    const [first] = free;
    if (first === undefined) throw new Error("choose was asked without a free slot");
    if (free.length === 1) return first;
    const cwd = task.cwd ?? this.#parts.cwd;
    const warm = free.find((id) => {
      const slot = this.#slots.get(id);
      if (slot === undefined) return false;
      const settings = resolveSettings(this.#parts.config, slot.config, task);
      return slot.isWarmFor(launchKey(launchSpec(this.#parts.config, settings, cwd)));
    });
    return warm ?? first;
  }

  leased(leases: readonly Lease[]): void {
    for (const lease of leases) {
      const slot = this.#slots.get(lease.slotId);
      if (slot === undefined) throw new Error(`leased to ${lease.slotId}, which is no slot of ${this.id}`);
      slot.free = false;
      const execution = new Execution(this.#parts, slot, lease);
      this.#running.set(lease.task.id, execution);
      this.#track(this.#carryOut(execution));
    }
  }

  // Work ------------------------------------------------------------------------------------------------------------

  async #carryOut(execution: Execution): Promise<void> {
    const { slot } = execution;
    const finish = await execution.carryOut();
    if (execution.launchError === undefined) {
      slot.launchFailures = 0;
      slot.settle(finish.outcome.result.sessionId);
    } else {
      this.#rest(slot, execution.launchError);
    }
    slot.freeSince = this.#parts.clock.monotonic();
    await this.#commit(finish, slot);
    this.#running.delete(finish.taskId);
    if (slot.draining) await this.#retire(slot);
    if (this.#running.size === 0) await this.#failWhatNeverFits();
  }

  /** A slot whose process does not open takes nothing for a while; its task is back in the queue. */
  #rest(slot: Slot, error: string): void {
    slot.error = error;
    slot.launchFailures += 1;
    this.#track(this.#markErrored(slot, error));
    const cancel = this.#parts.clock.after(Math.min(reopenMs * 2 ** (slot.launchFailures - 1), longestReopenMs), () => {
      slot.error = undefined;
      this.#track(this.#markReopened(slot));
    });
    this.#endings.push(cancel);
  }

  async #markErrored(slot: Slot, error: string): Promise<void> {
    await this.#parts.records.updateSlot(slot.id, { state: "errored", error });
    const slots = [...this.#slots.values()];
    if (slots.some((other) => other.launchFailures < this.#parts.config.maxRestarts)) return;
    // Somebody waits for these and no slot of ours can do them; what was only submitted stays in the queue.
    await this.#parts.records.failPending(this.id, "launch", error);
  }

  async #markReopened(slot: Slot): Promise<void> {
    if (this.#stopping || slot.draining) return;
    await this.#parts.records.updateSlot(slot.id, { state: "idle", error: null, restarted: true });
    await this.#parts.records.dispatch();
  }

  /** Tasks that a caller of this process waits for and that no settlement can make affordable any more. */
  async #failWhatNeverFits(): Promise<void> {
    const budget = await this.#parts.records.budget();
    if (budget.capMicrodollars === undefined || budget.reservedMicrodollars > 0) return;
    const text = `The pool's budget of ${dollars(budget.capMicrodollars)} has no room for it: ${dollars(budget.spentMicrodollars)} are spent.`;
    await this.#parts.records.failPending(this.id, "budget", text, "budget");
  }

  /** Commits until it is done: an outcome is never dropped because the disk was full or the file was locked. */
  async #commit(finish: Finish, slot: Slot): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      slot.free = !slot.draining; // H1
      try {
        await this.#parts.records.finish(finish);
        return;
      } catch (error) {
        slot.free = false;
        this.#parts.report(error);
        // A closing host cannot wait for ever: the next one finds the run lost and does it again.
        if (this.#stopping && attempt >= commitAttemptsAtEnd) return;
        await this.#pause(commitRetryMs);
      }
    }
  }

  #obey(event: PoolEvent): void {
    switch (event.type) {
      case "task.cancel_requested":
        if (event.taskId !== undefined) this.end(event.taskId, "cancel");
        break;
      case "slot.configured":
        this.#track(this.#reconfigure());
        break;
      case "host.scaled":
        if (event.data.hostId === this.id) this.#track(this.#scale(event.data.targetSlots));
        break;
      case "task.held":
        if (event.data.reason === "budget" && this.#running.size === 0) this.#track(this.#failWhatNeverFits());
        break;
      case "task.unheld":
      case "budget.changed":
      case "pool.opened":
        this.#wake();
        break;
      default:
        break;
    }
  }

  /** Ends a run of this host early; false: the task does not run here. */
  end(taskId: string, cause: EndCause): boolean {
    const execution = this.#running.get(taskId);
    execution?.end(cause);
    return execution !== undefined;
  }

  /** Takes over from every dead host, now. */
  async recover(): Promise<void> {
    if ((await this.#recovery.sweep(this.id)) > 0) this.#wake();
  }

  get runningTasks(): readonly string[] {
    return [...this.#running.keys()];
  }

  #wake(): void {
    if (this.#stopping || this.freeSlots().length === 0) return;
    this.#parts.records.dispatch().catch(this.#parts.report);
  }

  /** One round: keep the lease, let go what is due, take over from the dead. */
  #step(): void {
    this.#track(this.#round());
    this.#cancelStep = this.#parts.clock.after(stepMs, () => {
      this.#step();
    });
  }

  async #round(): Promise<void> {
    const { records, clock, config } = this.#parts;
    if (!(await records.renewHost(this.id, clock.now() + config.leaseMs))) {
      for (const execution of this.#running.values()) execution.end("shutdown"); // H3
      return;
    }
    if (this.#stopping) return; // the lease alone is kept, for as long as what runs may take
    const deadline = await records.nextDeadlineMs();
    if (deadline !== undefined && deadline <= clock.now()) await records.sweep();
    await this.recover();
  }

  // Slots -----------------------------------------------------------------------------------------------------------

  async #scale(target: number): Promise<void> {
    const active = [...this.#slots.values()].filter((slot) => !slot.draining);
    if (target > active.length) {
      const added = Array.from({ length: target - active.length }, (): SlotConfig => ({}));
      for (const record of await this.#parts.records.addSlots(this.id, added)) {
        this.#adopt(new Slot(this.#parts, record));
      }
      await this.#parts.records.dispatch();
      return;
    }
    // Idle ones go first; a busy one finishes its task.
    const leaving = active.sort((a, b) => Number(b.free) - Number(a.free)).slice(0, active.length - target);
    await Promise.all(
      leaving.map(async (slot) => {
        slot.draining = true;
        await this.#parts.records.updateSlot(slot.id, { state: "draining" });
        if (slot.free) await this.#retire(slot);
      }),
    );
  }

  async #retire(slot: Slot): Promise<void> {
    slot.free = false;
    if (!this.#slots.delete(slot.id)) return;
    await slot.settled();
    await slot.close();
    await this.#parts.records.updateSlot(slot.id, { state: "stopped", process: null });
  }

  async #reconfigure(): Promise<void> {
    for (const record of await this.#parts.records.slots()) {
      const slot = this.#slots.get(record.id);
      if (slot !== undefined) slot.config = record.config;
    }
  }

  #adopt(slot: Slot): void {
    slot.freeSince = this.#parts.clock.monotonic();
    this.#slots.set(slot.id, slot);
  }

  // End -------------------------------------------------------------------------------------------------------------

  /**
   * Stops this host: it takes nothing new, gives what runs `graceMs` to end (the signal cuts that short), and puts the rest
   * back into the queue. Resolves to the ids of those; then nothing that it started is alive.
   */
  async stop(graceMs = 0, signal?: AbortSignal): Promise<readonly string[]> {
    if (this.#stopping) return [];
    this.#stopping = true;
    if (graceMs > 0 && this.#running.size > 0 && signal?.aborted !== true) await this.#runsEndOr(graceMs, signal);
    const cut = this.runningTasks;
    for (const execution of this.#running.values()) execution.end("shutdown");
    while (this.#work.size > 0) await Promise.all(this.#work);
    this.#parts.records.setDispatcher(this.id, false, undefined);
    this.#cancelStep();
    for (const end of this.#endings) end();
    this.#endings = [];
    await Promise.all(
      [...this.#slots.values()].map(async (slot) => {
        slot.draining = true;
        await slot.settled();
        await slot.close();
      }),
    );
    await this.#parts.records.endHost(this.id);
    return cut;
  }

  async #runsEndOr(graceMs: number, signal: AbortSignal | undefined): Promise<void> {
    let cancel: () => void = () => undefined;
    const grace = new Promise<void>((resolve) => {
      const cancelTimer = this.#parts.clock.after(graceMs, resolve);
      const onAbort = (): void => resolve();
      signal?.addEventListener("abort", onAbort, { once: true });
      cancel = () => {
        cancelTimer();
        signal?.removeEventListener("abort", onAbort);
      };
    });
    const ended = (async (): Promise<void> => {
      while (this.#running.size > 0) await Promise.race(this.#work);
    })();
    await Promise.race([grace, ended]);
    cancel();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(ms, resolve);
    });
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.catch(this.#parts.report).finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  #record(nowMs: number): HostRecord {
    const { self } = this.#parts.processes;
    return {
      id: this.id,
      kind: this.#options.kind,
      pid: self.pid,
      startTime: self.startTime,
      bootId: this.#parts.machine.bootId,
      hostname: this.#parts.machine.hostname,
      startedAtMs: nowMs,
      leaseUntilMs: nowMs + this.#parts.config.leaseMs,
      state: "alive",
      targetSlots: this.#options.slots.length,
    };
  }
}
