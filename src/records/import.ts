/**
 * An export read into an empty pool, all of it or nothing.
 *
 * I1. Every line is checked for itself, then all of them together, before anything is written.
 * I2. Hosts and slots of then are processes of then: they are checked and left out; their numbers are not used again. Nor do
 *     places come along, which are directories of the pool of then; work is on its refs.
 * I3. A run that was open when the export was written is closed as lost at its reservation or the estimate, whichever is
 *     more (unknown cost is never zero), and its task is pending.
 * I4. A chain goes on from what its steps' tasks have become: they may have been read a little later than it was.
 */
import { microdollars } from "../core/budget.ts";
import type { PoolEvent } from "../core/events.ts";
import { PoolError } from "../core/errors.ts";
import type { RunRecord, TaskRecord } from "../core/task.ts";
import { type Change, count } from "./change.ts";
import { writeContext } from "./context.ts";
import { chainScope } from "./chain-advance.ts";
import { writeStep } from "./chain-rows.ts";
import type { PoolLine } from "./export-lines.ts";
import type { ImportedLines, ImportedTask } from "./import-lines.ts";
import { insertMerge } from "./merges.ts";
import { measureEnd } from "./metrics.ts";
import { estimateOf } from "./money.ts";
import { column, jsonColumn } from "./rows.ts";
import { setScopeBudget } from "./scopes.ts";
import { writeSkill } from "./skills.ts";
import { insertTask } from "./submit.ts";

export async function importAll(
  change: Change,
  lines: ImportedLines,
): Promise<{ readonly tasks: number; readonly runs: number }> {
  const { pool } = change;
  if (pool.task_seq > 0) {
    throw new PoolError(
      "invalid_import",
      "This pool has, or had, tasks of its own; an import needs an empty one. Name another store with `--store`.",
    );
  }
  await takeMoney(change, lines.pool);
  for (const { key, value } of lines.context) await writeContext(change, key, value);
  for (const skill of lines.skills) await writeSkill(change, skill);
  const seqs = new Map(lines.tasks.map((task) => [task.id, task.seq]));
  for (const task of lines.tasks) await importTask(change, task, seqs);
  for (const run of lines.runs) await importRun(change, run, seqs.get(run.taskId) ?? 0);
  for (const merge of lines.merges) await insertMerge(change, merge, seqs.get(merge.taskId) ?? 0);
  await measureAll(change, lines.tasks);
  await importChains(change, lines, seqs);
  for (const { seq: _seq, atMs, ...event } of lines.events) await importEvent(change, event, atMs, seqs);
  return { tasks: lines.tasks.length, runs: lines.runs.length };
}

async function takeMoney(change: Change, from: PoolLine): Promise<void> {
  const { pool } = change;
  pool.cap = from.capMicrodollars ?? null;
  pool.spent = from.spentMicrodollars;
  pool.total = from.totalMicrodollars;
  pool.finished_runs = from.finishedRuns;
  pool.since_ms = from.sinceMs;
  pool.renews = from.renews;
  pool.task_seq = from.lastTaskSeq;
  pool.slot_number = Math.max(pool.slot_number, from.lastSlotNumber);
  for (const { scope, capMicrodollars, spentMicrodollars, sinceMs } of from.scopeBudgets ?? []) {
    await setScopeBudget(change, scope, capMicrodollars);
    await change.sql.run("UPDATE scope_budget SET spent = ?, since_ms = ? WHERE scope = ?", [
      spentMicrodollars,
      sinceMs,
      scope,
    ]);
  }
}

/** The metrics of then, from the tasks and runs that came. */
async function measureAll(change: Change, tasks: readonly ImportedTask[]): Promise<void> {
  for (const { kind = "task", ...task } of tasks) {
    if (task.result === undefined || task.completedAtMs === undefined) continue;
    await measureEnd(change, { ...task, kind }, task.state, task.result, task.completedAtMs);
  }
}

