/** Outcomes as a scripted runner gives them: what matters to a test is named, the rest is plausible. */
import type { EndReason, Outcome } from "../core/outcome.ts";
import type { TaskResult } from "../core/task.ts";

/** A run that did what it was asked; costs 1,000 microdollars and one turn unless told otherwise. */
export function completed(output: string, result: Partial<TaskResult> = {}): Outcome {
  return { kind: "completed", result: { ...blank, output, success: true, ...result } };
}

/** A run that ended badly, for this reason. */
export function failed(reason: EndReason, result: Partial<TaskResult> = {}): Outcome {
  return { kind: "failed", result: { ...blank, error: `Scripted failure: ${reason}.`, ...result, reason } };
}

/** A run that met the usage limit, which lifts at this time (milliseconds since the epoch). */
export function limited(resetsAtMs: number, result: Partial<TaskResult> = {}): Outcome {
  return { kind: "limited", result: { ...blank, reason: "limited", ...result }, resetsAtMs, limitType: "five_hour" };
}

/** A run whose process died under it. */
export function lost(result: Partial<TaskResult> = {}): Outcome {
  return { kind: "lost", result: { ...blank, reason: "lost", error: "The scripted process is gone.", ...result } };
}

/** A run that was stopped on request. */
export function cancelled(result: Partial<TaskResult> = {}): Outcome {
  return { kind: "cancelled", result: { ...blank, reason: "cancelled", error: "Cancelled.", ...result } };
}

/** A run that took too long. */
export function timedOut(result: Partial<TaskResult> = {}): Outcome {
  return { kind: "timed_out", result: { ...blank, error: "Timed out.", ...result, reason: "timed_out" } };
}

const blank: TaskResult = { output: "", success: false, costMicrodollars: 1_000, turnsUsed: 1, elapsedMs: 1 };
