/** Rows of the tables as the records they stand for; nothing beyond this file knows a column's name in a record. */
import type { TaskPlan } from "../core/attempt.ts";
import { defined } from "../core/config.ts";
import type { PoolEvent } from "../core/events.ts";
import type { EndReason } from "../core/outcome.ts";
import type { SqlRow, SqlValue } from "../core/ports.ts";
import type {
  ConversationChoice,
  Hold,
  HoldReason,
  HostKind,
  HostRecord,
  ProcessIdentity,
  RunRecord,
  SlotConfig,
  SlotRecord,
  SlotState,
  TaskOverrides,
  TaskRecord,
  TaskResult,
  TaskState,
  TokenUsage,
} from "../core/task.ts";
import { slotId } from "../core/ids.ts";
import type { TraceContext } from "../core/trace-context.ts";
import type { TaskWorkspace } from "../core/workspace.ts";

/** Reads whole tasks; `from` is `task` with, where it matters, the index it is to be read by. */
export function selectTasks(from = "task"): string {
  // CROSS JOIN holds the planner to this order of the tables, and so to the index's order of the rows.
  return `SELECT task.*, body.cwd, body.tags, body.conversation, body.config, body.original_prompt, body.prompt, body.plan, body.paths, body.claim_wait_ms, body.trace,
    answer.result, work.workspace, (SELECT chain.id FROM task AS chain WHERE chain.seq = task.chain_seq) AS chain_id
    FROM ${from} CROSS JOIN task_body AS body ON body.seq = task.seq LEFT JOIN task_result AS answer ON answer.seq = task.seq
    LEFT JOIN task_workspace AS work ON work.seq = task.seq`;
}

/** Assigns field by field what is there: this runs for every task leased, and `defined` would double its cost. */
export function taskOf(row: SqlRow): TaskRecord {
  const task: Mutable<TaskRecord> = {
    id: text(row.id),
    seq: Number(row.seq),
    prompt: text(row.prompt),
    state: row.state as TaskState,
    priority: Number(row.priority),
    tags: row.tags === "[]" ? [] : (JSON.parse(text(row.tags)) as readonly string[]),
    reviewRequired: row.review_required === 1,
    maxRejections: Number(row.max_rejections),
    rejectionCount: Number(row.rejection_count),
    attempt: Number(row.attempt),
    lostRuns: Number(row.lost_runs),
    kind: row.kind as TaskRecord["kind"],
    retryCount: Number(row.retry_count),
    createdAtMs: Number(row.created_at_ms),
  };
  if (row.config !== null) task.config = JSON.parse(text(row.config)) as TaskOverrides;
  if (row.conversation !== null) task.conversation = JSON.parse(text(row.conversation)) as ConversationChoice;
  if (row.result !== null) task.result = JSON.parse(text(row.result)) as TaskResult;
  if (row.plan !== null) task.plan = JSON.parse(text(row.plan)) as TaskPlan;
  if (row.workspace !== null) task.workspace = JSON.parse(text(row.workspace)) as TaskWorkspace;
  if (row.merge !== null) task.merge = row.merge as NonNullable<TaskRecord["merge"]>;
  if (row.merge_id !== null) task.mergeId = text(row.merge_id);
  if (row.chain_id !== null) task.chainId = text(row.chain_id);
  if (row.step !== null) task.step = Number(row.step);
  if (row.hold_reason !== null) task.hold = holdOf(row);
  if (row.depth !== 0) task.depth = Number(row.depth);
  if (row.parent_id !== null) task.parentTaskId = text(row.parent_id);
  if (row.cwd !== null) task.cwd = text(row.cwd);
  if (row.paths !== null) task.paths = JSON.parse(text(row.paths)) as readonly string[];
  if (row.claim_wait_ms !== null) task.claimWaitMs = Number(row.claim_wait_ms);
  if (row.trace !== null) task.trace = JSON.parse(text(row.trace)) as TraceContext;
  if (row.key !== null) task.key = text(row.key);
  if (row.original_prompt !== null) task.originalPrompt = text(row.original_prompt);
  if (row.origin_host !== null) task.originHost = text(row.origin_host);
  if (row.slot_id !== null) task.slotId = text(row.slot_id);
  if (row.host_id !== null) task.hostId = text(row.host_id);
  if (row.run_id !== null) task.runId = text(row.run_id);
  if (row.resume_session_id !== null) task.resumeSessionId = text(row.resume_session_id);
  if (row.timeout_ms !== null) task.timeoutMs = Number(row.timeout_ms);
  if (row.queue_timeout_ms !== null) task.queueTimeoutMs = Number(row.queue_timeout_ms);
  if (row.cancel_requested_at_ms !== null) task.cancelRequestedAtMs = Number(row.cancel_requested_at_ms);
  if (row.started_at_ms !== null) task.startedAtMs = Number(row.started_at_ms);
  if (row.completed_at_ms !== null) task.completedAtMs = Number(row.completed_at_ms);
  return task;
}

