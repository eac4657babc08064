/** What work would cost and take, before any of it is submitted: nothing is written, and nothing is asked of Claude. */
import { admit } from "./admission.ts";
import type { EstimateOptions, WorkEstimate } from "./core/api.ts";
import { microdollars } from "./core/budget.ts";
import { addForecasts, capped, type Forecast } from "./core/forecast.ts";
import type { Records } from "./core/records.ts";
import type { TaskSpec } from "./core/task.ts";

/** @throws {PoolError} what `submit` throws of a spec that is wrong in itself. */
export async function estimateWork(
  records: Records,
  pool: Parameters<typeof admit>[2],
  inputs: readonly (string | TaskSpec)[],
  { slots = 1, ...options }: EstimateOptions,
): Promise<WorkEstimate> {
  const asked = new Map<string, Promise<Forecast>>();
  const forecasts = inputs.map(async (input) => {
    const { spec } = admit(input, options, pool);
    const model = (spec.model ?? pool.config.model)?.replace(/\[.*\]$/, "");
    const like = { tags: spec.tags ?? [], ...(model === undefined ? {} : { model }) };
    const key = JSON.stringify(like);
    const forecast = asked.get(key) ?? records.forecast(like);
    asked.set(key, forecast);
    const cap = spec.maxBudgetUsd === undefined ? undefined : microdollars(spec.maxBudgetUsd);
    return capped(await forecast, cap);
  });
  return { tasks: inputs.length, ...addForecasts(await Promise.all(forecasts), slots) };
}
