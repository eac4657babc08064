/**
 * The shapes of what the pool answers, as JSON has them: MCP's output schemas and the REST description are made of these.
 *
 * Each is written with the library's names, so that `satisfies Fields<T>` holds it to the core's types, and becomes the
 * wire's in one place.
 */
import { z } from "zod";
import { snakeCase } from "../core/wire.ts";

/** A field of the library as JSON spells it. */
type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Tail>}`
  : S;

type Wire<S> = { -readonly [K in keyof S as K extends string ? SnakeCase<K> : never]: S[K] };

/** An object of exactly these fields, in wire names. */
export function answer<const S extends Readonly<Record<string, z.ZodType>>>(
  fields: S,
): z.ZodObject<Wire<S>, z.core.$strict> {
  const entries = Object.entries(fields).map(([name, schema]) => [snakeCase(name), schema]);
  return z.strictObject(Object.fromEntries(entries)) as unknown as z.ZodObject<Wire<S>, z.core.$strict>;
}

export const words = z.string();
export const yes = z.boolean();
export const count = z.int().min(0);
export const texts = z.array(z.string());
/** Millionths of a dollar. */
export const money = z.int().describe("In millionths of a dollar.");
/** Milliseconds since the epoch. */
export const moment = z.int().describe("In milliseconds since the epoch.");
/** Milliseconds. */
export const span = z.number().min(0).describe("In milliseconds.");
/** Keys and values that are the user's or Claude's own. */
export const anything = z.record(z.string(), z.unknown());
/** Text by names that are the user's own. */
export const textByName = z.record(z.string(), z.string());