async function importTask(change: Change, task: ImportedTask, seqs: ReadonlyMap<string, number>): Promise<void> {
  const { cancelRequestedAtMs: _request, ...rest } = task;
  const isOpenRun = task.state === "running" && task.kind !== "chain";
  const given = isOpenRun ? { ...rest, state: "pending" as const } : task; // I3
  const imported: TaskRecord = { kind: "task", retryCount: 0, ...withoutBudgetHold(given) };
  const chainSeq = task.chainId === undefined ? undefined : seqs.get(task.chainId);
  await insertTask(change, imported, chainSeq);
  if (imported.kind === "chain") {
    if (imported.state === "running") change.pool.chains_running += 1;
    return;
  }
  if (chainSeq !== undefined && task.step !== undefined) change.moved(chainSeq, task.step); // I4
  count(change.pool, undefined, imported.state);
  if (imported.state === "pending" && imported.hold !== undefined) change.pool.held += 1;
}

/** Whose money it waited for is not told, and the first look at it finds that out anew. */
function withoutBudgetHold(task: ImportedTask): ImportedTask {
  if (task.hold?.reason !== "budget") return task;
  const { hold: _hold, ...rest } = task;
  return rest;
}

async function importChains(change: Change, lines: ImportedLines, seqs: ReadonlyMap<string, number>): Promise<void> {
  const running = new Set(lines.tasks.filter((task) => task.state === "running").map((task) => task.id));
  for (const { chainId, spec, resumedFrom } of lines.chains) {
    const seq = seqs.get(chainId) ?? 0;
    await change.sql.run("INSERT INTO chain (seq, spec, resumed_from) VALUES (?, ?, ?)", [
      seq,
      JSON.stringify(spec),
      column(resumedFrom),
    ]);
    const cap = spec.maxBudgetUsd;
    if (!running.has(chainId)) continue;
    if (cap !== undefined) {
      await setScopeBudget(change, chainScope(chainId), microdollars(cap));
      await change.sql.run(
        `UPDATE scope_budget SET spent = (SELECT COALESCE(SUM(run.cost), 0)
          FROM task INDEXED BY task_of_chain JOIN run ON run.task_seq = task.seq WHERE chain_seq = ?) WHERE scope = ?`,
        [seq, chainScope(chainId)],
      );
    }
    change.moved(seq, 0); // I4
  }
  for (const { chainId, step, ...record } of lines.steps) await writeStep(change, seqs.get(chainId) ?? 0, step, record);
}

async function importRun(change: Change, run: RunRecord, taskSeq: number): Promise<void> {
  const { pool, nowMs } = change;
  const wasOpen = run.endedAtMs === undefined;
  const cost = wasOpen ? Math.max(run.reservedMicrodollars, estimateOf(pool)) : run.costMicrodollars; // I3
  await change.sql.run(
    `INSERT INTO run (task_seq, attempt, run_id, host_id, slot_id, started_at_ms, ended_at_ms, outcome, reason, reserved, cost,
      cost_estimated, turns_used, model, session_id, usage, superseded)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      taskSeq,
      run.attempt,
      run.runId,
      run.hostId,
      run.slotId,
      run.startedAtMs,
      run.endedAtMs ?? nowMs,
      wasOpen ? "lost" : column(run.outcome),
      wasOpen ? "lost" : column(run.reason),
      run.reservedMicrodollars,
      cost,
      wasOpen || run.costEstimated ? 1 : 0,
      run.turnsUsed,
      column(run.model),
      column(run.sessionId),
      jsonColumn(run.usage),
      column(run.superseded),
    ],
  );
  if (!wasOpen) return;
  pool.spent += cost;
  pool.total += cost;
  pool.finished_runs += 1;
}

/** Events go behind those that this pool has already; their order stays, their places change. */
async function importEvent(
  change: Change,
  event: Omit<PoolEvent, "seq" | "atMs">,
  atMs: number,
  seqs: ReadonlyMap<string, number>,
): Promise<void> {
  const taskSeq = event.taskId === undefined ? null : seqs.get(event.taskId);
  if (taskSeq === undefined) return; // of a task that was submitted after the export had come by its place
  change.pool.event_seq += 1;
  await change.sql.run("INSERT INTO event (seq, at_ms, task_seq, type, slot_id, data) VALUES (?, ?, ?, ?, ?, ?)", [
    change.pool.event_seq,
    atMs,
    taskSeq,
    event.type,
    column(event.slotId),
    JSON.stringify(event.data),
  ]);
}
