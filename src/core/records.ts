/**
 * The port to the records: every state change of the pool goes through one of these methods, in one transaction each.
 *
 * C1. Group commit: all writes asked for in one turn of the event loop share one transaction (one fsync); the promise of
 *     each resolves only after that commit.
 * C2. A refusal (PoolError) of one write leaves the others of its transaction untouched: a write checks everything
 *     before it changes anything. Any other error rolls the whole transaction back and rejects all of its writes.
 * C3. A run commits only while its `runId` is the task's and the task is running (the fence).
 * C4. Counters, money, events and the rows they speak of change in the same transaction.
 * C5. Every transition is `nextState`'s.
 */
import type { BudgetState, ScopeBudget } from "./budget.ts";
import type { ChainProgress, ChainSpec } from "./chain.ts";
import type { NewEvent, PoolEvent } from "./events.ts";
import type { Forecast, RunLike } from "./forecast.ts";
import type { GovernorState } from "./governor.ts";
import type { PoolMessage } from "./message.ts";
import type { MetricsFilter, SessionMetrics } from "./metrics.ts";
import type { EndReason, Outcome } from "./outcome.ts";
import type { Remains } from "./ports.ts";
import type { Skill } from "./skill.ts";
import type {
  Hold,
  HoldReason,
  HostRecord,
  PoolStatus,
  ProcessIdentity,
  RunRecord,
  SlotConfig,
  SlotRecord,
  SlotState,
  TaskFilter,
  TaskRecord,
  TaskSpec,
  TaskState,
} from "./task.ts";

/** A validated spec with what the pool adds to it. */
export interface NewTask {
  readonly id: string;
  readonly spec: TaskSpec;
  /** Set by an attached run: only this host's slots, and those of `serve`, library and mcp hosts, take the task. */
  readonly originHost?: string;
  /** Default `task`. */
  readonly kind?: "task" | "route";
}

/** A checked chain: `spec.steps` have their skills read in. */
export interface NewChain {
  readonly id: string;
  readonly spec: ChainSpec;
  readonly originHost?: string;
  /** `chain resume`: the chain that failed, and how many of its steps, from the first, are taken over as they ended. */
  readonly resumedFrom?: { readonly chainId: string; readonly steps: readonly string[] };
}

export interface Submitted {
  readonly record: TaskRecord;
  /** True: the key was known, and this is the task of then. */
  readonly existing: boolean;
}

/** A task and a slot that met: the task is running under `runId`, money is reserved, the ledger has its row. */
export interface Lease {
  readonly task: TaskRecord;
  readonly runId: string;
  readonly slotId: string;
  readonly reservedMicrodollars: number;
  /** The first run after a usage limit: its first answer opens the pool (N2 of core/governor.ts). */
  readonly isProbe?: boolean;
  /** The shared context as it was then; read once for all leases of a transaction. */
  readonly context: ReadonlyMap<string, string>;
  /** Did any message wait then, for anybody? Without one, the run need not look for its own. */
  readonly messagesWait: boolean;
}

/** What a host asks of each transaction: which of its slots are free, and which of them a task should get. */
export interface DispatchHook {
  /** Free slots, the longest idle first; empty: no lease is looked for. */
  freeSlots(): readonly string[];
  /** The best of `free` for this task (never empty): a warm process that fits, else the first. */
  choose(task: TaskRecord, free: readonly string[]): string;
  /** Called after the commit, once per transaction that leased anything. Must not throw. */
  leased(leases: readonly Lease[]): void;
}

/** What a finished run tells the records. */
export interface Finish {
  readonly taskId: string;
  readonly runId: string;
  readonly outcome: Outcome;
  /** The conversation's directory, kept with its id on the slot. */
  readonly cwd: string;
  /** A requeued task (`lost`, `limited`) waits so. */
  readonly hold?: Hold;
  /** `lost` only: fail instead of requeue, because its process died too often. */
  readonly giveUp?: boolean;
  /** `lost` only: false when the host itself cut the run short, so that it does not count into `lostRuns`. Default true. */
  readonly countsAsLost?: boolean;
  /** `lost` only: the conversation in which the next run goes on; an earlier one stays if this is absent. */
  readonly resumeSessionId?: string;
  /** Ids of the messages that the model was given. */
  readonly messages?: readonly string[];
}

export interface ListPage {
  readonly tasks: readonly TaskRecord[];
  /** Pass as `after` for the next page; absent on the last. */
  readonly next?: number;
}

