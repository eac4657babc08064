/**
 * The merge queue in the records: G1 and G4 of core/merge.ts are kept here.
 *
 * M1. A task has at most one open merge for each target.
 * M2. Of a task in review, the open merge that approves it is its `merge_id`; nothing else decides about it meanwhile.
 */
import { PoolError, taskNotFound } from "../core/errors.ts";
import { defined } from "../core/config.ts";
import { newMergeId } from "../core/ids.ts";
import { checkMergeStep, type MergeEnd, type MergeRecord, type MergeRequest, type MergeState } from "../core/merge.ts";
import type { ProcessOwner } from "../core/process-owner.ts";
import type { Sql, SqlRow, SqlTx } from "../core/ports.ts";
import type { MergeFilter } from "../core/records.ts";
import type { TaskRecord, TaskState } from "../core/task.ts";
import { hasWork, type TaskWorkspace } from "../core/workspace.ts";
import type { Change } from "./change.ts";
import { column, jsonColumn, selectTasks, taskOf } from "./rows.ts";

type Reader = Pick<Sql | SqlTx, "all">;

/** Puts work into the queue; of a task in review the request must approve it. */
export async function requestMerge(change: Change, request: MergeRequest): Promise<MergeRecord> {
  const [row] = await change.sql.all(`${selectTasks()} WHERE task.id = ?`, [request.taskId]);
  if (row === undefined) throw taskNotFound(request.taskId);
  const task = taskOf(row);
  if (task.mergeId !== undefined) return sameMerge(await mergeById(change.sql, task.mergeId), request);
  const isDone = task.state === "completed" || (task.state === "pending_review" && request.approves);
  if (!isDone) throw notDone(task);
  checkWork(task, task.workspace);
  return queueMerge(change, task, { ...request, approves: task.state === "pending_review" });
}

/** M2. @throws {PoolError} `invalid_transition` for another target than that which is to complete the task. */
function sameMerge(open: MergeRecord, { repository, target, taskId }: MergeRequest): MergeRecord {
  if (open.repository === repository && open.target === target) return open;
  throw new PoolError(
    "invalid_transition",
    `Cannot merge task ${taskId} into ${target}: ${open.id} is on its way into ${open.target}, which completes the task. Wait for that first.`,
    { taskId, mergeId: open.id },
  );
}

/** The open merge of the task for this target (M1), or a new one; what may be merged at all is the caller's to check. */
export async function queueMerge(
  change: Change,
  task: Pick<TaskRecord, "id" | "seq">,
  request: MergeRequest,
): Promise<MergeRecord> {
  const { sql, nowMs } = change;
  const [open] = await sql.all(
    `${selectMerges} WHERE task_seq = ? AND merge.state IN ('queued', 'merging') AND repository = ? AND target = ?`,
    [task.seq, request.repository, request.target],
  );
  if (open !== undefined) return mergeOf(open);
  const id = newMergeId();
  await sql.run(
    `INSERT INTO merge (id, task_seq, state, repository, target, method, approves, on_conflict, requested_at_ms)
      VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?)`,
    [
      id,
      task.seq,
      request.repository,
      request.target,
      request.method,
      request.approves ? 1 : 0,
      request.onConflict,
      nowMs,
    ],
  );
  if (request.approves) await sql.run("UPDATE task SET merge_id = ? WHERE seq = ?", [id, task.seq]); // M2
  change.emit({ type: "merge.queued", taskId: task.id, data: { mergeId: id, target: request.target } }, task.seq);
  return { ...request, taskId: task.id, id, state: "queued", requestedAtMs: nowMs };
}

/** The next merge in order whose target nobody merges into; what a dead holder left comes before all others. */
export async function takeMerge(
  change: Change,
  holder: ProcessOwner,
  isDead: (holder: ProcessOwner) => boolean,
): Promise<MergeRecord | undefined> {
  const { sql, nowMs } = change;
  const rows = await sql.all(
    `${selectMerges} WHERE merge.number IN (SELECT MIN(number) FROM merge INDEXED BY merge_open
        WHERE state IN ('queued', 'merging') GROUP BY repository, target) ORDER BY merge.number`,
  );
  // The first of each target: one under way is always the first, since they are taken in order (G1).
  const firsts = rows.map(mergeOf);
  const left = firsts.find((one) => one.state === "merging" && (one.holder === undefined || isDead(one.holder)));
  const next = left ?? firsts.find((one) => one.state === "queued");
  if (next === undefined) return undefined;
  if (next.state === "queued") checkMergeStep(next.id, next.state, "merging");
  await sql.run("UPDATE merge SET state = 'merging', started_at_ms = ?, holder = ? WHERE id = ?", [
    nowMs,
    JSON.stringify(holder),
    next.id,
  ]);
  const data = { mergeId: next.id, target: next.target };
  change.emit({ type: "merge.started", taskId: next.taskId, data }, await seqOf(sql, next.taskId));
  return { ...next, state: "merging", startedAtMs: nowMs, holder };
}

