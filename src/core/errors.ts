/**
 * Every error the pool throws.
 *
 * Misuse and broken ground throw; the expected endings of a task are data (outcome.ts).
 */
import type { errorMeanings } from "./error-meanings.ts";

/** The code of a {@link PoolError}, in snake_case: what programs test. */
export type ErrorCode = keyof typeof errorMeanings;

/**
 * Base of every error that the pool throws: a stable `code`, and a message that says what happened, to what, and what to do.
 *
 * @example
 * try { await pool.submit("…"); } catch (error) {
 *   if (error instanceof PoolError && error.code === "budget_exhausted") await pool.budget.reset();
 * }
 */
export class PoolError extends Error {
  override readonly name: string = "PoolError";
  readonly code: ErrorCode;
  /** What a program may want of the error beside its text (ids, figures). */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** Could the store take later what it failed to take now? It never takes a value that it has no room or type for. */
export function canHeal(error: unknown): boolean {
  return error instanceof PoolError && error.code.startsWith("store_") && error.details.isOfValue !== true;
}

/** An option, field or argument that cannot be used; `details.field` names it. */
export function invalidOptions(message: string, field?: string): PoolError {
  return new PoolError("invalid_options", message, field === undefined ? {} : { field });
}

/** The pool was closed in this process. */
export function poolClosed(): PoolError {
  return new PoolError("pool_closed", "The pool is closed. Open it again with `openPool`.");
}

/** No task has this id, or `why` it is none. */
export function taskNotFound(id: string, why?: string): PoolError {
  const rest = why === undefined ? ". `claude-pool list` shows the ids." : `: ${why}`;
  return new PoolError("task_not_found", `No task ${JSON.stringify(id)} in this pool${rest}`, { taskId: id });
}

/** No slot has this id. */
export function slotNotFound(id: string): PoolError {
  return new PoolError(
    "slot_not_found",
    `No slot ${JSON.stringify(id)} in this pool. \`claude-pool slots\` shows the ids.`,
    {
      slotId: id,
    },
  );
}

/** The pool has spent its cap (both figures in microdollars). */
export function budgetExhausted(spentMicrodollars: number, limitMicrodollars: number, scope?: string): PoolError {
  return new PoolError(
    "budget_exhausted",
    `The ${scope ?? "pool"}'s budget is exhausted: ${dollars(spentMicrodollars)} spent of ${dollars(limitMicrodollars)}. ` +
      "Raise it with `claude-pool budget set`, or start counting anew with `claude-pool budget reset`.",
    { spentMicrodollars, limitMicrodollars, ...(scope === undefined ? {} : { scope }) },
  );
}

/** The task's own cap is larger than what the pool has left (both in microdollars). */
export function taskBudgetExceedsRemaining(
  taskMicrodollars: number,
  remainingMicrodollars: number,
  scope?: string,
): PoolError {
  return new PoolError(
    "task_budget_exceeds_remaining",
    `The task's budget of ${dollars(taskMicrodollars)} is larger than the ${dollars(remainingMicrodollars)} that the ${scope ?? "pool"} has left. ` +
      `Give the task a smaller budget, or raise the ${scope ?? "pool"}'s.`,
    { taskMicrodollars, remainingMicrodollars, ...(scope === undefined ? {} : { scope }) },
  );
}

/** Microdollars as dollars with four decimals, as every message writes them. */
export function dollars(microdollars: number): string {
  return `$${(microdollars / 1_000_000).toFixed(4)}`;
}
