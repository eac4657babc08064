/** Idempotency keys: when are two specs the same, and what is said when they are not. */
import { defined } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";

/** Rejections after which a reviewed task fails; the original's number. */
export const defaultMaxRejections = 3;

/** The spec that a record was made of, for comparing it with one that comes with the same key. */
export function specOf(task: TaskRecord): TaskSpec {
  return defined<TaskSpec>({
    ...task.config,
    prompt: task.originalPrompt ?? task.prompt,
    priority: task.priority,
    tags: task.tags,
    cwd: task.cwd,
    timeoutMs: task.timeoutMs,
    queueTimeoutMs: task.queueTimeoutMs,
    key: task.key,
    review: task.reviewRequired,
    maxRejections: task.maxRejections,
    conversation: task.conversation,
    retries: task.plan?.retries,
    retryDelayMs: task.plan?.retryDelayMs,
    afterRejection: task.plan?.afterRejection,
    merge: task.merge,
    paths: task.paths,
  });
}

/** One text for all specs that mean the same: defaults filled in, keys sorted at every depth. */
export function canonical(spec: TaskSpec): string {
  // How long it may wait for claims is no part of what it is.
  const { claimWaitMs: _wait, ...work } = spec;
  const full: TaskSpec = {
    ...work,
    priority: spec.priority ?? 0,
    tags: spec.tags ?? [],
    review: spec.review ?? false,
    maxRejections: spec.maxRejections ?? defaultMaxRejections,
    afterRejection: spec.afterRejection ?? "fresh",
    retries: spec.retries ?? 0,
    retryDelayMs: spec.retryDelayMs ?? 0,
    merge: spec.merge ?? "manual",
  };
  return canonicalText(full);
}

/** JSON with the keys sorted at every depth. */
export function canonicalText(given: unknown): string {
  return JSON.stringify(given, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** The key is that of a task with another specification. */
export function keyConflict(key: string, taskId: string): PoolError {
  return new PoolError(
    "key_conflict",
    `The key ${JSON.stringify(key)} belongs to task ${taskId}, which has another specification. Use a new key, or submit exactly that.`,
    { key, taskId },
  );
}
