/**
 * The end of a run: ledger, money, task, slot, counters and event, in one transaction and only for the run that holds the
 * task (C3).
 *
 * E1. While a task runs, nothing in its record changes but a cancel request and its workspace, which `Finish` brings anew, so
 *     the process that leased it need not read it again: it asks for the fence and that request alone.
 */
import type { TaskPlan } from "../core/attempt.ts";
import { defined } from "../core/config.ts";
import { type EndReason, eventOf, type Outcome } from "../core/outcome.ts";
import type { MergeRequest } from "../core/merge.ts";
import type { Finish } from "../core/records.ts";
import type { Hold, TaskRecord, TaskResult, TaskState } from "../core/task.ts";
import { nextState, type TaskEvent } from "../core/transitions.ts";
import { hasWork } from "../core/workspace.ts";
import { type Change, count } from "./change.ts";
import { park, runGoverned } from "./governor.ts";
import { tellHeld } from "./holds.ts";
import { acknowledgeMessages } from "./messages.ts";
import { queueMerge } from "./merges.ts";
import { measureEnd } from "./metrics.ts";
import { settle } from "./money.ts";
import { closeRequests } from "./permissions.ts";
import { judgeStep, tryAgain } from "./retry.ts";
import { jsonColumn, selectTasks, taskOf } from "./rows.ts";
import { settleScopes } from "./scopes.ts";
import { hasWorked, writeWorkspace } from "./workspaces.ts";
import { writeResult } from "./write-result.ts";

/** `leased` is the record as it was leased, if this process did that (E1). */
export async function finish(change: Change, given: Finish, leased?: TaskRecord): Promise<TaskRecord | undefined> {
  const held = await heldBy(change, given, leased);
  if (held === undefined) return undefined;
  const task = await withWorkspace(change, held, given);
  const outcome = await judgeStep(change, task, given.outcome);
  const end = { ...given, outcome };
  await closeRun(change, task, ledgerOf(outcome), end.cwd);
  if (outcome.kind === "limited") await park(change, outcome.resetsAtMs, outcome.limitType);
  if (end.messages !== undefined && outcome.kind !== "lost" && outcome.kind !== "limited") {
    await acknowledgeMessages(change, String(task.slotId), end.runId, end.messages);
  }

  const event = eventFor(task, end);
  const state = nextState(task.state, event, task.id);
  const lostRuns = task.lostRuns + (outcome.kind === "lost" && end.countsAsLost !== false ? 1 : 0);
  if (event === "release") {
    return requeue(change, task, state, {
      reason: outcome.kind === "lost" ? "lost" : "limited",
      lostRuns,
      cost: outcome.result.costMicrodollars,
      hold: end.hold,
      resumeSessionId: end.resumeSessionId ?? task.resumeSessionId,
    });
  }
  const result = resultFor(event, end);
  const again = event === "fail" ? await tryAgain(change, task, result, end.checkRetries ?? 0) : undefined;
  return (
    again ?? endTask(change, task, state, result, lostRuns, event === "await_review" ? mergeFor(task, end) : undefined)
  );
}

/** The merge that completes the task, unless a reviewer is asked first, or there is nothing to merge. */
function mergeFor(task: TaskRecord, { merge }: Finish): MergeRequest | undefined {
  return task.reviewRequired || !hasWork(task.workspace) ? undefined : merge;
}

/** Writes what was saved of the run's work, and tells of its checks. */
async function withWorkspace(change: Change, task: TaskRecord, given: Finish): Promise<TaskRecord> {
  const { workspace, runId } = given;
  if (workspace === undefined) return task;
  await writeWorkspace(change.sql, task.seq, workspace, runId);
  const { kind, result } = given.outcome;
  const [first] = workspace.checks ?? [];
  if (first !== undefined && (kind === "completed" || result.reason === "checks")) {
    const checks = (workspace.checks ?? []).map(({ name, passed }) => ({ name, passed }));
    const data = { runId, tree: first.tree, checks };
    change.emit(defined({ type: "task.checked" as const, taskId: task.id, slotId: task.slotId, data }), task.seq);
  }
  return { ...task, workspace };
}

