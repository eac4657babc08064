/** Joins the parts of the records; every method is one line, and every writing one goes through the group commit. */
import { poolClosed } from "../core/errors.ts";
import { defaultConfig } from "../core/config.ts";
import type { GovernorSettings } from "../core/governor.ts";
import type { Clock, Sql } from "../core/ports.ts";
import type { Records } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";
import { appendEvents } from "./append.ts";
import { cancelPending, cancelRequests, cancelTask, failPending } from "./cancel.ts";
import { followSteps } from "./chain-advance.ts";
import { chainProgress, listChains } from "./chain-query.ts";
import { specOfChain } from "./chain-rows.ts";
import { submitChains } from "./chains.ts";
import { type Change, poolOf, poolQuery } from "./change.ts";
import { claim, restartSlot } from "./claim.ts";
import { contextOf, deleteContext, setContext } from "./context.ts";
import { exportLines } from "./export.ts";
import { dispatching } from "./dispatching.ts";
import { eventFeed } from "./feed.ts";
import { finish } from "./finish.ts";
import { forecast } from "./forecast.ts";
import {
  governorOf,
  nextGovernorMs,
  noteAnswer,
  noteMemory,
  noteOverload,
  noteUtilization,
  releaseGovernor,
} from "./governor.ts";
import { groupCommit } from "./group-commit.ts";
import { heldByClaims, nextDeadlineMs, noteHold, releaseHold, releaseHolds, sweep } from "./holds.ts";
import { claimRecovery, endHost, recoverRun, renewHost, runningOf, setTargetSlots, startHost } from "./hosts.ts";
import { importAll } from "./import.ts";
import { parseLines } from "./import-lines.ts";
import { countMessages, messagesFor, peekMessages, readMessages, sendMessage } from "./messages.ts";
import { metrics } from "./metrics.ts";
import { migrate } from "./migrations.ts";
import { budgetOf, estimateOf, growReservation, renewBudget, resetBudget, setBudget } from "./money.ts";
import { prune } from "./prune.ts";
import { eventsAfter, getMany, idsLike, lastEventSeq, listTasks, runsOf, settled, shown, statusOf } from "./query.ts";
import { approve, reject } from "./review.ts";
import { hostOf, slotOf } from "./rows.ts";
import { scopeBudgets, setScopeBudget } from "./scopes.ts";
import { deleteSkill, putSkill, runtimeSkills } from "./skills.ts";
import { addSlots, updateSlot } from "./slots.ts";
import type { Parts } from "./record-parts.ts";
import { requestMethods, webhookMethods } from "./request-methods.ts";
import { submit } from "./submit.ts";
import { workspaceMethods } from "./workspace-methods.ts";

export interface OpenRecordsOptions {
  /** Belongs to the records from now on: `close` closes it. */
  readonly sql: Sql;
  readonly clock: Clock;
  /** Default: none is kept back, and a ramp of 5 s a step. */
  readonly governor?: GovernorSettings;
  /** How often others' commits are looked for while somebody follows, in milliseconds. Default 25. */
  readonly pollMs?: number;
}

/**
 * Opens the records in a database, and makes their tables if it has none.
 *
 * @throws {PoolError} `store_*`.
 * @example const records = await openRecords({ sql: await openSqlite(":memory:"), clock });
 */
export async function openRecords({
  sql,
  clock,
  governor = defaultConfig,
  pollMs = 25,
}: OpenRecordsOptions): Promise<Records> {
  await migrate(sql);
  const [pool] = await sql.all("SELECT pool_id FROM pool");
  const feed = eventFeed(sql, pollMs);
  const dispatch = dispatching();
  const { lease, leased } = dispatch;
  const commits = groupCommit({
    sql,
    clock,
    governor,
    before: renewBudget,
    follow: followSteps,
    lease,
    leased,
    committed: feed.committed,
  });
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await commits.settled();
    await feed.close();
    await sql.close();
  }
  const parts: Parts = {
    sql,
    clock,
    governor,
    feed,
    dispatch,
    write: (body) => (closing === undefined ? commits.write(body) : Promise.reject(poolClosed())),
  };
  return {
    ...taskMethods(parts),
    ...chainMethods(parts),
    ...dispatchMethods(parts),
    ...hostMethods(parts),
    ...moneyMethods(parts),
    ...governorMethods(parts),
    ...eventMethods(parts),
    ...messageMethods(parts),
    ...webhookMethods(parts),
    ...requestMethods(parts),
    ...poolMethods(parts),
    ...workspaceMethods(parts),
    poolId: String(pool?.pool_id),
    close: () => (closing ??= close()),
  };
}

