/** The edge of what people say about scopes of money, the metrics and estimates. */
import { z } from "zod";
import type { BudgetScope, EstimateOptions } from "../core/api.ts";
import type { MetricsFilter } from "../core/metrics.ts";
import type { Casing } from "./casing.ts";
import { taskSpecSchema, type Fields } from "./fields.ts";
import { parse } from "./parse.ts";
import { listOf, modelName, text, wholeAtLeast } from "./values.ts";

const tag = text("a tag", 200);

const scopeSchema = z
  .strictObject({ tag: tag.optional(), day: z.literal(true, { error: "true" }).optional() }, { error: "an object with `tag` or `day`" })
  .refine(({ tag: name, day }) => (name === undefined) !== (day === undefined), { error: "either `tag` or `day`" });

const filterFields = {
  sinceMs: wholeAtLeast(0).optional(),
  untilMs: wholeAtLeast(0).optional(),
  tags: listOf(tag, "a list of tags").min(1, { error: "at least one tag" }).optional(),
  model: modelName.optional(),
} satisfies Fields<MetricsFilter>;

export const filterSchema = z.strictObject(filterFields, { error: "an object of filters" });
const { prompt: _prompt, ...taskOptions } = taskSpecSchema.shape;
const estimateSchema = z.strictObject(
  { ...taskOptions, slots: wholeAtLeast(1).optional() } satisfies Fields<EstimateOptions>,
  { error: "an object of options" },
);

/** The scope's name in the records. @throws {PoolError} `invalid_options`. */
export function parseScope(input: unknown, casing: Casing = "library"): string {
  const scope = parse<BudgetScope>(scopeSchema, input, casing);
  return "tag" in scope ? `tag:${scope.tag}` : "day";
}

/** @throws {PoolError} `invalid_options`. */
export function parseMetricsFilter(input: unknown, casing: Casing = "library"): MetricsFilter {
  return parse<MetricsFilter>(filterSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseEstimateOptions(input: unknown, casing: Casing = "library"): EstimateOptions {
  return parse<EstimateOptions>(estimateSchema, input, casing);
}
