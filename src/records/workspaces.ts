/** Where tasks worked and what was saved of it: one row beside each task that has a workspace (Q6 of schema-3.ts). */
import type { SqlTx } from "../core/ports.ts";
import { taskNotFound } from "../core/errors.ts";
import type { TaskRecord } from "../core/task.ts";
import type { TaskWorkspace } from "../core/workspace.ts";
import type { Change } from "./change.ts";

/** False: the run does not hold the task any more, and nothing was noted. */
export async function noteWorkspace(
  change: Change,
  taskId: string,
  workspace: TaskWorkspace,
  runId?: string,
): Promise<boolean> {
  const [row] = await change.sql.all("SELECT seq, state, run_id, slot_id FROM task WHERE id = ?", [taskId]);
  if (row === undefined) throw taskNotFound(taskId);
  if (runId !== undefined && (row.state !== "running" || row.run_id !== runId)) return false;
  const seq = Number(row.seq);
  const [before] = await change.sql.all("SELECT noted_by FROM task_workspace WHERE seq = ?", [seq]);
  await writeWorkspace(change.sql, seq, workspace, runId);
  if (runId !== undefined && before?.noted_by !== runId) {
    const { path, branch, baseCommit } = workspace;
    const slot = row.slot_id === null ? {} : { slotId: String(row.slot_id) };
    change.emit({ type: "task.workspace", taskId, ...slot, data: { runId, path, branch, baseCommit } }, seq);
  }
  return true;
}

/** `runId`: the run that works there (Q6 of schema-3.ts). */
export async function writeWorkspace(
  sql: Pick<SqlTx, "run">,
  seq: number,
  workspace: TaskWorkspace,
  runId?: string,
): Promise<void> {
  await sql.run("INSERT OR REPLACE INTO task_workspace (seq, noted_by, workspace) VALUES (?, ?, ?)", [
    seq,
    runId ?? null,
    JSON.stringify(workspace),
  ]);
}

/** Has the task's present run changed anything in a workspace? Then what it left is what the next one goes on from. */
export async function hasWorked(sql: Pick<SqlTx, "all">, task: TaskRecord): Promise<boolean> {
  const [row] = await sql.all("SELECT noted_by FROM task_workspace WHERE seq = ?", [task.seq]);
  return row !== undefined && row.noted_by === (task.runId ?? "");
}
