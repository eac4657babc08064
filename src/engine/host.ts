/**
 * A host: the slots that this process contributes, and the loop that gives them work.
 *
 * H1. A slot is free from the moment its run's commit is asked for, so the next lease shares that transaction.
 * H2. What a host must obey (cancel, scaling, configuration, draining) reaches it as events of the log.
 * H3. A host that finds its lease lost ends everything it runs: others may have taken it over.
 */
import type { PoolEvent } from "../core/events.ts";
import type { EndCause } from "../core/runner-port.ts";
import type { DispatchHook, Lease } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";
import { Asking } from "./asking.ts";
import { Autoscaler } from "./autoscaler.ts";
import { ClaimWatch } from "./claim-watch.ts";
import { claimedLease, untouched } from "./claimed.ts";
import { commitRun } from "./committing.ts";
import { Execution } from "./execution.ts";
import { endedOrGrace } from "./grace.ts";
import { hostRecord, type HostOptions } from "./host-record.ts";
import type { EngineParts } from "./parts.ts";
import type { Merging } from "./merging.ts";
import { Recovery } from "./recovery.ts";
import { SlotSet } from "./slot-set.ts";
import type { Slot } from "./slot.ts";
import { Supervisor } from "./supervisor.ts";
import { removeClones } from "./tidying.ts";
import { failUnaffordable } from "./unaffordable.ts";

/** How often a host looks for dead hosts and renews its lease; a small part of the lease. */
const stepMs = 1_000;

const diedText = "Its process died in three runs in a row, and not of one task alone.";

type TaskStarted = Extract<PoolEvent, { type: "task.started" }>;

export class Host implements DispatchHook {
  readonly id: string;
  readonly #parts: EngineParts;
  readonly #options: HostOptions;
  readonly #asking: Asking;
  readonly #recovery: Recovery;
  readonly #supervisor: Supervisor;
  readonly #slots: SlotSet;
  readonly #autoscaler: Autoscaler;
  readonly #merging: Merging;
  readonly #claims: ClaimWatch;
  readonly #running = new Map<string, Execution>();
  /** Everything under way that `stop` must see the end of; the runs are among it. */
  readonly #work = new Set<Promise<void>>();
  readonly #runs = new Set<Promise<void>>();
  #endings: (() => void)[] = [];
  #cancelStep: () => void = () => undefined;
  #stopping = false;
  #isSweeping = false;
  #isMerging = false;
  #isStartingOver = false;
  #isStarved = false;
  #renewAt = 0;