/** What one merge became, and what its task is now; what follows of it for that is merge-ends.ts's. */
export async function closeMerge(
  change: Change,
  merge: MergeRecord,
  end: MergeEnd,
  taskState: TaskState,
): Promise<MergeRecord> {
  checkMergeStep(merge.id, merge.state, end.state);
  const { state, ...outcome } = end;
  await change.sql.run("UPDATE merge SET state = ?, ended_at_ms = ?, holder = NULL, outcome = ? WHERE id = ?", [
    state,
    change.nowMs,
    jsonColumn(outcome),
    merge.id,
  ]);
  await change.sql.run("UPDATE task SET merge_id = NULL WHERE id = ? AND merge_id = ?", [merge.taskId, merge.id]);
  const conflicts = end.state === "conflict" ? end.conflicts.slice(0, maxConflictsShown) : undefined;
  const data = defined({
    mergeId: merge.id,
    target: merge.target,
    state: state,
    taskState,
    commit: end.state === "merged" ? end.commit : undefined,
    conflicts,
    error: "error" in end ? end.error : undefined,
  });
  change.emit({ type: "merge.ended", taskId: merge.taskId, data }, await seqOf(change.sql, merge.taskId));
  const { holder: _holder, ...rest } = merge;
  return { ...rest, ...outcome, state, endedAtMs: change.nowMs };
}

/** Its holder gives it back undone. */
export async function releaseMerge({ sql }: Change, id: string): Promise<void> {
  const { state } = await mergeById(sql, id);
  checkMergeStep(id, state, "queued");
  await sql.run("UPDATE merge SET state = 'queued', started_at_ms = NULL, holder = NULL WHERE id = ?", [id]);
}

/** Takes a queued merge out of the queue; what its task is then is the caller's to say. */
export async function cancelMerge(change: Change, id: string, taskState: TaskState): Promise<MergeRecord> {
  const merge = await mergeById(change.sql, id);
  if (merge.state === "merging") {
    const text = `Merge ${id} is under way and cannot be cancelled. Wait for its end; \`claude-pool merge undo ${id}\` takes back one that has landed.`;
    throw new PoolError("invalid_transition", text, { mergeId: id, state: merge.state });
  }
  return closeMerge(change, merge, { state: "cancelled", error: "It was cancelled before it began." }, taskState);
}

export async function noteUndone(change: Change, id: string): Promise<MergeRecord> {
  const merge = await mergeById(change.sql, id);
  if (merge.state !== "merged" || merge.undoneAtMs !== undefined) {
    const why = merge.undoneAtMs === undefined ? `it is ${merge.state.replaceAll("_", " ")}` : "it has been undone";
    throw new PoolError("invalid_transition", `Cannot undo merge ${id}: ${why}.`, { mergeId: id, state: merge.state });
  }
  await change.sql.run("UPDATE merge SET undone_at_ms = ? WHERE id = ?", [change.nowMs, id]);
  const data = { mergeId: id, target: merge.target };
  change.emit({ type: "merge.undone", taskId: merge.taskId, data }, await seqOf(change.sql, merge.taskId));
  return { ...merge, undoneAtMs: change.nowMs };
}

/** @throws {PoolError} `merge_not_found`. */
export async function mergeById(sql: Reader, id: string): Promise<MergeRecord> {
  const [row] = await sql.all(`${selectMerges} WHERE merge.id = ?`, [id]);
  if (row !== undefined) return mergeOf(row);
  const text = `No merge ${JSON.stringify(id)} in this pool. \`claude-pool merge list\` shows the ids.`;
  throw new PoolError("merge_not_found", text, { mergeId: id });
}

