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
import type { Holder } from "./activity-port.ts";
import type { BudgetState, ScopeBudget } from "./budget.ts";
import type { ChainProgress, ChainSpec } from "./chain.ts";
import type { NewEvent, PoolEvent } from "./events.ts";
import type { Forecast, RunLike } from "./forecast.ts";
import type { GovernorState } from "./governor.ts";
import type { PoolMessage } from "./message.ts";
import type { MetricsFilter, SessionMetrics } from "./metrics.ts";
import type { MergeEnd, MergeRecord, MergeRequest, MergeState } from "./merge.ts";
import type { EndReason, Outcome } from "./outcome.ts";
import type { NewRequest, PermissionRule, PoolRequest, RequestAnswer, WorkerProgress } from "./permission.ts";
import type { Decision } from "./permission-rule.ts";
import type { Remains } from "./runner-port.ts";
import type { Skill } from "./skill.ts";
import type { Attempt, Delivery, NewWebhook, Notice, WebhookRecord } from "./webhook.ts";
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
} from "./task.ts";
import type { ProcessOwner } from "./process-owner.ts";
import type { TraceContext } from "./trace-context.ts";
import type { Place, TaskWorkspace, WorkspaceStart } from "./workspace.ts";

/** A validated spec with what the pool adds to it. */
export interface NewTask {
  readonly id: string;
  readonly spec: TaskSpec;
  /** Set by an attached run: only this host's slots, and those of `serve`, library and mcp hosts, take the task. */
  readonly originHost?: string;
  /** Default `task`. */
  readonly kind?: "task" | "route";
  /** How many tasks deep it is submitted by workers; default 0. */
  readonly depth?: number;
  /** The run whose worker submits it, which must still hold its task, and how many tasks one task may submit so. */
  readonly parent?: { readonly taskId: string; readonly runId: string; readonly maxTasks: number };
  /** The idempotency key of the whole call, if it has one: this task's own is that and its place in the call. */
  readonly callKey?: string;
  /** Whoever asked for it counts it as a part of this. */
  readonly trace?: TraceContext;
}

/** A checked chain: `spec.steps` have their skills read in. */
export interface NewChain {
  readonly id: string;
  readonly spec: ChainSpec;
  readonly originHost?: string;
  /** `chain resume`: the chain that failed, and how many of its steps, from the first, are taken over as they ended. */
  readonly resumedFrom?: {
    readonly chainId: string;
    readonly steps: readonly string[];
    /** Where those steps worked, and the commit that they left as what is saved: the new chain goes on from it. */
    readonly workspace?: TaskWorkspace;
  };
  /** For its steps too. */
  readonly trace?: TraceContext;
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
  /** What was saved of the run's work, with what its checks said. */
  readonly workspace?: TaskWorkspace;
  /** How often failed checks (reason `checks`) send the task back with their output; default 0. */
  readonly checkRetries?: number;
  /** `completed` only: it waits in review for this merge, which completes it (G4 of merge.ts). */
  readonly merge?: MergeRequest;
}

/** Who needs a directory to work in. */
export interface PlaceRequest {
  readonly kind: Place["kind"];
  readonly repository: string;
  /** A slot's worktree, or that of a chain or of a task with a clone of its own. */
  readonly holder: { readonly slotId: string } | { readonly taskId: string };
  readonly pathOf: (number: number) => string;
  /** Of the free ones this path is taken first: the task's work stands there. */
  readonly prefer?: string;
}