  constructor(parts: EngineParts, options: HostOptions, merging: Merging) {
    this.#merging = merging;
    this.#parts = parts;
    this.#options = options;
    this.id = options.id;
    this.#asking = new Asking(parts);
    this.#recovery = new Recovery(parts);
    this.#supervisor = new Supervisor(parts);
    this.#slots = new SlotSet(parts, this.#supervisor, () => this.#wake());
    this.#autoscaler = new Autoscaler(parts, this.#slots);
    const running = (): readonly TaskRecord[] => [...this.#running.values()].map(({ lease }) => lease.task);
    this.#claims = new ClaimWatch(parts, running, () => this.#wake());
  }

  /** Registers host and slots, and begins to take work. Recovery of dead hosts goes on beside it. */
  async start(): Promise<void> {
    const { records } = this.#parts;
    await records.startHost(hostRecord(this.#parts, this.#options));
    // Before there are slots: another process may claim a task for one as soon as there is.
    this.#endings.push(
      records.follow((events) => {
        for (const event of events) this.#obey(event);
      }),
      records.onForeignChange(() => {
        this.#wake();
      }),
    );
    await this.#slots.add(this.id, this.#options.slots);
    records.setDispatcher(this.id, this.#options.kind === "attached", this);
    if (this.#options.kind !== "attached") this.#track(removeClones(this.#parts));
    this.#step();
    await records.dispatch();
    if (this.#options.kind === "serve" || this.#options.kind === "mcp") this.#track(this.#slots.warm());
  }

  // DispatchHook ----------------------------------------------------------------------------------------------------

  freeSlots(): readonly string[] {
    return this.#stopping ? [] : this.#slots.free();
  }

  choose(task: TaskRecord, free: readonly string[]): string {
    return this.#slots.best(task, free);
  }

  leased(leases: readonly Lease[]): void {
    for (const lease of leases) {
      const slot = this.#slots.get(lease.slotId);
      if (slot === undefined) throw new Error(`leased to ${lease.slotId}, which is no slot of ${this.id}`);
      slot.free = false;
      const execution = new Execution(this.#parts, this.#asking, slot, lease);
      this.#running.set(lease.task.id, execution);
      const run = this.#carryOut(execution).finally(() => this.#runs.delete(run));
      this.#runs.add(run);
      this.#track(run);
    }
  }

  // Work ------------------------------------------------------------------------------------------------------------

  async #carryOut(execution: Execution): Promise<void> {
    const { slot } = execution;
    const finish = await execution.carryOut();
    if (execution.launchError === undefined) {
      slot.settle(finish.outcome.result.sessionId);
      const died = finish.outcome.kind === "lost" && finish.countsAsLost !== false;
      if (slot.diedTooOften(finish.taskId, died)) this.#track(this.#errored(slot, diedText));
    } else {
      this.#track(this.#errored(slot, execution.launchError));
    }
    slot.freeSince = this.#parts.clock.monotonic();
    const task = await commitRun(this.#parts, finish, slot, () => this.#stopping);
    if (execution.lease.task.paths !== undefined) {
      this.#track(execution.ended(task).then((hasClaimed) => (hasClaimed ? this.#claims.look() : undefined)));
    }
    // A requeued task may have been leased to this host again in that very transaction.
    if (this.#running.get(finish.taskId) === execution) this.#running.delete(finish.taskId);
    if (slot.draining) await this.#slots.retire(slot);
    if (finish.workspace?.isolation === "clone") await removeClones(this.#parts);
    if (this.#running.size === 0) await failUnaffordable(this.#parts, this.id);
  }

  async #errored(slot: Slot, error: string): Promise<void> {
    await this.#supervisor.failed(slot, error);
    await this.#failWhatNobodyTakes();
  }

  /** Somebody waits for these and no slot of ours can do them; what was only submitted stays in the queue. */
  async #failWhatNobodyTakes(): Promise<void> {
    const { hopeless } = this.#slots;
    if (hopeless !== undefined) await this.#parts.records.failPending(this.id, "launch", hopeless);
  }

  #obey(event: PoolEvent): void {
    switch (event.type) {
      case "task.cancel_requested":
        if (event.taskId !== undefined) this.end(event.taskId, "cancel");
        break;
      case "task.submitted":
        if (this.#slots.hopeless !== undefined) this.#track(this.#failWhatNobodyTakes());
        break;
      case "task.started":
        if (this.#isClaimed(event)) this.#track(this.#takeClaimed(event));
        break;
      case "task.approved":
        this.#track(removeClones(this.#parts));
        break;
      case "merge.queued":
        this.#track(this.#merging.work());
        break;
      case "slot.restarted":
        this.#restarted(event.slotId, event.data.by);
        break;
      case "slot.configured":
        this.#track(this.#reconfigure());
        break;
      case "host.scaled":
        if (event.data.hostId === this.id) this.#track(this.#slots.scale(this.id, event.data.targetSlots));
        break;
      case "task.held":
        if (event.data.reason === "claim") this.#track(this.#claims.look());
        if (event.data.reason === "budget" && this.#running.size === 0)
          this.#track(failUnaffordable(this.#parts, this.id));
        break;
      case "budget.changed":
        for (const execution of this.#running.values()) execution.budgetChanged();
        this.#wake();
        break;
      case "permission.answered":
      case "question.answered":
        this.#asking.hear(event);
        break;
      case "task.unheld":
      case "pool.opened":
        this.#wake();
        break;
      default:
        break;
    }
  }

  /** Somebody leased a task to a slot of this host, and it has not begun here: events follow on the host's own leases. */
  #isClaimed({ taskId = "", slotId = "", data }: TaskStarted): boolean {
    return this.#slots.get(slotId) !== undefined && this.#running.get(taskId)?.lease.runId !== data.runId;
  }

  async #takeClaimed(event: TaskStarted): Promise<void> {
    const lease = await claimedLease(this.#parts.records, this.id, event.taskId ?? "", event.data.runId);
    if (lease === undefined || !this.#isClaimed(event)) return;
    if (!this.#stopping && this.#slots.get(lease.slotId)?.isIdle === true) {
      this.leased([lease]);
      return;
    }
    // The slot began to drain, or took another task, in the moment of the claim.
    await this.#parts.records.finish(untouched(lease));
  }

  #restarted(slotId: string | undefined, by: "hand" | "supervisor"): void {
    const slot = this.#slots.get(slotId ?? "");
    if (slot === undefined) return;
    slot.error = undefined;
    if (by === "hand") slot.failures = 0; // V2 of supervisor.ts
    this.#wake();
  }

  async #reconfigure(): Promise<void> {
    await this.#slots.reconfigure();
    this.#wake();
  }

  /** Restarts, now, every errored slot that has not failed too often; resolves to their ids. */
  checkSlots(): Promise<readonly string[]> {
    return this.#supervisor.check(this.#slots.all());
  }

  /** Has errored slots tried again from now on; the function ends it. */
  supervise(intervalMs: number): () => void {
    this.#supervisor.start(intervalMs, this.#slots.all());
    return () => {
      this.#supervisor.stop();
    };
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

  #wake(): void {
    if (this.#stopping || this.freeSlots().length === 0) return;
    this.#parts.records.dispatch().catch(this.#parts.report);
  }

  /** One round: keep the lease, let go what is due, take over from the dead. */
  #step(): void {
    this.#track(this.#renew());
    this.#track(this.#watchMemory());
    // Ending a dead host's processes takes seconds, and so may a gentle stop: the lease is kept meanwhile.
    if (!this.#isSweeping && !this.#stopping) {
      this.#isSweeping = true;
      this.#track(
        this.#sweep().finally(() => {
          this.#isSweeping = false;
        }),
      );
    }
    this.#cancelStep = this.#parts.clock.after(stepMs, () => {
      this.#step();
    });
  }

  /** Each renewal is a write that every other process notices, so it is done with a third of the lease used up. */
  async #renew(): Promise<void> {
    const { records, clock, config } = this.#parts;
    if (this.#isStartingOver || clock.monotonic() < this.#renewAt) return;
    this.#renewAt = clock.monotonic() + config.leaseMs / 3;
    if (await records.renewHost(this.id, clock.now() + config.leaseMs)) return;
    this.#isStartingOver = true;
    await this.#startOver().finally(() => {
      this.#isStartingOver = false;
    });
  }

  /** Whoever looks at the pool from another process is told why free slots take nothing. */
  async #watchMemory(): Promise<void> {
    const isStarved = !this.#stopping && this.#slots.isStarved;
    if (isStarved === this.#isStarved) return;
    this.#isStarved = isStarved;
    await this.#parts.records.noteMemory(this.id, isStarved);
  }

  async #sweep(): Promise<void> {
    const { records, clock } = this.#parts;
    const deadline = await records.nextDeadlineMs();
    if (deadline !== undefined && deadline <= clock.now()) await records.sweep();
    if (this.#options.kind !== "attached") await this.#autoscaler.step(this.id);
    await this.recover();
    await this.#claims.look();
    // What a process left that died over it, or gave back. Not waited for: its checks may take long, and the next sweep must come.
    if (this.#isMerging || (await records.merges({ state: ["queued", "merging"] }, 1)).length === 0) return;
    this.#isMerging = true;
    this.#track(
      this.#merging.work().finally(() => {
        this.#isMerging = false;
      }),
    );
  }

  /** H3: taken for dead while it was alive; what it ran belongs to others now, so it ends that and registers anew. */
  async #startOver(): Promise<void> {
    const { records } = this.#parts;
    for (const execution of this.#running.values()) execution.end("shutdown");
    await Promise.all(this.#runs);
    const configs = await this.#slots.clear();
    if (this.#stopping) return;
    await records.startHost(hostRecord(this.#parts, this.#options));
    await this.#slots.add(this.id, configs);
    await records.dispatch();
  }

  // End -------------------------------------------------------------------------------------------------------------

  /**
   * Stops this host: it takes nothing new, gives what runs `graceMs` to end (the signal cuts that short), and puts the rest
   * back into the queue. Resolves to the ids of those; then nothing that it started is alive.
   */
  async stop(graceMs = 0, signal?: AbortSignal): Promise<readonly string[]> {
    if (this.#stopping) return [];
    this.#stopping = true;
    this.#supervisor.stop();
    this.#slots.abandon();
    if (graceMs > 0 && this.#running.size > 0 && signal?.aborted !== true) {
      const ended = async (): Promise<void> => {
        while (this.#running.size > 0) await Promise.race(this.#work);
      };
      await endedOrGrace(this.#parts.clock, ended(), graceMs, signal);
    }
    const cut = [...this.#running.keys()];
    for (const execution of this.#running.values()) execution.end("shutdown");
    while (this.#work.size > 0) await Promise.all(this.#work);
    this.#parts.records.setDispatcher(this.id, false, undefined);
    this.#cancelStep();
    for (const end of this.#endings) end();
    this.#endings = [];
    await this.#slots.close();
    await this.#parts.records.endHost(this.id);
    return cut;
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.catch(this.#parts.report).finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}
