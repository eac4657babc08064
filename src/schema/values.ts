/** The kinds of value that options have, each with the words for what was expected. */
import { z } from "zod";
import { isModelName, modelAliases } from "./model-name.ts";

/** The longest time a timer of Node can wait; a longer one would fire at once. */
const longestTimerMs = 2_147_483_647;

const plainJson = "plain JSON throughout (no function, NaN, date or circle)";

/** What a problem report wants beside an issue: the names among which the nearest is looked for. */
export interface IssueHint {
  readonly candidates: readonly string[];
}

/** Text that must say something: a prompt. NUL is allowed, since the CLI takes it. */
export const promptText = wellFormed().refine((text) => text.trim() !== "", {
  error: "text that is neither empty nor blank",
});

/** A value of an environment variable or of the shared context: any text, also none. */
export const anyText = noNul(wellFormed());

/** Text that is not empty and can stand on a command line or in a path. */
export function text(what = "text that is not empty", max?: number) {
  const base = wellFormed().min(1, { error: what });
  return noNul(max === undefined ? base : base.max(max, { error: `at most ${String(max)} characters` }));
}

export function whole(what = "a whole number") {
  return z.int({ error: what });
}

export function wholeAtLeast(min: number, what = `a whole number of at least ${String(min)}`) {
  return z.int({ error: what }).min(min, { error: what });
}

/** A time in milliseconds that a timer can wait. */
export function milliseconds(min: number) {
  const what = `milliseconds, a whole number from ${String(min)} to ${String(longestTimerMs)}`;
  return z.int({ error: what }).min(min, { error: what }).max(longestTimerMs, { error: what });
}

/** A time in seconds, fractions allowed, that a timer can wait. */
export function seconds() {
  const max = Math.floor(longestTimerMs / 1000);
  const what = `seconds, a number above 0 and up to ${String(max)}`;
  return z.number({ error: what }).positive({ error: what }).max(max, { error: what });
}

/** Money in dollars; the upper bound keeps its microdollars exact. */
export function dollarsFrom(bound: "zero" | "above_zero") {
  const what = bound === "zero" ? "dollars, a number of at least 0" : "dollars, a number above 0";
  const base = z.number({ error: what }).max(1e9, { error: "at most a thousand million dollars" });
  return bound === "zero" ? base.nonnegative({ error: what }) : base.gte(0.000001, { error: what });
}

export function share() {
  const what = "a share, a number from 0 to 1";
  return z.number({ error: what }).min(0, { error: what }).max(1, { error: what });
}

export function flag() {
  return z.boolean({ error: "true or false" });
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `one of ${values.join(", ")}` });
}

export function listOf<T extends z.ZodType>(item: T, what: string) {
  return z.array(item, { error: what });
}

/** An object of JSON whose keys and values are the user's own. */
export function jsonObject(what = "an object of plain JSON") {
  return z.record(z.string(), z.unknown(), { error: what }).refine((value) => isJson(value), { error: plainJson });
}

export const environment = z
  .record(z.string(), anyText, { error: "an object of texts" })
  .refine((env) => Object.keys(env).every((name) => /^[^=\0]+$/.test(name)), {
    error: "names of variables that are not empty and hold neither = nor NUL",
  });

export const mcpServers = z
  .record(z.string(), z.record(z.string(), z.unknown(), { error: "an object, the server's definition" }), {
    error: "an object of server definitions by name",
  })
  .refine((value) => isJson(value), { error: plainJson });

export const modelName = text("the name of a model").refine(isModelName, {
  error: `an alias (${modelAliases.join(", ")}, with [1m] if wanted), or an id such as claude-…, …anthropic.… or arn:…`,
  params: { candidates: modelAliases } satisfies IssueHint,
});

function wellFormed() {
  return z.string({ error: "text" }).refine((value) => value.isWellFormed(), {
    error: (issue) => `text without lone surrogates (there is one at index ${String(loneSurrogate(issue.input as string))})`,
    abort: true,
  });
}

function noNul<T extends z.ZodType<string>>(schema: T) {
  return schema.refine((value) => !value.includes("\0"), { error: "text without NUL" });
}

function loneSurrogate(value: string): number {
  let index = 0;
  for (const character of value) {
    if (!character.isWellFormed()) return index;
    index += character.length;
  }
  return -1;
}

/** Would this survive JSON unchanged? Functions, NaN, undefined and cycles would not. */
function isJson(value: unknown, above: readonly object[] = []): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || above.includes(value)) return false;
  const plain = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
  return plain && Object.values(value).every((item) => isJson(item, [...above, value]));
}
