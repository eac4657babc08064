/** The pool's cap, as `pool.budget`. */
import { microdollars, type BudgetState } from "./core/budget.ts";
import type { PoolConfig } from "./core/config.ts";
import type { Records } from "./core/records.ts";
import { wholeNumber } from "./schema/whole-number.ts";

/** The pool's cap and what is spent of it. */
export class PoolBudget {
  readonly #records: Records;
  readonly #config: PoolConfig;

  constructor(records: Records, config: PoolConfig) {
    this.#records = records;
    this.#config = config;
  }

  /** The cap, what is spent and reserved of it, and since when it counts. */
  show(): Promise<BudgetState> {
    return this.#records.budget();
  }

  /** Sets the cap and starts counting; without an amount it is removed. */
  set(cap: {
    readonly usd?: number;
    readonly microdollars?: number;
    readonly renews?: "none" | "day" | "week";
  }): Promise<BudgetState> {
    const amount = cap.microdollars ?? (cap.usd === undefined ? undefined : microdollars(cap.usd));
    if (amount !== undefined) wholeNumber(amount, "budget");
    return this.#records.setBudget(amount, cap.renews ?? this.#config.budgetRenews);
  }

  /** Starts counting anew under the same cap. */
  reset(): Promise<BudgetState> {
    return this.#records.resetBudget();
  }
}
