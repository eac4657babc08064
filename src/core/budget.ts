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

/** A budget beside the pool's own: of a tag, of a chain, or of every day. */
export interface ScopeBudget {
  /** `tag:NAME`, `chain:ID` or `day`. */
  readonly scope: string;
  readonly capMicrodollars: number;
  /** Since the cap was first set; of the day: since midnight or then. */
  readonly spentMicrodollars: number;
  readonly reservedMicrodollars: number;
  readonly sinceMs: number;
}

/** In words, for messages. @example scopeName("tag:nightly") // "tag nightly" */
export function scopeName(scope: string): string {
  if (scope === "day") return "day";
  const at = scope.indexOf(":");
  return `${scope.slice(0, at)} ${scope.slice(at + 1)}`;
}

/**
 * What admission says of a new task; `scope` where the budget is not the pool's own.
 *
 * @throws {PoolError} `budget_exhausted` at the cap, `task_budget_exceeds_remaining` if its own cap is larger than the rest.
 */
export function checkAdmission(budget: BudgetState, taskCapMicrodollars: number | undefined, scope?: string): void {
  const cap = budget.capMicrodollars;
  if (cap === undefined) return;
  if (budget.spentMicrodollars >= cap) throw budgetExhausted(budget.spentMicrodollars, cap, scope);
  const remaining = cap - budget.spentMicrodollars;
  if (taskCapMicrodollars !== undefined && taskCapMicrodollars > remaining) {
    throw taskBudgetExceedsRemaining(taskCapMicrodollars, remaining, scope);
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

/** Several budgets bind one run: what is set aside in each of them, or the first that has no room. */
export type Reservation = { readonly reserved: number } | { readonly blockedBy: number };

/** {@link reserve} in all budgets at once; where the last money of one is less than was wanted, that is all it gets. */
export function reserveIn(
  budgets: readonly BudgetState[],
  taskCapMicrodollars: number | undefined,
  estimateMicrodollars: number,
): Reservation {
  let reserved = 0;
  for (const [index, budget] of budgets.entries()) {
    const amount = reserve(budget, taskCapMicrodollars, estimateMicrodollars);
    if (amount === undefined) return { blockedBy: index };
    if (budget.capMicrodollars !== undefined) reserved = reserved === 0 ? amount : Math.min(reserved, amount);
  }
  return { reserved };
}

/** {@link grow} in all budgets at once; without any cap among them nothing binds the run. */
export function growIn(budgets: readonly BudgetState[], reservedMicrodollars: number): number {
  const capped = budgets.filter((budget) => budget.capMicrodollars !== undefined);
  return Math.min(Number.MAX_SAFE_INTEGER, ...capped.map((budget) => grow(budget, reservedMicrodollars)));
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