/** Newest first. */
export async function listMerges(
  sql: Reader,
  { taskId, state }: MergeFilter,
  limit: number,
): Promise<readonly MergeRecord[]> {
  const states = state === undefined ? null : JSON.stringify([state].flat());
  const rows = await sql.all(
    `${selectMerges} WHERE (?1 IS NULL OR merge.state IN (SELECT value FROM json_each(?1)))
      AND (?2 IS NULL OR merge.task_seq = (SELECT seq FROM task WHERE id = ?2)) ORDER BY merge.number DESC LIMIT ?3 + 0`,
    [states, taskId ?? null, limit],
  );
  return rows.map(mergeOf);
}

/** Oldest first. */
export async function mergesOfTasks(sql: Reader, seqs: readonly number[]): Promise<readonly MergeRecord[]> {
  const rows = await sql.all(
    `${selectMerges} WHERE merge.task_seq IN (SELECT value FROM json_each(?)) ORDER BY merge.number`,
    [JSON.stringify(seqs)],
  );
  return rows.map(mergeOf);
}

/** A merge of an import; one that was under way is in the queue again, since its holder was a process of then. */
export async function insertMerge({ sql }: Change, merge: MergeRecord, taskSeq: number): Promise<void> {
  const { before, commit, conflicts, checks, error } = merge;
  const outcome = defined({ before, commit, conflicts, checks, error });
  const wasUnderWay = merge.state === "merging";
  await sql.run(
    `INSERT INTO merge (id, task_seq, state, repository, target, method, approves, on_conflict, requested_at_ms,
      started_at_ms, ended_at_ms, undone_at_ms, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      merge.id,
      taskSeq,
      wasUnderWay ? "queued" : merge.state,
      merge.repository,
      merge.target,
      merge.method,
      merge.approves ? 1 : 0,
      merge.onConflict,
      merge.requestedAtMs,
      wasUnderWay ? null : column(merge.startedAtMs),
      column(merge.endedAtMs),
      column(merge.undoneAtMs),
      Object.keys(outcome).length === 0 ? null : JSON.stringify(outcome),
    ],
  );
}

/** Is there work that could be merged? @throws {PoolError} `nothing_to_merge`. */
export function checkWork(task: Pick<TaskRecord, "id">, workspace: TaskWorkspace | undefined): void {
  if (hasWork(workspace)) return;
  const why =
    workspace === undefined
      ? "it ran without isolation, in the shared directory"
      : workspace.saved === undefined
        ? "nothing of its work was saved"
        : "it changed nothing";
  throw new PoolError("nothing_to_merge", `Task ${task.id} has nothing to merge: ${why}.`, { taskId: task.id });
}

/** The most conflicting paths that an event holds; the merge has them all. */
const maxConflictsShown = 20;

const selectMerges = "SELECT merge.*, task.id AS task_id FROM merge JOIN task ON task.seq = merge.task_seq";

function mergeOf(row: SqlRow): MergeRecord {
  const outcome = row.outcome === null ? {} : (JSON.parse(String(row.outcome)) as Partial<MergeRecord>);
  return defined<MergeRecord>({
    ...outcome,
    id: String(row.id),
    taskId: String(row.task_id),
    state: row.state as MergeState,
    repository: String(row.repository),
    target: String(row.target),
    method: row.method as MergeRecord["method"],
    approves: row.approves === 1,
    onConflict: row.on_conflict as MergeRecord["onConflict"],
    requestedAtMs: Number(row.requested_at_ms),
    startedAtMs: row.started_at_ms === null ? undefined : Number(row.started_at_ms),
    endedAtMs: row.ended_at_ms === null ? undefined : Number(row.ended_at_ms),
    undoneAtMs: row.undone_at_ms === null ? undefined : Number(row.undone_at_ms),
    holder: row.holder === null ? undefined : (JSON.parse(String(row.holder)) as ProcessOwner),
  });
}

async function seqOf(sql: Reader, taskId: string): Promise<number> {
  const [row] = await sql.all("SELECT seq FROM task WHERE id = ?", [taskId]);
  return Number(row?.seq);
}

function notDone(task: TaskRecord): PoolError {
  const hint = task.state === "pending_review" ? " Approve it: that merges it." : "";
  return new PoolError(
    "invalid_transition",
    `Cannot merge task ${task.id}: it is ${task.state.replaceAll("_", " ")}; only completed work is merged.${hint}`,
    { taskId: task.id, state: task.state },
  );
}
