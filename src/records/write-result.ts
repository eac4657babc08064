import type { TaskResult } from "../core/task.ts";
import type { Change } from "./change.ts";

/** Stores a task's result; one in review that is cancelled has one already. */
export async function writeResult({ sql }: Change, seq: number, result: TaskResult): Promise<void> {
  await sql.run(
    "INSERT INTO task_result (seq, result) VALUES (?, ?) ON CONFLICT (seq) DO UPDATE SET result = excluded.result",
    [seq, JSON.stringify(result)],
  );
}
