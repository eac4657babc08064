/**
 * The state machine of a task.
 *
 * T1. `nextState` is the only place that knows which state follows which.
 * T2. A terminal state has no way out.
 * T3. A refused transition is an error with a code, never a silent overwrite.
 */
import { PoolError } from "./errors.ts";
import type { TaskState } from "./task.ts";

/** What can happen to a task. */
export const taskEvents = [
  "lease",
  "complete",
  "await_review",
  "fail",
  "cancel",
  "release",
  "approve",
  "reject",
  "reject_for_good",
] as const;
export type TaskEvent = (typeof taskEvents)[number];

/** Every allowed transition; docs/lifecycle.md shows this table and a test compares the two. */
export const transitions: Readonly<Record<TaskState, Partial<Readonly<Record<TaskEvent, TaskState>>>>> = {
  pending: { lease: "running", fail: "failed", cancel: "cancelled" },
  running: {
    complete: "completed",
    await_review: "pending_review",
    fail: "failed",
    cancel: "cancelled",
    release: "pending",
  },
  pending_review: { approve: "completed", reject: "pending", reject_for_good: "failed", cancel: "cancelled" },
  completed: {},
  failed: {},
  cancelled: {},
};

/**
 * The state that follows, for every pair of state and event.
 *
 * @throws {PoolError} `invalid_transition` where the table has none.
 * @example nextState("pending", "lease", "task-1") // "running"
 */
export function nextState(state: TaskState, event: TaskEvent, taskId: string): TaskState {
  const next = transitions[state][event];
  if (next === undefined) {
    throw new PoolError(
      "invalid_transition",
      `Cannot ${event.replaceAll("_", " ")} task ${taskId}: it is ${state.replaceAll("_", " ")}.`,
      { taskId, state, event },
    );
  }
  return next;
}
