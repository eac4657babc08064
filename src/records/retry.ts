/**
 * A failed run and what follows of it: a retry after a failure that can heal, then a chain step's recovery prompt, once.
 *
 * Y1. A step whose answer lacks a variable that others may need has failed, like a run that ended so: before its state is
 *     written, so that it is tried again, reviewed or recovered as any other failure.
 */
import { nextAttempt, nextCheckRound, type TaskPlan } from "../core/attempt.ts";
import { advanceChain, recoveryPromptOf } from "../core/chain-advance.ts";
import { defined } from "../core/config.ts";
import type { Outcome } from "../core/outcome.ts";
import { extractVars } from "../core/output-vars.ts";
import type { Hold, TaskRecord, TaskResult } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { chainSeqOf, specOfChain, stepsOf, stepStatesOf } from "./chain-rows.ts";
import { type Change, count } from "./change.ts";
import { requeue } from "./finish.ts";
import { tellHeld } from "./holds.ts";
import { jsonColumn } from "./rows.ts";

/** The outcome of a run, failed if it is a step's and lacks a variable (Y1). */
export async function judgeStep(change: Change, task: TaskRecord, outcome: Outcome): Promise<Outcome> {
  if (task.chainId === undefined || task.step === undefined || outcome.kind !== "completed") return outcome;
  const step = (await specOfChain(change.sql, task.chainId))?.steps[task.step];
  if (step?.outputVars === undefined || step.missingVars === "empty") return outcome;
  const { missing } = extractVars(outcome.result, step.outputVars);
  if (missing.length === 0) return outcome;
  const error =
    `The answer of step ${step.name} has no ${missing.join(", ")}: it must hold JSON with ` +
    `${missing.map((name) => JSON.stringify(step.outputVars?.[name] ?? "")).join(", ")}.`;
  return { kind: "failed", result: { ...outcome.result, success: false, reason: "schema", error } };
}

/** Puts a task that failed so back into the queue, if there is another attempt; undefined: there is none. */
export async function tryAgain(
  change: Change,
  task: TaskRecord,
  result: TaskResult,
  checkRetries: number,
): Promise<TaskRecord | undefined> {
  const round = nextCheckRound(task, result, checkRetries);
  if (round !== undefined && !(await isChainStopping(change, task))) return checkAgain(change, task, result, round);
  if (task.plan === undefined) return undefined;
  const next = nextAttempt(task, result);
  if (next === undefined || (await isChainStopping(change, task))) return undefined;
  const plan = next.recovering
    ? { ...next.plan, recoveryPrompt: await recoveryPrompt(change, task, next.plan.lastError ?? "") }
    : next.plan;
  const { sql, nowMs } = change;
  const state = nextState(task.state, "release", task.id);
  const retryCount = task.retryCount + 1;
  const hold: Hold | undefined = next.delayMs === 0 ? undefined : { reason: "retry", untilMs: nowMs + next.delayMs };
  await sql.run(
    `UPDATE task SET state = ?, retry_count = ?, hold_reason = ?, hold_until_ms = ?, resume_session_id = NULL,
      queue_deadline_ms = ? + queue_timeout_ms WHERE seq = ?`,
    [state, retryCount, hold?.reason ?? null, hold?.untilMs ?? null, nowMs, task.seq],
  );
  await sql.run("UPDATE task_body SET plan = ? WHERE seq = ?", [jsonColumn(plan), task.seq]);
  await sql.run("UPDATE run SET superseded = 'retried' WHERE task_seq = ? AND attempt = ?", [task.seq, task.attempt]);
  count(change.pool, task.state, state);
  const data = {
    runId: String(task.runId),
    retry: retryCount,
    error: (plan.lastError ?? "").slice(0, maxErrorShown),
    recovering: next.recovering,
  };
  change.emit(defined({ type: "task.retried" as const, taskId: task.id, slotId: task.slotId, data }), task.seq);
  if (hold !== undefined) tellHeld(change, task, hold);
  const { resumeSessionId: _before, ...rest } = task;
  return { ...rest, ...defined({ state, retryCount, plan, hold }) };
}

/** Sends a task whose checks failed back with their output: no retry, since it is the same work that goes on. */
async function checkAgain(change: Change, task: TaskRecord, result: TaskResult, plan: TaskPlan): Promise<TaskRecord> {
  const data = { runId: String(task.runId), failures: plan.checkFailures ?? 0 };
  change.emit(defined({ type: "task.checks_failed" as const, taskId: task.id, slotId: task.slotId, data }), task.seq);
  await change.sql.run("UPDATE task_body SET plan = ? WHERE seq = ?", [jsonColumn(plan), task.seq]);
  await change.sql.run("UPDATE run SET superseded = 'checks' WHERE task_seq = ? AND attempt = ?", [
    task.seq,
    task.attempt,
  ]);
  const state = nextState(task.state, "release", task.id);
  const cost = result.costMicrodollars;
  return requeue(change, { ...task, plan }, state, { reason: "checks", lostRuns: task.lostRuns, cost });
}

/** The most of an error that an event holds, in characters; the task's plan has it whole. */
const maxErrorShown = 2_000;

/** K3 of core/chain.ts: what runs ends, and is not tried again. */
async function isChainStopping(change: Change, task: TaskRecord): Promise<boolean> {
  if (task.chainId === undefined) return false;
  const seq = await chainSeqOf(change.sql, task.chainId);
  const spec = await specOfChain(change.sql, task.chainId);
  if (seq === undefined || spec === undefined) return false;
  const actions = advanceChain(spec, await stepStatesOf(change.sql, seq));
  return actions.some((action) => action.kind === "withdraw");
}

async function recoveryPrompt(change: Change, task: TaskRecord, error: string): Promise<string> {
  const { chainId, step } = task;
  const seq = chainId === undefined ? undefined : await chainSeqOf(change.sql, chainId);
  const spec = chainId === undefined ? undefined : await specOfChain(change.sql, chainId);
  if (seq === undefined || spec === undefined || step === undefined) return task.plan?.recoveryPrompt ?? task.prompt;
  return recoveryPromptOf(spec, await stepsOf(change.sql, seq), step, error);
}