/** The task, if this run still holds it. */
async function heldBy(
  { sql }: Change,
  { taskId, runId }: Finish,
  leased?: TaskRecord,
): Promise<TaskRecord | undefined> {
  if (leased === undefined) {
    const [row] = await sql.all(`${selectTasks()} WHERE task.id = ? AND state = 'running' AND run_id = ?`, [
      taskId,
      runId,
    ]);
    return row && taskOf(row);
  }
  const [row] = await sql.all(
    "SELECT cancel_requested_at_ms AS at FROM task WHERE seq = ? AND state = 'running' AND run_id = ?",
    [leased.seq, runId],
  );
  if (row === undefined) return undefined;
  return row.at === null ? leased : { ...leased, cancelRequestedAtMs: Number(row.at) };
}

/** What the ledger says of an ended run. */
export interface LedgerEnd {
  readonly outcome: Outcome["kind"];
  readonly result: Omit<TaskResult, "output" | "success" | "elapsedMs">;
}

/** Closes the task's open run, gives its money back and books its cost, and frees its slot. */
export async function closeRun(change: Change, task: TaskRecord, end: LedgerEnd, cwd: string): Promise<void> {
  const { outcome, result } = end;
  const [run] = await change.sql.all(runClose, [
    change.nowMs,
    outcome,
    result.reason ?? null,
    result.costMicrodollars,
    result.costEstimated === true ? 1 : 0,
    result.turnsUsed,
    result.model ?? null,
    result.sessionId ?? null,
    jsonColumn(result.usage),
    task.seq,
    task.attempt,
  ]);
  if (run === undefined) throw new Error(`The run ${String(task.runId)} of task ${task.id} is not open in the ledger.`);
  await closeRequests(change, String(task.runId));
  const [reserved, cost] = [Number(run.reserved), result.costMicrodollars];
  settle(change, reserved, cost);
  const held = run.scopes === null ? [] : (JSON.parse(String(run.scopes)) as readonly string[]);
  await settleScopes(change, task, { held, reserved, cost });
  await runGoverned(change, String(task.runId), outcome, result.turnsUsed > 0 || cost > 0);
  change.releaseSlot(String(run.slot_id), {
    taskId: task.id,
    completed: outcome === "completed",
    costMicrodollars: result.costMicrodollars,
    sessionId: result.sessionId,
    cwd,
  });
}

const runClose = `UPDATE run SET ended_at_ms = ?, outcome = ?, reason = ?, cost = ?, cost_estimated = ?, turns_used = ?, model = ?,
  session_id = ?, usage = ? WHERE task_seq = ? AND attempt = ? AND ended_at_ms IS NULL RETURNING reserved, slot_id, scopes`;

/** What becomes of a task that goes back to the queue. */
export interface Requeue {
  readonly reason: EndReason;
  readonly lostRuns: number;
  readonly cost: number;
  readonly hold?: Hold | undefined;
  readonly resumeSessionId?: string | undefined;
}

