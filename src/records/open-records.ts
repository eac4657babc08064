/** Joins the parts of the records; every method is one line, and every writing one goes through the group commit. */
import { PoolError } from "../core/errors.ts";
import type { Clock, Sql } from "../core/ports.ts";
import type { Finish, Lease, Records } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";
import { appendEvents } from "./append.ts";
import { cancelPending, cancelTask, failPending } from "./cancel.ts";
import { type Change, poolOf, poolQuery } from "./change.ts";
import { contextOf, deleteContext, setContext } from "./context.ts";
import { exportLines } from "./export.ts";
import { eventFeed } from "./feed.ts";
import { finish } from "./finish.ts";
import { groupCommit, type Write } from "./group-commit.ts";
import { nextDeadlineQuery, releaseHolds, sweep } from "./holds.ts";
import { claimRecovery, endHost, recoverRun, renewHost, runningOf, setTargetSlots, startHost } from "./hosts.ts";
import { importAll, parseLines } from "./import.ts";
import { type Dispatcher, leaseTasks } from "./lease.ts";
import { migrate } from "./migrations.ts";
import { budgetOf, estimateOf, growReservation, renewBudget, resetBudget, setBudget } from "./money.ts";
import { pruneAtOnce, pruneHosts, pruneStep } from "./prune.ts";
import { eventsAfter, getMany, idsLike, lastEventSeq, listTasks, runsOf, statusOf } from "./query.ts";
import { hostOf, slotOf } from "./rows.ts";
import { addSlots, updateSlot } from "./slots.ts";
import { submit } from "./submit.ts";

export interface OpenRecordsOptions {
  /** Belongs to the records from now on: `close` closes it. */
  readonly sql: Sql;
  readonly clock: Clock;
  /** How often others' commits are looked for while somebody follows, in milliseconds. Default 25. */
  readonly pollMs?: number;
}

/**
 * Opens the records in a database, and makes their tables if it has none.
 *
 * @throws {PoolError} `store_*`.
 * @example const records = await openRecords({ sql: await openSqlite(":memory:"), clock });
 */
