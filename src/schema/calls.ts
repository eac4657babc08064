/** The options of the pool's calls that are neither a task's nor a slot's: a typing error in them must not pass for "none given". */
import { z } from "zod";
import type { BudgetCap, DrainOptions, ListOptions, SlotFilter, WaitOptions } from "../core/api.ts";
import { defined } from "../core/config.ts";
import { slotStates, taskKinds, taskStates } from "../core/task.ts";
import { toLibrary, type Casing } from "./casing.ts";
import { problem } from "./problem.ts";
import { anyText, dollarsFrom, flag, listOf, milliseconds, oneOf, text, wholeAtLeast } from "./values.ts";

const state = oneOf(taskStates);
const moment = wholeAtLeast(0, "milliseconds since the epoch").optional();

const kind = oneOf(taskKinds);

export const listSchema = z.strictObject({
  kind: z.union([kind, listOf(kind, "a list of kinds")], { error: `one of ${taskKinds.join(", ")}, or a list of them` }).optional(),
  state: z.union([state, listOf(state, "a list of states")], { error: `one of ${taskStates.join(", ")}, or a list of them` }).optional(),
  slotId: text().optional(),
  tags: listOf(text(), "a list of texts").optional(),
  sinceMs: moment,
  untilMs: moment,
  limit: wholeAtLeast(1).optional(),
  after: wholeAtLeast(0).optional(),
  order: oneOf(["newest", "oldest"]).optional(),
});

export const waitSchema = z.strictObject({
  mode: oneOf(["all", "any"]).optional(),
  timeoutMs: milliseconds(0).optional(),
  signal: z.instanceof(AbortSignal, { error: "an AbortSignal" }).optional(),
});

export const drainSchema = z.strictObject({ graceMs: milliseconds(0).optional(), keepPending: flag().optional() });

export const slotFilterSchema = z.strictObject({
  name: text().optional(),
  role: text().optional(),
  state: oneOf(slotStates).optional(),
});

export const budgetCapSchema = z.strictObject(
  {
    usd: dollarsFrom("zero").optional(),
    microdollars: wholeAtLeast(0).optional(),
    renews: oneOf(["none", "day", "week"]).optional(),
  },
  { error: "an object with `usd` or `microdollars`; without either the cap is removed" },
);

const contextEntry = z.strictObject({ key: text("a context key that is not empty"), value: anyText });

const concurrency = z.strictObject({ concurrency: wholeAtLeast(1).optional() });

/** @throws {PoolError} `invalid_options`. */
export function parseListOptions(input: unknown, casing: Casing = "library"): ListOptions {
  return parsed<ListOptions>(listSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseWaitOptions(input: unknown): WaitOptions {
  return parsed<WaitOptions>(waitSchema, input);
}

/** @throws {PoolError} `invalid_options`. */
export function parseDrainOptions(input: unknown, casing: Casing = "library"): DrainOptions {
  return parsed<DrainOptions>(drainSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseSlotFilter(input: unknown, casing: Casing = "library"): SlotFilter {
  return parsed<SlotFilter>(slotFilterSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseBudgetCap(input: unknown, casing: Casing = "library"): BudgetCap {
  return parsed<BudgetCap>(budgetCapSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function checkContextEntry(key: unknown, value: unknown): void {
  parsed(contextEntry, { key, value });
}

/** @throws {PoolError} `invalid_options`. */
export function checkConcurrency(given: unknown): void {
  parsed(concurrency, { concurrency: given });
}

function parsed<T>(schema: z.ZodObject, input: unknown, casing: Casing = "library"): T {
  const value = toLibrary(input, casing);
  const answer = schema.safeParse(value);
  if (answer.success) return defined(answer.data) as T;
  throw problem(answer.error.issues, value, { casing, schema });
}
