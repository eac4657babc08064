/** Money rules: integers in microdollars, reserved before a run and settled in its commit. */
import { budgetExhausted, taskBudgetExceedsRemaining } from "./errors.ts";

/** The pool's budget as it stands. `capMicrodollars` undefined: no cap. */
export interface BudgetState {
  readonly capMicrodollars?: number;
  /** Spent since the cap was last set, reset or renewed. */
  readonly spentMicrodollars: number;
  readonly reservedMicrodollars: number;
  /** Spent since the pool exists; never reset. */
  readonly totalMicrodollars: number;
  readonly sinceMs: number;
  readonly renews: "none" | "day" | "week";
}

/** Dollars to microdollars, rounded half up. */
export function microdollars(usd: number): number {
  return Math.round(usd * 1_000_000);
}

/**
 * What admission says of a new task.
 *
 * @throws {PoolError} `budget_exhausted` at the cap, `task_budget_exceeds_remaining` if its own cap is larger than the rest.
 */
export function checkAdmission(budget: BudgetState, taskCapMicrodollars: number | undefined): void {
  const cap = budget.capMicrodollars;
  if (cap === undefined) return;
  if (budget.spentMicrodollars >= cap) throw budgetExhausted(budget.spentMicrodollars, cap);
  const remaining = cap - budget.spentMicrodollars;
  if (taskCapMicrodollars !== undefined && taskCapMicrodollars > remaining) {
    throw taskBudgetExceedsRemaining(taskCapMicrodollars, remaining);
  }
}

/**
 * What is set aside for one run: its own cap, else the estimate; `undefined`: it does not fit now and is held.
 *
 * M1. spent + reserved never passes the cap. A run without a cap of its own asks for more when its cost reaches what it
 * has (`grow`), and is stopped when it gets none; so only the API call in flight can pass the pool's cap.
 */
export function reserve(
  budget: BudgetState,
  taskCapMicrodollars: number | undefined,
  estimateMicrodollars: number,
): number | undefined {
  const cap = budget.capMicrodollars;
  if (cap === undefined) return 0;
  const available = cap - budget.spentMicrodollars - budget.reservedMicrodollars;
  const wanted = Math.max(taskCapMicrodollars ?? estimateMicrodollars, 1);
  if (wanted <= available) return wanted;
  // An estimate is a guess: the last money is worth a try when no other run holds any.
  const lastTry = taskCapMicrodollars === undefined && available > 0 && budget.reservedMicrodollars === 0;
  return lastTry ? available : undefined;
}

/** How much more a run without a cap of its own may have, in microdollars; 0: nothing is left and it must stop. */
export function grow(budget: BudgetState, reservedMicrodollars: number): number {
  if (budget.capMicrodollars === undefined) return 0;
  const available = budget.capMicrodollars - budget.spentMicrodollars - budget.reservedMicrodollars;
  return Math.max(0, Math.min(available, Math.max(reservedMicrodollars, 1)));
}

/** The start of the period that `nowMs` is in (local midnight; Monday for weeks), in milliseconds since the epoch. */
export function periodStart(renews: "day" | "week", nowMs: number): number {
  const day = new Date(nowMs);
  day.setHours(0, 0, 0, 0);
  if (renews === "week") day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return day.getTime();
}
