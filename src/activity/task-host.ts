/**
 * Which process holds a task's claim, kept beside the log as a terminal is: so every reader knows when that host was killed, also where no
 * other opens its pool.
 */
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { sidOf } from "./entry.ts";
import { ensureFolder } from "./folder.ts";
import { ownMark } from "./living.ts";
import type { LogFolder } from "./place.ts";
import { readSession, taskSource, writeSession } from "./sessions.ts";

/** A run that is to claim, in this process. */
export interface HostedRun {
  readonly taskId: string;
  readonly label: string;
  readonly attempt: number;
  readonly project: string;
  readonly cwd: string;
}

/** Notes this process as the run's; before it claims, so that no claim stands without. Throws as `ensureFolder` does. */
export function noteHost(folder: LogFolder, run: HostedRun): void {
  const { taskId, label, attempt, project, cwd } = run;
  const now = Date.now() / 1_000;
  ensureFolder(folder);
  const memory = { attempt };
  const seen = { startedAt: now, seenAt: now };
  writeSession(folder, {
    sid: sidOf(taskId),
    label,
    process: ownMark(),
    project,
    cwd,
    source: taskSource,
    ...seen,
    memory,
  });
}

/** Forgets it, once the run holds nothing more; not where the task's next run has its own claim already. */
export function forgetHost(folder: LogFolder, { taskId, attempt }: Pick<HostedRun, "taskId" | "attempt">): void {
  const sid = sidOf(taskId);
  if (readSession(folder, sid)?.memory?.attempt !== attempt) return;
  try {
    unlinkSync(join(folder.sessions, `${sid}.json`));
  } catch {
    // Somebody cleared it away first.
  }
}
