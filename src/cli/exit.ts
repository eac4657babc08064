/** What the program's exit code says: 0 done, 1 failed, 2 usage, 3 budget or limit, 4 not found or wrong state, 130 interrupted. */
import { CommanderError } from "commander";
import { errorMeanings } from "../core/error-meanings.ts";
import { PoolError } from "../core/errors.ts";
import type { TaskRecord } from "../core/task.ts";

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130;

export function exitOfError(error: unknown): ExitCode {
  if (error instanceof PoolError) return errorMeanings[error.code].exit;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return 1;
}

/** Of one task: how it ended, or that it has not. */
export function exitOfTask(task: Pick<TaskRecord, "state" | "result">): ExitCode {
  switch (task.state) {
    case "completed":
    case "pending_review":
      return 0;
    case "failed":
    case "cancelled":
      return task.result?.reason === "budget" || task.result?.reason === "limited" ? 3 : 1;
    case "pending":
    case "running":
      return 4;
  }
}

/** Of several: a failure first, then an unfinished one, then budget and limit. */
export function exitOfTasks(tasks: readonly Pick<TaskRecord, "state" | "result">[]): ExitCode {
  const codes = tasks.map(exitOfTask);
  return ([1, 4, 3] as const).find((code) => codes.includes(code)) ?? 0;
}
