/** What a pool says of its work in figures, and what bounds that work. */
import type { EstimateOptions, WorkEstimate } from "./core/api.ts";
import type { MetricsFilter, SessionMetrics } from "./core/metrics.ts";
import type { Records } from "./core/records.ts";
import type { PoolStatus, TaskSpec } from "./core/task.ts";
import type { EngineParts } from "./engine/parts.ts";
import { estimateWork } from "./estimating.ts";
import { PoolBudget } from "./pool-budget.ts";
import { PoolGovernor } from "./pool-governor.ts";
import { PoolSlots } from "./pool-slots.ts";
import { parseEstimateOptions, parseMetricsFilter } from "./schema/parse-governing.ts";

/** A pool's counts, money and forecasts. */
export abstract class PoolFigures extends PoolSlots {
  readonly budget: PoolBudget;
  readonly governor: PoolGovernor;
  readonly #records: Records;
  readonly #parts: EngineParts;
  readonly #openedAtMs: number;

  constructor(parts: EngineParts) {
    super(parts);
    this.#records = parts.records;
    this.#parts = parts;
    this.#openedAtMs = parts.clock.now();
    this.budget = new PoolBudget(parts.records, parts.config);
    this.governor = new PoolGovernor(parts.records);
  }

  /** Counts and money, at the same cost for ten tasks and a million. */
  status(): Promise<PoolStatus> {
    return this.#records.status();
  }

  /**
   * What tasks cost and took: without a filter what ended since this opening, with one the tasks that it names.
   *
   * @throws {PoolError} `invalid_options`.
   * @example const { totalCostMicrodollars } = await pool.sessionMetrics({ tags: ["nightly"] });
   */
  async sessionMetrics(filter: MetricsFilter = {}): Promise<SessionMetrics> {
    return this.#records.metrics(this.#openedAtMs, parseMetricsFilter(filter));
  }

  /**
   * What a task, or several, would cost and take, by the record of this project; nothing runs.
   *
   * @throws {PoolError} `invalid_options`, `cwd_not_found`.
   * @example const estimate = await pool.estimate("Review src/", { tags: ["review"] });
   */
  async estimate(
    inputs: string | TaskSpec | readonly (string | TaskSpec)[],
    options: EstimateOptions = {},
  ): Promise<WorkEstimate> {
    const { cwd, config } = this.#parts;
    return estimateWork(
      this.#records,
      { cwd, config, originHost: undefined, checked: new Set() },
      [inputs].flat(),
      parseEstimateOptions(options),
    );
  }
}