// What has ended stays in its table until it is pruned: only the partial indexes of the living are read.
const liveHostsQuery = "SELECT * FROM host INDEXED BY host_live WHERE state <> 'ended' ORDER BY started_at_ms, id";
const liveSlotsQuery = "SELECT * FROM slot INDEXED BY slot_live WHERE state <> 'stopped' ORDER BY number";
const allSlotsQuery = "SELECT * FROM slot ORDER BY number";

function taskMethods({ sql, clock, governor, write }: Parts) {
  const show = (tasks: readonly TaskRecord[]): Promise<readonly TaskRecord[]> =>
    shown(sql, tasks, clock.now(), governor);
  return {
    submit: (tasks) => write((change) => submit(change, tasks)),
    get: async (id) => (await show(await getMany(sql, [id])))[0],
    getMany: async (ids) => show(await getMany(sql, ids)),
    settled: (ids) => settled(sql, ids),
    idsLike: (prefix, limit) => idsLike(sql, prefix, limit),
    list: async (filter, page) => {
      const answer = await listTasks(sql, filter, page);
      return { ...answer, tasks: await show(answer.tasks) };
    },
    runs: (taskId) => runsOf(sql, taskId),
    cancel: (id) => write((change) => cancelTask(change, id)),
    cancelPending: (originHost) => write((change) => cancelPending(change, originHost)),
    failPending: (originHost, reason, error, hold) =>
      write((change) => failPending(change, originHost, reason, error, hold)),
  } satisfies Partial<Records>;
}

function chainMethods({ sql, clock, governor, write }: Parts) {
  const show = (tasks: readonly TaskRecord[]): Promise<readonly TaskRecord[]> =>
    shown(sql, tasks, clock.now(), governor);
  return {
    submitChains: (chains) => write((change) => submitChains(change, chains)),
    chain: (id) => chainProgress(sql, id, show),
    chainSpec: (id) => specOfChain(sql, id),
    listChains: (page) => listChains(sql, page),
    approve: (id, merge) => write((change) => approve(change, id, merge)),
    reject: (id, feedback, start) => write((change) => reject(change, id, feedback, start)),
  } satisfies Partial<Records>;
}

