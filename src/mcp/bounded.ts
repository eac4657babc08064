/**
 * Keeps an answer within what a model can be shown, and says what was left out and where the rest is.
 *
 * B1. What fits is untouched. What does not has its longest texts cut first, all to the same length; then its longest lists.
 * B2. Every cut is told with where the whole of it is.
 */
import { z } from "zod";
import { answer, count, words } from "../schema/answer.ts";

/** What was cut out of an answer. */
export interface Cut {
  readonly field: string;
  readonly kept: number;
  readonly total: number;
  readonly uri: string;
}

/** The field that every output schema has for what was cut. */
export const cutFields = {
  cut: z
    .array(answer({ field: words, kept: count, total: count, uri: words }))
    .optional()
    .describe("What was too long for this answer, and the resource that has all of it."),
};

export interface Bounded {
  readonly value: Readonly<Record<string, unknown>>;
  readonly cuts: readonly Cut[];
}

type Path = readonly (string | number)[];

/** Where all of a cut value is; `owner` is the id of the task, message or request that it belongs to. */
export type Locate = (
  path: Path,
  kept: number,
  about: { readonly owner: string | undefined; readonly whole: Readonly<Record<string, unknown>> },
) => string;

/** Far enough under 10,000, since nobody but the model's own tokenizer knows. */
export const maxTokens = 8_500;
const shortestText = 200;
/** So many cuts are told; the rest are of the same kind. */
const maxCutsTold = 12;

/** An estimate that errs on the high side: a token for three characters of ASCII, two for three of anything else. */
export function tokensOf(text: string): number {
  let other = 0;
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 126) other += 1;
  return Math.ceil((text.length - other) / 3 + other / 1.5);
}

/** The answer (in wire names) as it is, or cut. */
export function bounded(value: Readonly<Record<string, unknown>>, locate: Locate): Bounded {
  if (fits(value)) return { value, cuts: [] };
  const texts = largest(shortestText, 60_000, (length) => fits(cutAt(value, length, Infinity, locate).value));
  const lists = fits(cutAt(value, texts, Infinity, locate).value)
    ? Infinity
    : largest(0, 10_000, (length) => fits(cutAt(value, texts, length, locate).value));
  return cutAt(value, texts, lists, locate);
}

function fits(value: unknown): boolean {
  return tokensOf(JSON.stringify(value)) <= maxTokens;
}

/** The largest number of a range for which this holds; the smallest of the range if it holds for none. */
function largest(from: number, to: number, holds: (value: number) => boolean): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function cutAt(whole: Readonly<Record<string, unknown>>, texts: number, lists: number, locate: Locate): Bounded {
  const cuts: Cut[] = [];
  const note = (path: Path, kept: number, total: number, owner: string | undefined): void => {
    if (cuts.length < maxCutsTold)
      cuts.push({ field: fieldName(path), kept, total, uri: locate(path, kept, { owner, whole }) });
  };
  const cut = (value: unknown, path: Path, owner: string | undefined): unknown => {
    if (typeof value === "string") {
      if (value.length <= texts) return value;
      const kept = wholeCharacters(value, texts);
      note(path, kept, value.length, owner);
      return value.slice(0, kept);
    }
    if (typeof value !== "object" || value === null) return value;
    const owned = ownerOf(value) ?? owner;
    const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
      ? value.map((item: unknown, index) => [index, item] as const)
      : Object.entries(value);
    // The answer's own fields are its shape: only what is inside of them is a list of the user's.
    const kept = path.length === 0 ? entries : entries.slice(0, lists);
    if (kept.length < entries.length) note(path, kept.length, entries.length, owner);
    const inner = kept.map(([key, item]) => [key, cut(item, [...path, key], owned)] as const);
    return Array.isArray(value) ? inner.map(([, item]) => item) : Object.fromEntries(inner);
  };
  const value = cut(whole, [], undefined) as Readonly<Record<string, unknown>>;
  return cuts.length === 0 ? { value, cuts } : { value: { ...value, cut: cuts }, cuts };
}

/** Never half of a character. */
export function wholeCharacters(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return last >= 0xd800 && last <= 0xdbff ? length - 1 : length;
}

function ownerOf(value: object): string | undefined {
  const { task_id: task, id } = value as { readonly task_id?: unknown; readonly id?: unknown };
  if (typeof id === "string" && id.startsWith("req-")) return id;
  if (typeof task === "string") return task;
  return typeof id === "string" && id.startsWith("msg-") ? id : undefined;
}

function fieldName(path: Path): string {
  return path
    .map((part) => (typeof part === "number" ? `[${String(part)}]` : part))
    .join(".")
    .replaceAll(".[", "[");
}