export interface MergeFilter {
  readonly taskId?: string;
  readonly state?: MergeState | readonly MergeState[];
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
  /** Of those that exist: is it over, or in review with no merge under way that will complete it? */
  settled(ids: readonly string[]): Promise<ReadonlyMap<string, boolean>>;
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
   * Admits chains, all or none: for each its own row (running, without a slot), its steps, and the tasks of those that can
   * start. No two of them may have the same key.
   *
   * @throws {PoolError} as `submit`.
   */
  submitChains(chains: readonly NewChain[]): Promise<readonly TaskRecord[]>;
  /** @returns undefined for a task that is no chain, or none at all. */
  chain(id: string): Promise<ChainProgress | undefined>;
  chainSpec(id: string): Promise<ChainSpec | undefined>;
  /** Newest first, without what the steps answered. */
  listChains(page: { readonly limit: number; readonly after?: number }): Promise<readonly ChainProgress[]>;
  /**
   * Completes a task in review; with a merge it stays there until that has landed (G4 of merge.ts).
   *
   * @throws {PoolError} `task_not_found`, `invalid_transition`, `nothing_to_merge`.
   */
  approve(id: string, merge?: MergeRequest): Promise<TaskRecord>;
  /**
   * Sends a task in review back to the queue with feedback, or fails it at the limit; resolves to what it became. `start`:
   * where its next attempt in a workspace begins, default with the work that was rejected.
   *
   * @throws {PoolError} `task_not_found`, `invalid_transition`, and what admission refuses (shutdown, budget).
   */
  reject(id: string, feedback: string, start?: WorkspaceStart): Promise<TaskRecord>;

  // Messages --------------------------------------------------------------------------------------------------------
  /**
   * Puts a message into each inbox, or into every live slot's but the sender's; all of them or none.
   *
   * @throws {PoolError} `slot_not_found` for a party that is no live slot nor `coordinator`; `invalid_options` for the text;
   *   `inbox_full`; `run_over` where a run sends it that does not hold its task any more.
   */
  sendMessage(
    from: string,
    to: readonly string[] | "slots",
    content: string,
    runId?: string,
  ): Promise<readonly string[]>;
  /** In order. Reading empties the inbox (or takes the first `limit` out of it), peeking leaves it. @throws {PoolError} `slot_not_found`. */
  readMessages(recipient: string, how: "read" | "peek", limit?: number): Promise<readonly PoolMessage[]>;
  countMessages(recipient: string): Promise<number>;
  /** What a starting run is given; it leaves the inbox when `Finish.messages` names it. */
  deliverMessages(slotId: string): Promise<readonly PoolMessage[]>;

  // Requests of running tasks --------------------------------------------------------------------------------------
  /** Writes a request; what a rule covers comes back answered. @throws {PoolError} `run_over` (A1 of core/permission.ts). */
  askRequest(ask: NewRequest): Promise<PoolRequest>;
  /** Answers an open request, once. @throws {PoolError} `request_not_found`, `request_over`, `invalid_options` for the rule. */
  answerRequest(id: string, answer: RequestAnswer): Promise<PoolRequest>;
  /** Open ones, in order; with `all` every one that is kept, the newest first. */
  requests(filter: {
    readonly all?: boolean;
    readonly taskId?: string;
    readonly limit: number;
  }): Promise<readonly PoolRequest[]>;
  request(id: string): Promise<PoolRequest | undefined>;
  permissionRules(): Promise<readonly PermissionRule[]>;
  /** Also answers what is open and covered by it. @throws {PoolError} `invalid_options`. */
  addPermissionRule(rule: string, decision: Decision): Promise<PermissionRule>;
  /** By id or text. @throws {PoolError} `rule_not_found`. */
  revokePermissionRule(which: string): Promise<readonly PermissionRule[]>;
  /** What a worker says of its progress. @throws {PoolError} `run_over`. */
  noteProgress(progress: WorkerProgress): Promise<void>;

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