export interface Records {
  // Tasks -----------------------------------------------------------------------------------------------------------
  /**
   * Admits tasks, all or none of this call.
   *
   * @throws {PoolError} `pool_shutdown`, `budget_exhausted`, `task_budget_exceeds_remaining`, `key_conflict`.
   */
  submit(tasks: readonly NewTask[]): Promise<readonly Submitted[]>;
  get(id: string): Promise<TaskRecord | undefined>;
  getMany(ids: readonly string[]): Promise<readonly TaskRecord[]>;
  /** The states of those that exist. */
  states(ids: readonly string[]): Promise<ReadonlyMap<string, TaskState>>;
  /** Ids that begin with this text, at most `limit`. */
  idsLike(prefix: string, limit: number): Promise<readonly string[]>;
  /** Newest first unless `order` says otherwise; `after` is the `next` of the page before. */
  list(
    filter: TaskFilter,
    page: { readonly limit: number; readonly after?: number; readonly order?: "newest" | "oldest" },
  ): Promise<ListPage>;
  runs(taskId: string): Promise<readonly RunRecord[]>;
  /**
   * Pending or in review: cancelled in this transaction. Running: the request is written and its host obeys.
   * Terminal: nothing. Resolves to the record after the write.
   *
   * @throws {PoolError} `task_not_found`.
   */
  cancel(id: string): Promise<TaskRecord>;

  // Chains and reviews ----------------------------------------------------------------------------------------------
  /**
   * Admits a chain: its own row (running, without a slot), its steps, and the tasks of those that can start.
   *
   * @throws {PoolError} as `submit`.
   */
  submitChain(chain: NewChain): Promise<TaskRecord>;
  /** @returns undefined for a task that is no chain, or none at all. */
  chain(id: string): Promise<ChainProgress | undefined>;
  chainSpec(id: string): Promise<ChainSpec | undefined>;
  /** Newest first, without what the steps answered. */
  listChains(page: { readonly limit: number; readonly after?: number }): Promise<readonly ChainProgress[]>;
  /** Completes a task in review. @throws {PoolError} `task_not_found`, `invalid_transition`. */
  approve(id: string): Promise<TaskRecord>;
  /**
   * Sends a task in review back to the queue with feedback, or fails it at the limit; resolves to what it became.
   *
   * @throws {PoolError} `task_not_found`, `invalid_transition`, and what admission refuses (shutdown, budget).
   */
  reject(id: string, feedback: string): Promise<TaskRecord>;

  // Messages --------------------------------------------------------------------------------------------------------
  /**
   * Puts a message into each inbox, or into every live slot's but the sender's; all of them or none.
   *
   * @throws {PoolError} `slot_not_found` for a party that is no live slot nor `coordinator`; `invalid_options` for the text;
   *   `inbox_full`.
   */
  sendMessage(from: string, to: readonly string[] | "slots", content: string): Promise<readonly string[]>;
  /** In order. Reading empties the inbox, peeking leaves it. @throws {PoolError} `slot_not_found`. */
  readMessages(recipient: string, how: "read" | "peek"): Promise<readonly PoolMessage[]>;
  countMessages(recipient: string): Promise<number>;
  /** What a starting run is given; it leaves the inbox when `Finish.messages` names it. */
  deliverMessages(slotId: string): Promise<readonly PoolMessage[]>;

  // Governor, claims, metrics, skills -------------------------------------------------------------------------------
  governor(): Promise<GovernorState>;
  /** The API answered this run; of the probe after a usage limit that is what opens the pool. */
  noteAnswer(runId: string): Promise<void>;
  /** The API answered a run with 429 or 529. */
  noteOverload(): Promise<void>;
  /** What a subscription said of its window: use from 0 to 1. */
  noteUtilization(utilization: number, resetsAtMs: number | undefined): Promise<void>;
  /** A host opens no process for want of memory, or does so again. */
  noteMemory(hostId: string, isStarved: boolean): Promise<void>;
  /** Opens a pool that a limit or an overload holds back, whatever was heard of them. */
  releaseGovernor(): Promise<void>;
  /**
   * Leases the next pending task to a slot with `pull`, by all rules of dispatch; its host, which may be another process,
   * hears of it by the event. undefined: nothing fits.
   *
   * @throws {PoolError} `slot_not_found`, `slot_state` if it is not idle, `invalid_options` without `pull`, `pool_shutdown`.
   */
  claim(slotId: string): Promise<Lease | undefined>;
  /** Sets or changes the cap of a scope, which goes on counting; `undefined` removes it with what it counted. */
  setScopeBudget(scope: string, capMicrodollars: number | undefined): Promise<void>;
  scopeBudgets(): Promise<readonly ScopeBudget[]>;
  /** Without a filter from maintained aggregates since `sessionStartMs`; with one from indexed queries. */
  metrics(sessionStartMs: number, filter: MetricsFilter): Promise<SessionMetrics>;
  /** What runs like this one cost and took, from the record. */
  forecast(like: RunLike): Promise<Forecast>;
  /** Skills that were added at run time, for every process of the pool. */
  runtimeSkills(): Promise<readonly Skill[]>;
  putSkill(skill: Skill): Promise<void>;
  deleteSkill(name: string): Promise<boolean>;

