/** The pool's cap, as `pool.budget`. */
import type { BudgetScope } from "./core/api.ts";
import { microdollars, type BudgetState, type ScopeBudget } from "./core/budget.ts";
import type { PoolConfig } from "./core/config.ts";
import type { Records } from "./core/records.ts";
import { parseScope } from "./schema/parse-governing.ts";
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

  /**
   * Caps what tasks with a tag may spend, or what a day may; beside the pool's own cap, and counted from now on. A changed
   * cap goes on counting; `undefined` removes it.
   *
   * @throws {PoolError} `invalid_options`.
   * @example await pool.budget.setScope({ tag: "nightly" }, 5);
   */
  async setScope(scope: BudgetScope, usd: number | undefined): Promise<void> {
    const amount = usd === undefined ? undefined : wholeNumber(microdollars(usd), "budget");
    await this.#records.setScopeBudget(parseScope(scope), amount);
  }

  /** Every budget of a tag, of the day, and of chains that have one. */
  scopes(): Promise<readonly ScopeBudget[]> {
    return this.#records.scopeBudgets();
  }

  /** Starts counting anew under the same cap. */
  reset(): Promise<BudgetState> {
    return this.#records.resetBudget();
  }
}