export async function openRecords({ sql, clock, pollMs = 25 }: OpenRecordsOptions): Promise<Records> {
  await migrate(sql);
  const feed = eventFeed(sql, pollMs);
  const dispatch = dispatching();
  const commits = groupCommit({
    sql,
    clock,
    before: renewBudget,
    lease: dispatch.lease,
    leased: dispatch.leased,
    committed: feed.committed,
  });
  let closing: Promise<void> | undefined;

  function write<T>(body: Write<T>): Promise<T> {
    if (closing !== undefined) return Promise.reject(poolClosed());
    return commits.write(body);
  }
  async function close(): Promise<void> {
    await commits.settled();
    await feed.close();
    await sql.close();
  }
  async function prune(beforeMs: number): Promise<{ readonly tasks: number; readonly events: number }> {
    let [tasks, events] = [0, 0];
    for (;;) {
      const step = await write((change) => pruneStep(change, beforeMs));
      tasks += step.tasks;
      events += step.events;
      // A step that removed less than it may of both kinds has come to the end.
      if (step.tasks < pruneAtOnce && step.events < pruneAtOnce) break;
    }
    await write((change) => pruneHosts(change, beforeMs));
    return { tasks, events };
  }

  return {
    submit: (tasks) => write((change) => submit(change, tasks)),
    get: async (id) => (await getMany(sql, [id]))[0],
    getMany: (ids) => getMany(sql, ids),
    idsLike: (prefix, limit) => idsLike(sql, prefix, limit),
    list: (filter, page) => listTasks(sql, filter, page),
    runs: (taskId) => runsOf(sql, taskId),
    cancel: (id) => write((change) => cancelTask(change, id)),

    setDispatcher(hostId, ownTasksOnly, hook) {
      dispatch.set(hook === undefined ? undefined : { hostId, ownTasksOnly, hook });
    },
    dispatch: () => write(() => undefined),
    finish: (end) => {
      dispatch.finishing(end);
      return write((change) => finish(change, end, dispatch.finished(end)));
    },
    growReservation: (runId) => write((change) => growReservation(change, runId)),
    async cancelRequests(hostId) {
      const rows = await sql.all(
        `SELECT id FROM task INDEXED BY task_running
          WHERE state = 'running' AND host_id = ? AND cancel_requested_at_ms IS NOT NULL ORDER BY seq`,
        [hostId],
      );
      return rows.map((row) => String(row.id));
    },
    sweep: () => write(sweep),
    async nextDeadlineMs() {
      const [row] = await sql.all(nextDeadlineQuery);
      return row === undefined || row.at === null ? undefined : Number(row.at);
    },
    releaseHolds: (reason) => write((change) => releaseHolds(change, reason)),
    failPending: (originHost, reason, error, hold) =>
      write((change) => failPending(change, originHost, reason, error, hold)),

    startHost: (host) => write((change) => startHost(change, host)),
    renewHost: (hostId, leaseUntilMs) => write((change) => renewHost(change, hostId, leaseUntilMs)),
    hosts: async () => (await sql.all("SELECT * FROM host ORDER BY started_at_ms, id")).map(hostOf),
    endHost: (hostId) => write((change) => endHost(change, hostId)),
    claimRecovery: (deadHostId, byHostId) => write((change) => claimRecovery(change, deadHostId, byHostId)),
    runningOf: (hostId) => runningOf(sql, hostId),
    recoverRun: (runId, remains, estimate) => write((change) => recoverRun(change, runId, remains, estimate)),
    addSlots: (hostId, configs) => write((change) => addSlots(change, hostId, configs)),
    slots: async () => (await sql.all("SELECT * FROM slot ORDER BY number")).map(slotOf),
    updateSlot: (id, patch) => write((change) => updateSlot(change, id, patch)),
    setTargetSlots: (hostId, target) => write((change) => setTargetSlots(change, hostId, target)),

    budget: async () => budgetOf(poolOf((await sql.all(poolQuery))[0]), clock.now()),
    setBudget: (cap, renews) => write((change) => setBudget(change, cap, renews)),
    resetBudget: () => write(resetBudget),
    estimate: async () => estimateOf(poolOf((await sql.all(poolQuery))[0])),

    context: () => contextOf(sql),
    setContext: (key, value) => write((change) => setContext(change, key, value)),
    deleteContext: (key) => write((change) => deleteContext(change, key)),
    append: (events) => write((change) => appendEvents(change, events)),
    events: (after, limit, taskId) => eventsAfter(sql, after, limit, taskId),
    lastEventSeq: () => lastEventSeq(sql),
    follow: (listener, after) => feed.follow(listener, after),
    onForeignChange: (listener) => feed.onForeignChange(listener),
    status: () => statusOf(sql, clock.now()),
    setShutdown: (shutdown) => write((change) => setShutdown(change, shutdown)),
    cancelPending: (originHost) => write((change) => cancelPending(change, originHost)),
    prune,
    exportLines: () => exportLines(sql),
    async importLines(lines) {
      const parsed = await parseLines(lines);
      return write((change) => importAll(change, parsed));
    },
    close: () => (closing ??= close()),
  };
}

/** The host's hook, and which of its slots have a run whose end is queued but not yet written. */
function dispatching(): {
  set(dispatcher: Dispatcher | undefined): void;
  lease(change: Change): Promise<readonly Lease[]>;
  leased(leases: readonly Lease[]): void;
  finishing(end: Finish): void;
  /** The task as it was leased, if this process did that. */
  finished(end: Finish): TaskRecord | undefined;
} {
  let dispatcher: Dispatcher | undefined;
  const leaseOf = new Map<string, Lease>();
  const leaving = new Set<string>();
  return {
    set(next) {
      dispatcher = next;
    },
    async lease(change) {
      if (dispatcher === undefined) return [];
      // A host calls a slot free when it hands in its run; while that waits for the next transaction, the slot does too.
      const free = dispatcher.hook.freeSlots().filter((id) => !leaving.has(id));
      return leaseTasks(change, dispatcher, free);
    },
    leased(leases) {
      for (const lease of leases) leaseOf.set(lease.runId, lease);
      dispatcher?.hook.leased(leases);
    },
    finishing({ runId }) {
      const lease = leaseOf.get(runId);
      if (lease !== undefined) leaving.add(lease.slotId);
    },
    finished({ runId, taskId }) {
      const lease = leaseOf.get(runId);
      if (lease === undefined) return undefined;
      leaving.delete(lease.slotId);
      leaseOf.delete(runId);
      return lease.task.id === taskId ? lease.task : undefined;
    },
  };
}

function setShutdown({ pool, emit }: Change, shutdown: boolean): void {
  if ((pool.shutdown === 1) === shutdown) return;
  pool.shutdown = shutdown ? 1 : 0;
  emit({ type: shutdown ? "pool.draining" : "pool.opened", data: {} });
}

function poolClosed(): PoolError {
  return new PoolError("pool_closed", "The pool is closed. Open it again with `openPool`.");
}