function dispatchMethods({ sql, clock, governor, dispatch, write }: Parts) {
  return {
    setDispatcher: (hostId, ownTasksOnly, hook) => {
      dispatch.set(hook === undefined ? undefined : { hostId, ownTasksOnly, hook });
    },
    dispatch: () => write(() => undefined),
    finish: (end) => {
      dispatch.finishing(end);
      return write((change) => finish(change, end, dispatch.finished(end)));
    },
    cancelRequests: (hostId) => cancelRequests(sql, hostId),
    sweep: () => write(sweep),
    nextDeadlineMs: async () => {
      const pool = poolOf((await sql.all(poolQuery))[0]);
      const due = [await nextDeadlineMs(sql), nextGovernorMs(pool, clock.now(), governor)];
      const times = due.filter((ms) => ms !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    releaseHolds: (reason) => write((change) => releaseHolds(change, reason)),
    heldByClaims: (limit, after) => heldByClaims(sql, limit, after),
    releaseHold: (taskId, reason) => write((change) => releaseHold(change, taskId, reason)),
    noteHold: (taskId, holder) => write((change) => noteHold(change, taskId, holder)),
  } satisfies Partial<Records>;
}

function hostMethods({ sql, write }: Parts) {
  return {
    startHost: (host) => write((change) => startHost(change, host)),
    renewHost: (hostId, leaseUntilMs) => write((change) => renewHost(change, hostId, leaseUntilMs)),
    hosts: async () => (await sql.all(liveHostsQuery)).map(hostOf),
    endHost: (hostId) => write((change) => endHost(change, hostId)),
    claimRecovery: (deadHostId, byHostId) => write((change) => claimRecovery(change, deadHostId, byHostId)),
    runningOf: (hostId) => runningOf(sql, hostId),
    recoverRun: (runId, remains, estimate) => write((change) => recoverRun(change, runId, remains, estimate)),
    addSlots: (hostId, configs) => write((change) => addSlots(change, hostId, configs)),
    slots: async (which) => (await sql.all(which === "all" ? allSlotsQuery : liveSlotsQuery)).map(slotOf),
    updateSlot: (id, patch) => write((change) => updateSlot(change, id, patch)),
    restartSlot: (id, by) => write((change) => restartSlot(change, id, by)),
    claim: (id) => write((change) => claim(change, id)),
    setTargetSlots: (hostId, target, by) => write((change) => setTargetSlots(change, hostId, target, by)),
  } satisfies Partial<Records>;
}

function moneyMethods({ sql, clock, write }: Parts) {
  return {
    budget: async () => budgetOf(poolOf((await sql.all(poolQuery))[0]), clock.now()),
    setBudget: (cap, renews) => write((change) => setBudget(change, cap, renews)),
    resetBudget: () => write(resetBudget),
    growReservation: (runId) => write((change) => growReservation(change, runId)),
    estimate: async () => estimateOf(poolOf((await sql.all(poolQuery))[0])),
  } satisfies Partial<Records>;
}

function governorMethods({ sql, clock, write }: Parts) {
  return {
    governor: async () => governorOf(poolOf((await sql.all(poolQuery))[0])),
    noteAnswer: (runId) => write((change) => noteAnswer(change, runId)),
    noteOverload: () => write(noteOverload),
    noteUtilization: (share, resetsAtMs) => write((change) => noteUtilization(change, share, resetsAtMs)),
    noteMemory: (hostId, isStarved) => write((change) => noteMemory(change, hostId, isStarved)),
    releaseGovernor: () => write(releaseGovernor),
    setScopeBudget: (scope, cap) => write((change) => setScopeBudget(change, scope, cap)),
    scopeBudgets: () => scopeBudgets(sql),
    metrics: (sessionStartMs, filter) => metrics(sql, filter, { sessionStartMs, nowMs: clock.now() }),
    forecast: (like) => forecast(sql, like),
  } satisfies Partial<Records>;
}

function eventMethods({ sql, feed, write }: Parts) {
  return {
    append: (events) => write((change) => appendEvents(change, events)),
    events: (after, limit, taskId, withSteps) => eventsAfter(sql, after, limit, taskId, withSteps),
    lastEventSeq: () => lastEventSeq(sql),
    follow: (listener, after) => feed.follow(listener, after),
    onForeignChange: (listener) => feed.onForeignChange(listener),
  } satisfies Partial<Records>;
}

function messageMethods({ sql, write }: Parts) {
  return {
    sendMessage: (from, to, content, runId) => write((change) => sendMessage(change, from, to, content, runId)),
    readMessages: (recipient, how, limit) =>
      how === "peek" ? peekMessages(sql, recipient) : write((change) => readMessages(change, recipient, limit)),
    countMessages: (recipient) => countMessages(sql, recipient),
    deliverMessages: (slot) => messagesFor(sql, slot),
  } satisfies Partial<Records>;
}

function poolMethods({ sql, clock, governor, write }: Parts) {
  return {
    context: () => contextOf(sql),
    setContext: (key, value) => write((change) => setContext(change, key, value)),
    deleteContext: (key) => write((change) => deleteContext(change, key)),
    runtimeSkills: () => runtimeSkills(sql),
    putSkill: (skill) => write((change) => putSkill(change, skill)),
    deleteSkill: (name) => write((change) => deleteSkill(change, name)),
    status: () => statusOf(sql, clock.now(), governor),
    setShutdown: (shutdown) =>
      write((change) => {
        setShutdown(change, shutdown);
      }),
    prune: (beforeMs) => prune(write, beforeMs),
    exportLines: () => exportLines(sql),
    importLines: async (lines) => {
      const parsed = await parseLines(lines);
      return write((change) => importAll(change, parsed));
    },
  } satisfies Partial<Records>;
}

function setShutdown(change: Change, shutdown: boolean): void {
  if ((change.pool.shutdown === 1) === shutdown) return;
  change.pool.shutdown = shutdown ? 1 : 0;
  change.emit({ type: shutdown ? "pool.draining" : "pool.opened", data: {} });
}
