/**
 * A chain goes on in the transaction that ends one of its steps: the step's row, then all that follows of it.
 *
 * K6. This is the one place where a step starts or a chain ends, so a crash leaves either the step running or its
 *     successors in the queue, and no step starts twice.
 */
import { advanceChain, outputsWanted, type ChainAction, type ChainEnd } from "../core/chain-advance.ts";
import type { ChainSpec, ResolvedStep, StepRecord, StepState } from "../core/chain.ts";
import { chainResult } from "../core/chain-result.ts";
import { defined } from "../core/config.ts";
import { dollars } from "../core/errors.ts";
import { newTaskId } from "../core/ids.ts";
import type { EndReason } from "../core/outcome.ts";
import { extractVars } from "../core/output-vars.ts";
import { overSkillConfig } from "../core/skill.ts";
import { isTerminal, type TaskRecord, type TaskResult, type TaskSpec } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";
import { toWire } from "../core/wire.ts";
import { specOfChain, stepAt, stepsOf, stepStatesOf, withOutputs, writeStep } from "./chain-rows.ts";
import type { Change } from "./change.ts";
import { cancelledResult, endTask } from "./finish.ts";
import { endPending } from "./holds.ts";
import { selectTasks, taskOf } from "./rows.ts";
import { scopesByName, setScopeBudget } from "./scopes.ts";
import { insertNew } from "./submit.ts";
import { writeResult } from "./write-result.ts";

/** What follows of every step that moved; true if anything did. */
export async function followSteps(change: Change): Promise<boolean> {
  let anything = false;
  for (let moved = change.takeMoved(); moved.length > 0; moved = change.takeMoved()) {
    anything = true;
    for (const [chainSeq, steps] of Map.groupBy(moved, (step) => step.chainSeq)) {
      await goOn(change, chainSeq, new Set(steps.map(({ step }) => step)));
    }
  }
  return anything;
}

/** Writes what these steps have become, then does everything that the chain asks for. */
export async function goOn(change: Change, chainSeq: number, moved: ReadonlySet<number> = new Set()): Promise<void> {
  const chain = await chainTask(change, chainSeq);
  if (chain?.state !== "running") return;
  const spec = await specOfChain(change.sql, chain.id);
  if (spec === undefined) throw new Error(`chain ${chain.id} has no spec`);
  for (const index of moved) await recordStep(change, chain, spec, index);
  for (;;) {
    const isCancelled = chain.cancelRequestedAtMs !== undefined;
    const states = await stepStatesOf(change.sql, chainSeq);
    const steps = await withOutputs(change.sql, chainSeq, states, outputsWanted(spec, states, isCancelled));
    const actions = advanceChain(spec, steps, isCancelled);
    for (const action of actions) await carryOut(change, chain, spec, action);
    // A skipped step may make others ready at once; a withdrawn one comes back as a step that moved.
    if (!actions.some((action) => action.kind === "skip")) break;
  }
  if (spec.maxBudgetUsd !== undefined) await failUnaffordable(change, chain);
}

/** What a step's task became, on the step's own row. */
async function recordStep(change: Change, chain: TaskRecord, spec: ChainSpec, index: number): Promise<void> {
  const [row] = await change.sql.all(
    `${selectTasks("task INDEXED BY task_of_chain")} WHERE task.chain_seq = ? AND task.step = ?`,
    [chain.seq, index],
  );
  const step = await stepAt(change.sql, chain.seq, index);
  if (row === undefined || step === undefined) return;
  const task = taskOf(row);
  const after = stepAfter(step, task, spec.steps[index], await costOf(change, task.seq));
  if (after.state === step.state) return;
  await writeStep(change, chain.seq, index, after);
  if (isOver(after.state)) tellStep(change, chain, after);
}

function stepAfter(
  step: StepRecord,
  task: TaskRecord,
  spec: ResolvedStep | undefined,
  costMicrodollars: number,
): StepRecord {
  const recovered = task.plan?.recovering === true && task.state === "completed";
  const { result } = task;
  const vars = spec?.outputVars === undefined || result === undefined ? undefined : varsOf(spec.outputVars, result);
  return defined<StepRecord>({
    name: step.name,
    state: stateOf(task),
    taskId: task.id,
    output: task.state === "pending" || task.state === "running" ? undefined : result?.output,
    vars: task.state === "completed" ? vars : undefined,
    error: recovered ? task.plan.lastError : (result?.error ?? result?.reason),
    costMicrodollars,
    retriesUsed: task.retryCount,
    recovered: recovered ? true : undefined,
    startedAtMs: step.startedAtMs,
    completedAtMs: task.completedAtMs,
  });
}

