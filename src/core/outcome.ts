/** How a run ended: decided once, first cause wins. */
import type { TaskResult, TaskState } from "./task.ts";

/** Why a run or a task did not complete. */
export const endReasons = [
  "error",
  "max_turns",
  "budget",
  "schema",
  "permission",
  "refused",
  "prompt_too_long",
  "api",
  "timed_out",
  "silent",
  "limited",
  "lost",
  "launch",
  "mismatch",
  "workspace",
  "checks",
  "no_slot_available",
  "shutdown",
  "cancelled",
  "rejected",
] as const;
export type EndReason = (typeof endReasons)[number];

/** How one run ended. `limited` and `lost` send the task back to the queue; the rest end it. */
export type Outcome =
  | { readonly kind: "completed"; readonly result: TaskResult }
  | { readonly kind: "failed"; readonly result: TaskResult & { readonly reason: EndReason } }
  | { readonly kind: "cancelled"; readonly result: TaskResult }
  | { readonly kind: "timed_out"; readonly result: TaskResult & { readonly reason: EndReason } }
  | { readonly kind: "limited"; readonly result: TaskResult; readonly resetsAtMs: number; readonly limitType?: string }
  | { readonly kind: "lost"; readonly result: TaskResult };

export type OutcomeKind = Outcome["kind"];

/** What a task became: the answer to `outcome()`, `result` and `wait`. Never an exception. */
export interface TaskOutcome {
  readonly taskId: string;
  readonly state: TaskState;
  /** Absent as long as no run of it has ended. */
  readonly result?: TaskResult;
}

/** The event of the state machine that an ended run is. */
export function eventOf(
  kind: OutcomeKind,
  reviewRequired: boolean,
): "complete" | "await_review" | "fail" | "cancel" | "release" {
  switch (kind) {
    case "completed":
      return reviewRequired ? "await_review" : "complete";
    case "failed":
    case "timed_out":
      return "fail";
    case "cancelled":
      return "cancel";
    case "limited":
    case "lost":
      return "release";
  }
}