export async function requeue(change: Change, task: TaskRecord, state: TaskState, how: Requeue): Promise<TaskRecord> {
  const { sql, nowMs } = change;
  // A run that began from the base and was cut short left something to go on from, if it got so far.
  const goesOn = task.plan?.start === "base" && (await hasWorked(change.sql, task));
  const plan: TaskPlan | undefined = goesOn ? { ...task.plan, start: "saved" } : task.plan;
  if (goesOn) await sql.run("UPDATE task_body SET plan = ? WHERE seq = ?", [jsonColumn(plan), task.seq]);
  await sql.run(
    `UPDATE task SET state = ?, lost_runs = ?, hold_reason = ?, hold_until_ms = ?, hold_note = ?, resume_session_id = ?,
      queue_deadline_ms = ? + queue_timeout_ms WHERE seq = ?`,
    [
      state,
      how.lostRuns,
      how.hold?.reason ?? null,
      how.hold?.untilMs ?? null,
      how.hold?.note ?? null,
      how.resumeSessionId ?? null,
      nowMs,
      task.seq,
    ],
  );
  // K3 of core/chain.ts: a chain that stops does not run again what only waits.
  if (task.chainId !== undefined) await tellChain(change, task.seq);
  count(change.pool, task.state, state);
  const data = { runId: String(task.runId), reason: how.reason, costMicrodollars: how.cost };
  change.emit(defined({ type: "task.requeued" as const, taskId: task.id, slotId: task.slotId, data }), task.seq);
  if (how.hold !== undefined) tellHeld(change, task, how.hold);
  const { resumeSessionId: _before, ...rest } = task;
  return {
    ...rest,
    ...defined({ state, lostRuns: how.lostRuns, hold: how.hold, resumeSessionId: how.resumeSessionId, plan }),
  };
}

export async function endTask(
  change: Change,
  task: TaskRecord,
  state: TaskState,
  result: TaskResult,
  lostRuns: number,
  merge?: MergeRequest,
): Promise<TaskRecord> {
  const completedAtMs = state === "pending_review" ? undefined : change.nowMs;
  await change.sql.run("UPDATE task SET state = ?, lost_runs = ?, completed_at_ms = ? WHERE seq = ?", [
    state,
    lostRuns,
    completedAtMs ?? null,
    task.seq,
  ]);
  if (task.chainId !== undefined) await tellChain(change, task.seq);
  await writeResult(change, task.seq, result);
  await measureEnd(change, task, state, result);
  count(change.pool, task.state, state);
  const ended: TaskRecord = { ...task, ...defined({ state, lostRuns, completedAtMs, result }) };
  const mergeId = merge && (await queueMerge(change, task, { ...merge, approves: true })).id;
  tellFinished(change, task, state, result, mergeId);
  return mergeId === undefined ? ended : { ...ended, mergeId };
}

function tellFinished(
  change: Change,
  task: TaskRecord,
  state: TaskState,
  result: TaskResult,
  mergeId: string | undefined,
): void {
  const { reason, costMicrodollars, elapsedMs } = result;
  change.emit(
    defined({
      type: "task.finished" as const,
      taskId: task.id,
      slotId: task.slotId,
      data: defined({ state, reason, costMicrodollars, elapsedMs, mergeId }),
    }),
    task.seq,
  );
}

/** What a task in review has that never answered; only an import could bring one. */
export const noResult: TaskResult = { output: "", success: false, costMicrodollars: 0, turnsUsed: 0, elapsedMs: 0 };

/** Has a step's chain go on (W4 of change.ts). */
export async function tellChain(change: Change, seq: number): Promise<void> {
  const [row] = await change.sql.all("SELECT chain_seq, step FROM task WHERE seq = ? AND chain_seq IS NOT NULL", [seq]);
  if (row !== undefined) change.moved(Number(row.chain_seq), Number(row.step));
}

/** The result of a task that was stopped because somebody asked for it. */
export function cancelledResult(result: TaskResult): TaskResult {
  return { ...result, success: false, reason: "cancelled", error: "The task was cancelled." };
}

function eventFor(task: TaskRecord, end: Finish): TaskEvent {
  const { outcome, giveUp } = end;
  const event = eventOf(outcome.kind, task.reviewRequired || mergeFor(task, end) !== undefined);
  if (event !== "release") return event;
  if (task.cancelRequestedAtMs !== undefined) return "cancel";
  return outcome.kind === "lost" && giveUp === true ? "fail" : event;
}

function resultFor(event: TaskEvent, { outcome }: Finish): TaskResult {
  const { kind, result } = outcome;
  if (kind !== "lost" && kind !== "limited") return result;
  return event === "cancel" ? cancelledResult(result) : { ...result, success: false, reason: "lost" };
}

function ledgerOf(outcome: Outcome): LedgerEnd {
  return { outcome: outcome.kind, result: outcome.result };
}