/** Only those are missing here that may be: the end of the run has seen to the others. */
function varsOf(paths: Readonly<Record<string, string>>, result: TaskResult): Readonly<Record<string, string>> {
  const { vars, missing } = extractVars(result, paths);
  return { ...vars, ...Object.fromEntries(missing.map((name) => [name, ""])) };
}

function stateOf(task: TaskRecord): StepState {
  if (isTerminal(task.state) || task.state === "pending_review") return task.state;
  return "running";
}

async function carryOut(change: Change, chain: TaskRecord, spec: ChainSpec, action: ChainAction): Promise<void> {
  switch (action.kind) {
    case "start":
      return startStep(change, chain, spec, action);
    case "skip":
      return skipStep(change, chain, spec, action.index);
    case "withdraw":
      return withdraw(change, chain.seq);
    case "end":
      return endChain(change, chain, action);
  }
}

async function startStep(
  change: Change,
  chain: TaskRecord,
  spec: ChainSpec,
  { index, prompt }: Extract<ChainAction, { kind: "start" }>,
): Promise<void> {
  const step = spec.steps[index];
  if (step === undefined) throw new Error(`chain ${chain.id} has no step ${String(index)}`);
  const id = newTaskId();
  const place = { chainId: chain.id, chainSeq: chain.seq, step: index };
  const task = defined({
    id,
    spec: specOfStep(chain, spec, step, prompt),
    originHost: chain.originHost,
    trace: chain.trace,
  });
  await insertNew(change, task, place, step.recoveryPrompt);
  const started = { name: step.name, state: "running", taskId: id, costMicrodollars: 0, retriesUsed: 0 } as const;
  await writeStep(change, chain.seq, index, { ...started, startedAtMs: change.nowMs });
  change.emit({ type: "chain.step_started", taskId: chain.id, data: { step: step.name, stepTaskId: id } }, chain.seq);
}

/** A step as an ordinary task: the skill's settings, the step's own over them, and its place, in queue and files, from the chain. */
function specOfStep(chain: TaskRecord, spec: ChainSpec, step: ResolvedStep, prompt: string): TaskSpec {
  const { queueTimeoutMs, isolation = "none", baseRef } = spec;
  const {
    name: _name,
    prompt: _prompt,
    skill: _skill,
    resolvedSkill,
    arguments: _arguments,
    needs: _needs,
    when: _when,
    recoveryPrompt: _recoveryPrompt,
    outputVars: _outputVars,
    missingVars: _missingVars,
    continueOnError: _continueOnError,
    ...own
  } = step;
  return defined<TaskSpec>({
    ...overSkillConfig(resolvedSkill ?? {}, own),
    prompt,
    priority: chain.priority,
    tags: chain.tags,
    cwd: chain.cwd,
    queueTimeoutMs,
    // The chain's, whatever the skill of a step says for itself.
    isolation,
    baseRef,
  });
}

async function skipStep(change: Change, chain: TaskRecord, spec: ChainSpec, index: number): Promise<void> {
  const name = spec.steps[index]?.name ?? "";
  const step = { name, state: "skipped", costMicrodollars: 0, retriesUsed: 0, completedAtMs: change.nowMs } as const;
  await writeStep(change, chain.seq, index, step);
  tellStep(change, chain, step);
}

/** K3: what waits for a slot or a reviewer is cancelled; each comes back as a step that moved. */
async function withdraw(change: Change, chainSeq: number): Promise<void> {
  const rows = await change.sql.all(
    `${selectTasks("task INDEXED BY task_of_chain")} WHERE task.chain_seq = ? AND state IN ('pending', 'pending_review')`,
    [chainSeq],
  );
  for (const row of rows) {
    const task = taskOf(row);
    if (task.state === "pending") {
      await endPending(change, row, "cancel", "cancelled", "Its chain is over.");
    } else {
      const result = cancelledResult(task.result ?? emptyResult);
      await endTask(change, task, nextState(task.state, "cancel", task.id), result, task.lostRuns);
    }
  }
}

const emptyResult: TaskResult = { output: "", success: false, costMicrodollars: 0, turnsUsed: 0, elapsedMs: 0 };