  // Workspaces and merges -------------------------------------------------------------------------------------------
  /** In the names of this pool's branches and directories: chosen once, when the store is made. */
  readonly poolId: string;
  /** The place that this holder has, else one of the repository that no living slot and no unfinished task holds, else a new one. */
  takePlace(request: PlaceRequest): Promise<Place>;
  /** Every place, with who holds it now: a stopped slot and a finished task hold none. */
  places(): Promise<readonly Place[]>;
  /** Forgets a place, before its directory is removed; false: somebody holds it. Its number is never used again. */
  dropPlace(number: number): Promise<boolean>;
  /** Notes a task's or chain's workspace; with a run only as long as that holds the task. Resolves to whether it was. */
  noteWorkspace(taskId: string, workspace: TaskWorkspace, runId?: string): Promise<boolean>;
  /**
   * Puts work into the merge queue; the open merge of the task, if it has one for this target.
   *
   * @throws {PoolError} `task_not_found`, `nothing_to_merge`, `invalid_transition` for a task that is not done.
   */
  requestMerge(request: MergeRequest): Promise<MergeRecord>;
  /** The next merge in order whose target nobody merges into (G1), now this holder's; a dead holder's (as `isDead` says) comes first. */
  takeMerge(holder: ProcessOwner, isDead: (holder: ProcessOwner) => boolean): Promise<MergeRecord | undefined>;
  /** The end of a merge, and of a task in review what follows of it: completed (G4), back to the queue, or still in review. */
  endMerge(id: string, end: MergeEnd): Promise<MergeRecord>;
  /** Its holder gives it back undone: it waits in its place again. */
  releaseMerge(id: string): Promise<void>;
  /** A queued merge is cancelled; one under way is not. @throws {PoolError} `merge_not_found`, `invalid_transition`. */
  cancelMerge(id: string): Promise<MergeRecord>;
  noteUndone(id: string): Promise<MergeRecord>;
  /** @throws {PoolError} `merge_not_found`. */
  merge(id: string): Promise<MergeRecord>;
  /** Newest first. */
  merges(filter: MergeFilter, limit: number): Promise<readonly MergeRecord[]>;

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
  /** Pending tasks that a claim of another holds back, as they would be leased, at most so many; those behind `after`, if given. */
  heldByClaims(limit: number, after?: Pick<TaskRecord, "priority" | "seq">): Promise<readonly TaskRecord[]>;
  /** Ends the hold of one task, if it is of this reason still. */
  releaseHold(taskId: string, reason: HoldReason): Promise<void>;
  /** Says of a task that is held by a claim whose that is. From then on its hold lasts as long as it may wait for claims. */
  noteHold(taskId: string, holder: Holder): Promise<void>;
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
  /** `hasWorked`: the run got so far that what stands in the task's workspace is its own. */
  runningOf(
    hostId: string,
  ): Promise<readonly { readonly task: TaskRecord; readonly run: RunRecord; readonly hasWorked: boolean }[]>;
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

  // Webhooks --------------------------------------------------------------------------------------------------------
  /** It is told of what comes from now on. */
  addWebhook(webhook: NewWebhook): Promise<WebhookRecord>;
  webhooks(): Promise<readonly WebhookRecord[]>;
  /** With its secret, to sign with. */
  webhookTarget(id: string): Promise<Delivery["webhook"] | undefined>;
  /** With the deliveries that wait; false: there was none. */
  removeWebhook(id: string): Promise<boolean>;
  /**
   * Takes or renews the right to deliver; resolves to the event up to which deliveries are written, or undefined: another has
   * it, whose time is not over and who, as `isGone` says, lives.
   */
  holdCourier(holder: string, untilMs: number, isGone?: (holder: string) => boolean): Promise<number | undefined>;
  leaveCourier(holder: string): Promise<void>;
  /** Writes the deliveries that follow of events up to `upTo`; false: the right to deliver was lost, and nothing was written. */
  writeDeliveries(holder: string, upTo: number, notices: readonly Notice[]): Promise<boolean>;
  /** Those that are due now, the longest due first. */
  dueDeliveries(limit: number): Promise<readonly Delivery[]>;
  /** When the next is due; undefined: none waits. */
  nextDeliveryMs(): Promise<number | undefined>;
  noteAttempts(attempts: readonly Attempt[]): Promise<void>;

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
  /** Events after a cursor, oldest first; of one task, if it is named; of a chain `withSteps` those of its steps too. */
  events(after: number, limit: number, taskId?: string, withSteps?: boolean): Promise<readonly PoolEvent[]>;
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
