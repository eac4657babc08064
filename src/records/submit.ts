/** Admission: keys, shutdown and budget are checked for all tasks of a call before the first is written (C2). */
import { PoolError } from "../core/errors.ts";
import { runOver } from "../core/permission.ts";
import type { TaskPlan } from "../core/attempt.ts";
import { checkAdmission, microdollars } from "../core/budget.ts";
import { defined } from "../core/config.ts";
import type { SqlValue } from "../core/ports.ts";
import type { NewTask, Submitted } from "../core/records.ts";
import type { Hold, TaskOverrides, TaskRecord, TaskSpec } from "../core/task.ts";
import { type Change, count } from "./change.ts";
import { tellHeld } from "./holds.ts";
import { budgetOf } from "./money.ts";
import { seqOfOpenRun } from "./permissions.ts";
import { column, jsonColumn, selectTasks, taskOf } from "./rows.ts";
import { checkScopes } from "./scopes.ts";
import { callTaskKey } from "../core/task.ts";
import { canonical, defaultMaxRejections, keyConflict, specOf } from "./task-key.ts";
import { writeWorkspace } from "./workspaces.ts";
import { writeResult } from "./write-result.ts";

export async function submit(change: Change, tasks: readonly NewTask[]): Promise<readonly Submitted[]> {
  const known = await knownKeys(change, tasks);
  await checkCalls(change, tasks, known);
  const fresh = tasks.filter((task, index) => known[index] === undefined);
  if (fresh.length > 0) {
    checkOpen(
      change,
      fresh.map(({ spec }) => capOf(spec)),
    );
    for (const { spec, parent } of fresh) {
      await checkScopes(change, spec.tags, capOf(spec));
      if (parent !== undefined) await checkParent(change, parent);
    }
  }

  const inserted = new Map<string, TaskRecord>();
  const answers: Submitted[] = [];
  for (const [index, task] of tasks.entries()) {
    const before = known[index];
    if (before === undefined) {
      const record = await insertNew(change, task);
      inserted.set(task.id, record);
      answers.push({ record, existing: false });
    } else {
      const record = before instanceof Twin ? inserted.get(before.id) : before;
      if (record === undefined) throw new Error(`The first of two tasks with key ${String(task.spec.key)} is missing.`);
      answers.push({ record, existing: true });
    }
  }
  return answers;
}

/** @throws {PoolError} `run_over`, `depth_exceeded` for too many. */
async function checkParent(
  { sql }: Change,
  { taskId, runId, maxTasks }: NonNullable<NewTask["parent"]>,
): Promise<void> {
  if ((await seqOfOpenRun(sql, taskId, runId)) === undefined) throw runOver(runId);
  const [row] = await sql.all("SELECT COUNT(*) AS n FROM task INDEXED BY task_of_parent WHERE parent_id = ?", [taskId]);
  if (Number(row?.n) < maxTasks) return;
  const text = `Task ${taskId} has submitted ${String(maxTasks)} tasks, and may not submit more. Finish with what they gave.`;
  throw new PoolError("depth_exceeded", text, { taskId, maxTasks });
}

/** A call of before had the same tasks and no other: all of them are known or none is, and there was no further one. */
async function checkCalls(
  { sql }: Change,
  tasks: readonly NewTask[],
  known: readonly (TaskRecord | Twin | undefined)[],
): Promise<void> {
  const keyed = tasks.flatMap(({ callKey }, index) =>
    callKey === undefined ? [] : [{ callKey, before: known[index] }],
  );
  const [first] = keyed;
  if (first === undefined) return;
  const [more] = await sql.all("SELECT id FROM task WHERE key = ?", [callTaskKey(first.callKey, tasks.length)]);
  const before = keyed.find((one) => one.before !== undefined)?.before?.id;
  const isOther = more !== undefined || (before !== undefined && keyed.some((one) => one.before === undefined));
  if (isOther) throw keyConflict(first.callKey, before ?? String(more?.id));
}

