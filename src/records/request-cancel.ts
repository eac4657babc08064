import type { TaskRecord } from "../core/task.ts";
import type { Change } from "./change.ts";

/** Writes that a running task is to end; its host obeys. */
export async function requestCancel(change: Change, task: TaskRecord): Promise<TaskRecord> {
  if (task.cancelRequestedAtMs !== undefined) return task;
  await change.sql.run("UPDATE task SET cancel_requested_at_ms = ? WHERE seq = ?", [change.nowMs, task.seq]);
  change.emit({ type: "task.cancel_requested", taskId: task.id, data: {} }, task.seq);
  return { ...task, cancelRequestedAtMs: change.nowMs };
}