  // Dispatch --------------------------------------------------------------------------------------------------------
  /** Installs the host's hook; from now on every transaction ends with the leases of what runs next. */
  setDispatcher(hostId: string, ownTasksOnly: boolean, hook: DispatchHook | undefined): void;
  /** Runs a transaction for the hook alone, if none is due anyway. */
  dispatch(): Promise<void>;
  /** Commits the end of a run; undefined: the run had lost its task and committed nothing (C3). Frees the slot in the same transaction. */
  finish(finish: Finish): Promise<TaskRecord | undefined>;
  /** Microdollars granted to a run that reached its reservation; 0: nothing is left. */
  growReservation(runId: string): Promise<number>;
  /** Running tasks of a host with a cancel request. */
  cancelRequests(hostId: string): Promise<readonly string[]>;
  /** Releases every hold that is over at this time, and fails pending tasks past their queue deadline (`no_slot_available`). */
  sweep(): Promise<void>;
  /** When the next hold or queue deadline is over; undefined: none. */
  nextDeadlineMs(): Promise<number | undefined>;
  releaseHolds(reason: HoldReason): Promise<void>;
  /** Fails the pending tasks of one origin (only those so held, if `hold` is given); resolves to their ids. */
  failPending(originHost: string, reason: EndReason, error: string, hold?: HoldReason): Promise<readonly string[]>;

  // Hosts and slots -------------------------------------------------------------------------------------------------
  startHost(host: HostRecord): Promise<void>;
  /** False: the host was taken for dead and has lost its tasks and slots. */
  renewHost(hostId: string, leaseUntilMs: number): Promise<boolean>;
  /** Those that have not ended: the others stay in the store until they are pruned, and cost nothing here. */
  hosts(): Promise<readonly HostRecord[]>;
  /** Slots become stopped; running tasks, if any are left, go back to pending. */
  endHost(hostId: string): Promise<void>;
  /** True: this host alone now recovers that dead one. Holds for one recovering host at a time; a dead recoverer loses it. */
  claimRecovery(deadHostId: string, byHostId: string): Promise<boolean>;
  runningOf(hostId: string): Promise<readonly { readonly task: TaskRecord; readonly run: RunRecord }[]>;
  /** Closes a dead host's run as `lost` and puts its task back, with the conversation to go on in if there is one. */
  recoverRun(runId: string, remains: Remains, estimateMicrodollars: number): Promise<void>;
  addSlots(hostId: string, configs: readonly SlotConfig[]): Promise<readonly SlotRecord[]>;
  /** Those that are not stopped, or all that have not been pruned. */
  slots(which?: "all"): Promise<readonly SlotRecord[]>;
  /** Settings that are not given stay. */
  updateSlot(
    id: string,
    patch: {
      readonly state?: SlotState;
      readonly config?: SlotConfig;
      readonly process?: ProcessIdentity | null;
      readonly error?: string | null;
      /** `errored` only: told with the event. */
      readonly failures?: number;
      readonly restartAtMs?: number;
    },
  ): Promise<SlotRecord>;
  /** An errored slot takes work again; its host hears of it by the event. @throws {PoolError} `slot_not_found`, `slot_state`. */
  restartSlot(id: string, by: "hand" | "supervisor"): Promise<SlotRecord>;
  /** Resolves to the number that `target` made of the present one. @throws {PoolError} `no_host`, and what `target` throws. */
  setTargetSlots(hostId: string, target: (present: number) => number, by?: "auto"): Promise<number>;

  // Money -----------------------------------------------------------------------------------------------------------
  budget(): Promise<BudgetState>;
  /** Stores a cap and starts counting; the same cap again changes nothing. `undefined` removes it. */
  setBudget(capMicrodollars: number | undefined, renews: "none" | "day" | "week"): Promise<BudgetState>;
  resetBudget(): Promise<BudgetState>;
  /** Estimated cost of one run in microdollars, from the maintained aggregates; a fixed guess without history. */
  estimate(): Promise<number>;

  // Context, events, state of the pool -------------------------------------------------------------------------------
  context(): Promise<ReadonlyMap<string, string>>;
  setContext(key: string, value: string): Promise<void>;
  deleteContext(key: string): Promise<boolean>;
  /** Writes events that go with no other change (text as it comes). */
  append(events: readonly NewEvent[]): Promise<void>;
  /** Events after a cursor, oldest first. */
  events(after: number, limit: number, taskId?: string): Promise<readonly PoolEvent[]>;
  lastEventSeq(): Promise<number>;
  /**
   * Calls back with every event in order, this process's and others', from now on or from a cursor; the function
   * returned ends it. Others' writes are noticed within tens of milliseconds.
   */
  follow(listener: (events: readonly PoolEvent[]) => void, after?: number): () => void;
  /** Calls back after another process has committed something. */
  onForeignChange(listener: () => void): () => void;
  status(): Promise<PoolStatus>;
  setShutdown(shutdown: boolean): Promise<void>;
  /** Cancels every pending task (or those of one origin); resolves to their ids. */
  cancelPending(originHost?: string): Promise<readonly string[]>;
  /** Removes terminal tasks that ended before this time, with their runs and events; money totals stay. */
  prune(beforeMs: number): Promise<{ readonly tasks: number; readonly events: number }>;
  /** Every record as one JSON object a line, in wire names; what `importLines` reads. */
  exportLines(): AsyncIterable<string>;
  /** Reads an export into an empty pool, in one transaction. @throws {PoolError} `invalid_import`. */
  importLines(lines: AsyncIterable<string>): Promise<{ readonly tasks: number; readonly runs: number }>;
  close(): Promise<void>;
}