/** The same key twice in one call: the id of the first. */
class Twin {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

/** For each task whose key is taken, by what. @throws {PoolError} `key_conflict`. */
async function knownKeys(
  change: Change,
  tasks: readonly NewTask[],
): Promise<readonly (TaskRecord | Twin | undefined)[]> {
  const firsts = new Map<string, NewTask>();
  const known: (TaskRecord | Twin | undefined)[] = [];
  for (const task of tasks) {
    const { key } = task.spec;
    if (key === undefined) {
      known.push(undefined);
      continue;
    }
    const first = firsts.get(key);
    if (first !== undefined) {
      if (canonical(first.spec) !== canonical(task.spec)) throw keyConflict(key, first.id);
      known.push(new Twin(first.id));
      continue;
    }
    const [row] = await change.sql.all(`${selectTasks()} WHERE key = ?`, [key]);
    if (row === undefined) {
      firsts.set(key, task);
      known.push(undefined);
      continue;
    }
    const record = taskOf(row);
    if (canonical(specOf(record)) !== canonical(task.spec)) throw keyConflict(key, record.id);
    known.push(record);
  }
  return known;
}

/** Does the pool take work with these caps (microdollars)? @throws {PoolError} `pool_shutdown`, `budget_exhausted`, `task_budget_exceeds_remaining`. */
export function checkOpen(change: Change, caps: readonly (number | undefined)[]): void {
  if (change.pool.shutdown === 1) {
    throw new PoolError(
      "pool_shutdown",
      "The pool is drained and takes no work. Open it again with `claude-pool serve` or `openPool`.",
    );
  }
  const budget = budgetOf(change.pool, change.nowMs);
  for (const cap of caps) checkAdmission(budget, cap);
}

/** What places a task in its chain. */
export interface ChainPlace {
  readonly chainId: string;
  readonly chainSeq: number;
  readonly step: number;
}

/** Writes a new pending task, counts it and tells of it; admission is the caller's. */
export async function insertNew(
  change: Change,
  { id, spec, originHost, kind = "task", depth, parent, trace }: NewTask,
  place?: ChainPlace,
  recoveryPrompt?: string,
): Promise<TaskRecord> {
  const { pool, nowMs } = change;
  pool.task_seq += 1;
  const record = defined<TaskRecord>({
    id,
    seq: pool.task_seq,
    prompt: spec.prompt,
    state: "pending",
    priority: spec.priority ?? 0,
    tags: spec.tags ?? [],
    config: overridesOf(spec),
    cwd: spec.cwd,
    timeoutMs: spec.timeoutMs,
    queueTimeoutMs: spec.queueTimeoutMs,
    key: spec.key,
    conversation: spec.conversation,
    reviewRequired: spec.review ?? false,
    maxRejections: spec.maxRejections ?? defaultMaxRejections,
    rejectionCount: 0,
    originHost,
    attempt: 0,
    lostRuns: 0,
    kind,
    chainId: place?.chainId,
    step: place?.step,
    plan: planOf(spec, recoveryPrompt),
    merge: spec.merge,
    paths: spec.paths,
    claimWaitMs: spec.claimWaitMs,
    hold: claimHold(spec),
    retryCount: 0,
    depth: depth === 0 ? undefined : depth,
    parentTaskId: parent?.taskId,
    trace,
    createdAtMs: nowMs,
  });
  await insertTask(change, record, place?.chainSeq);
  count(pool, undefined, "pending");
  change.emit(
    { type: "task.submitted", taskId: id, data: { priority: record.priority, tags: record.tags } },
    record.seq,
  );
  if (record.hold !== undefined) tellHeld(change, record, record.hold);
  return record;
}

/** A task that names paths waits until a host has looked whether another terminal holds one, which takes it a moment. */
function claimHold({ paths, claimWaitMs = 0 }: TaskSpec): Hold | undefined {
  if (paths === undefined || paths.length === 0 || claimWaitMs === 0) return undefined;
  return { reason: "claim" };
}

/** Writes a whole record with its tags; counters and events are the caller's. `chainSeq` is that of its chain, if it is a step. */
export async function insertTask(change: Change, task: TaskRecord, chainSeq?: number): Promise<void> {
  const deadline =
    task.state === "pending" && task.queueTimeoutMs !== undefined ? change.nowMs + task.queueTimeoutMs : undefined;
  const params: readonly SqlValue[] = [
    task.seq,
    task.id,
    task.state,
    task.priority,
    task.attempt,
    task.lostRuns,
    task.reviewRequired ? 1 : 0,
    task.maxRejections,
    task.rejectionCount,
    column(task.config?.maxBudgetUsd === undefined ? undefined : microdollars(task.config.maxBudgetUsd)),
    column(task.timeoutMs),
    column(task.queueTimeoutMs),
    column(deadline),
    column(task.hold?.reason),
    column(task.hold?.untilMs),
    column(task.cancelRequestedAtMs),
    task.createdAtMs,
    column(task.startedAtMs),
    column(task.completedAtMs),
    column(task.key),
    column(task.originHost),
    column(task.slotId),
    column(task.hostId),
    column(task.runId),
    column(task.resumeSessionId),
    task.kind,
    column(chainSeq),
    column(task.step),
    task.retryCount,
    column(task.merge),
    column(task.mergeId),
    task.depth ?? 0,
    column(task.parentTaskId),
  ];
  await change.sql.run(taskInsert, params);
  await change.sql.run(bodyInsert, [
    task.seq,
    column(task.cwd),
    JSON.stringify(task.tags),
    jsonColumn(task.conversation),
    jsonColumn(task.config),
    column(task.originalPrompt),
    task.prompt,
    jsonColumn(task.plan),
    jsonColumn(task.paths),
    column(task.claimWaitMs),
    jsonColumn(task.trace),
  ]);
  if (task.result !== undefined) await writeResult(change, task.seq, task.result);
  if (task.workspace !== undefined) await writeWorkspace(change.sql, task.seq, task.workspace);
  for (const tag of new Set(task.tags)) {
    await change.sql.run("INSERT INTO task_tag (tag, seq) VALUES (?, ?)", [tag, task.seq]);
  }
}

const taskInsert = `INSERT INTO task (
  seq, id, state, priority, attempt, lost_runs, review_required, max_rejections, rejection_count, cap, timeout_ms,
  queue_timeout_ms, queue_deadline_ms, hold_reason, hold_until_ms, cancel_requested_at_ms, created_at_ms, started_at_ms,
  completed_at_ms, key, origin_host, slot_id, host_id, run_id, resume_session_id, kind, chain_seq, step, retry_count, merge, merge_id,
  depth, parent_id
) VALUES (${Array.from({ length: 33 }, () => "?").join(", ")})`;

const bodyInsert =
  "INSERT INTO task_body (seq, cwd, tags, conversation, config, original_prompt, prompt, plan, paths, claim_wait_ms, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/** The overrides of a spec: everything in it that is not a field of the record itself. */
function overridesOf(spec: TaskSpec): TaskOverrides | undefined {
  const {
    prompt: _prompt,
    priority: _priority,
    tags: _tags,
    cwd: _cwd,
    timeoutMs: _timeoutMs,
    queueTimeoutMs: _queueTimeoutMs,
    key: _key,
    review: _review,
    maxRejections: _maxRejections,
    conversation: _conversation,
    afterRejection: _afterRejection,
    retries: _retries,
    retryDelayMs: _retryDelayMs,
    paths: _paths,
    claimWaitMs: _claimWaitMs,
    merge: _merge,
    ...overrides
  } = spec;
  const config = defined<TaskOverrides>(overrides);
  for (const _field in config) return config;
  return undefined;
}

/** What a task knows of its attempts to come; undefined: one, and a fresh conversation after a rejection. */
function planOf(spec: TaskSpec, recoveryPrompt: string | undefined): TaskPlan | undefined {
  const { retries, retryDelayMs, afterRejection } = spec;
  const plan = defined<TaskPlan>({ retries, retryDelayMs, afterRejection, recoveryPrompt });
  for (const _field in plan) return plan;
  return undefined;
}

function capOf(spec: TaskSpec): number | undefined {
  return spec.maxBudgetUsd === undefined ? undefined : microdollars(spec.maxBudgetUsd);
}
