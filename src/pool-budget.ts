/** The pool's cap, as `pool.budget`. */
import { microdollars, type BudgetState } from "./core/budget.ts";
import type { BudgetCap } from "./core/api.ts";
import type { PoolConfig } from "./core/config.ts";
import { invalidOptions } from "./core/errors.ts";
import type { Records } from "./core/records.ts";
import { parseBudgetCap } from "./schema/calls.ts";

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
  async set(cap: BudgetCap): Promise<BudgetState> {
    const given = parseBudgetCap(cap);
    if (given.usd !== undefined && given.microdollars !== undefined) {
      throw invalidOptions("usd and microdollars are the same setting: give one of them.", "usd");
    }
    const amount = given.microdollars ?? (given.usd === undefined ? undefined : microdollars(given.usd));
    return this.#records.setBudget(amount, given.renews ?? this.#config.budgetRenews);
  }

  /** Starts counting anew under the same cap. */
  reset(): Promise<BudgetState> {
    return this.#records.resetBudget();
  }
}