/** `row` has the columns of `run` and the id of its task as `task_id`. */
export function runOf(row: SqlRow): RunRecord {
  return defined<RunRecord>({
    runId: text(row.run_id),
    taskId: text(row.task_id),
    attempt: Number(row.attempt),
    hostId: text(row.host_id),
    slotId: text(row.slot_id),
    startedAtMs: Number(row.started_at_ms),
    endedAtMs: number(row.ended_at_ms),
    outcome: optional(row.outcome),
    reason: (row.reason ?? undefined) as EndReason | undefined,
    reservedMicrodollars: Number(row.reserved),
    costMicrodollars: Number(row.cost),
    costEstimated: row.cost_estimated === 1,
    turnsUsed: Number(row.turns_used),
    model: optional(row.model),
    sessionId: optional(row.session_id),
    usage: json<TokenUsage>(row.usage),
    superseded: optional(row.superseded) as RunRecord["superseded"],
  });
}

export function slotOf(row: SqlRow): SlotRecord {
  return defined<SlotRecord>({
    id: slotId(Number(row.number)),
    state: row.state as SlotState,
    config: JSON.parse(text(row.config)) as SlotConfig,
    hostId: text(row.host_id),
    currentTask: optional(row.current_task),
    sessionId: optional(row.session_id),
    sessionCwd: optional(row.session_cwd),
    tasksCompleted: Number(row.tasks_completed),
    costMicrodollars: Number(row.cost),
    restartCount: Number(row.restart_count),
    worktreePath: optional(row.worktree_path),
    error: optional(row.error),
    process: json<ProcessIdentity>(row.process),
  });
}

/** The number behind a slot's id; NaN for a text that is none, which no row has. */
export function slotNumber(id: string): number {
  return /^slot-[1-9][0-9]*$/.test(id) ? Number(id.slice("slot-".length)) : Number.NaN;
}

export function hostOf(row: SqlRow): HostRecord {
  return {
    id: text(row.id),
    kind: row.kind as HostKind,
    pid: Number(row.pid),
    startTime: text(row.start_time),
    bootId: text(row.boot_id),
    hostname: text(row.hostname),
    startedAtMs: Number(row.started_at_ms),
    leaseUntilMs: Number(row.lease_until_ms),
    state: row.state as HostRecord["state"],
    targetSlots: Number(row.target_slots),
  };
}

/** `row` has the columns of `event` and the id of its task, if it has one, as `task_id`. */
export function eventOfRow(row: SqlRow): PoolEvent {
  return defined({
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
    type: text(row.type),
    taskId: optional(row.task_id),
    slotId: optional(row.slot_id),
    data: JSON.parse(text(row.data)) as unknown,
  }) as PoolEvent;
}

/** A value as a column has it: absent is NULL. */
export function column(value: string | number | undefined): SqlValue {
  return value ?? null;
}

/** A structure as a column has it. */
export function jsonColumn(value: unknown): SqlValue {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function holdOf(row: SqlRow): Hold {
  const note = row.hold_reason === "claim" ? optional(row.hold_note) : undefined;
  return defined<Hold>({ reason: row.hold_reason as HoldReason, untilMs: number(row.hold_until_ms), note });
}

function text(value: SqlValue | undefined): string {
  return value as string;
}

function optional(value: SqlValue | undefined): string | undefined {
  return (value ?? undefined) as string | undefined;
}

function number(value: SqlValue | undefined): number | undefined {
  return (value ?? undefined) as number | undefined;
}

function json<T>(value: SqlValue | undefined): T | undefined {
  return value === null || value === undefined ? undefined : (JSON.parse(value as string) as T);
}
