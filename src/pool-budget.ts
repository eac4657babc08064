/** The pool's cap, as `pool.budget`. */
import type { BudgetCap, BudgetScope } from "./core/api.ts";
import { microdollars, type BudgetState, type ScopeBudget } from "./core/budget.ts";
import type { PoolConfig } from "./core/config.ts";
import { invalidOptions } from "./core/errors.ts";
import type { Records } from "./core/records.ts";
import { parseBudgetCap } from "./schema/calls.ts";
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
  async set(cap: BudgetCap): Promise<BudgetState> {
    const given = parseBudgetCap(cap);
    if (given.usd !== undefined && given.microdollars !== undefined) {
      throw invalidOptions("usd and microdollars are the same setting: give one of them.", "usd");
    }
    const amount = given.microdollars ?? (given.usd === undefined ? undefined : microdollars(given.usd));
    return this.#records.setBudget(amount, given.renews ?? this.#config.budgetRenews);
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