async function endChain(change: Change, chain: TaskRecord, end: ChainEnd): Promise<void> {
  const { sql, nowMs, pool } = change;
  await sql.run("UPDATE chain_step SET state = 'cancelled' WHERE chain_seq = ? AND state = 'waiting'", [chain.seq]);
  const steps = await stepsOf(sql, chain.seq);
  const summary = chainResult(chain.id, steps, end);
  const reason = await reasonOf(change, chain.seq, end);
  const result = defined<TaskResult>({
    output: JSON.stringify(toWire(summary)),
    success: summary.success,
    costMicrodollars: summary.totalCostMicrodollars,
    turnsUsed: await turnsOf(change, chain.seq),
    elapsedMs: Math.max(0, nowMs - chain.createdAtMs),
    reason,
    error: end.error,
  });
  const event = ({ completed: "complete", failed: "fail", cancelled: "cancel" } as const)[end.state];
  const state = nextState(chain.state, event, chain.id);
  await sql.run("UPDATE task SET state = ?, completed_at_ms = ? WHERE seq = ?", [state, nowMs, chain.seq]);
  await writeResult(change, chain.seq, result);
  pool.chains_running -= 1;
  if (chain.config?.maxBudgetUsd !== undefined) await setScopeBudget(change, chainScope(chain.id), undefined);
  const { costMicrodollars, elapsedMs } = result;
  change.emit(
    { type: "task.finished", taskId: chain.id, data: defined({ state, reason, costMicrodollars, elapsedMs }) },
    chain.seq,
  );
}

async function reasonOf(change: Change, chainSeq: number, end: ChainEnd): Promise<EndReason | undefined> {
  if (end.state === "cancelled") return "cancelled";
  if (end.state === "completed" || end.stoppedBy === undefined) return undefined;
  const [row] = await change.sql.all(
    `SELECT answer.result ->> 'reason' AS reason FROM task INDEXED BY task_of_chain
      JOIN task_result AS answer ON answer.seq = task.seq WHERE chain_seq = ? AND step = ?`,
    [chainSeq, end.stoppedBy],
  );
  return (row?.reason ?? "error") as EndReason;
}

/** Steps that the chain's own budget has no room for, and never will since none of its runs holds any of it. */
async function failUnaffordable(change: Change, chain: TaskRecord): Promise<void> {
  const [scope] = await scopesByName(change, [chainScope(chain.id)]);
  if (scope === undefined || scope.reservedMicrodollars > 0) return;
  const { capMicrodollars: cap, spentMicrodollars: spent } = scope;
  const rows = await change.sql.all(
    `SELECT seq, id, state, hold_reason FROM task INDEXED BY task_of_chain
      WHERE chain_seq = ?1 AND state = 'pending' AND hold_reason = 'budget' AND hold_scope = ?2
        AND (?3 <= 0 OR cap > ?3) ORDER BY seq`,
    [chain.seq, scope.scope, cap - spent],
  );
  const error = `The chain's budget of ${dollars(cap)} has no room for it: ${dollars(spent)} are spent.`;
  for (const row of rows) await endPending(change, row, "fail", "budget", error);
}

/** The name of a chain's own budget among the scopes of money. */
export function chainScope(chainId: string): string {
  return `chain:${chainId}`;
}

function tellStep(change: Change, chain: TaskRecord, step: StepRecord): void {
  const { name, taskId: stepTaskId, state, costMicrodollars } = step;
  const data = defined({ step: name, stepTaskId, state, costMicrodollars });
  change.emit({ type: "chain.step_finished", taskId: chain.id, data }, chain.seq);
}

function isOver(state: StepState): boolean {
  return state !== "waiting" && state !== "running" && state !== "pending_review";
}

/** A chain costs what its runs cost, failed ones and retries included. */
async function costOf({ sql }: Change, taskSeq: number): Promise<number> {
  const [row] = await sql.all("SELECT COALESCE(SUM(cost), 0) AS cost FROM run WHERE task_seq = ?", [taskSeq]);
  return Number(row?.cost);
}

async function turnsOf({ sql }: Change, chainSeq: number): Promise<number> {
  const [row] = await sql.all(
    `SELECT COALESCE(SUM(turns_used), 0) AS turns FROM task INDEXED BY task_of_chain
      JOIN run ON run.task_seq = task.seq WHERE chain_seq = ?`,
    [chainSeq],
  );
  return Number(row?.turns);
}

async function chainTask({ sql }: Change, chainSeq: number): Promise<TaskRecord | undefined> {
  const [row] = await sql.all(`${selectTasks()} WHERE task.seq = ?`, [chainSeq]);
  return row && taskOf(row);
}
