/** What a value that does not fit is told: which field, what was expected, what was got, what was probably meant. */
import type { z } from "zod";
import { invalidOptions, type PoolError } from "../core/errors.ts";
import { foreignMark, ownKeys, spelled, type Casing } from "./casing.ts";
import { nearest } from "./nearest.ts";
import type { IssueHint } from "./values.ts";

type Issue = z.core.$ZodIssue;

/** Where the value came from, for the error's words. */
export interface Origin {
  readonly casing: Casing;
  /** Begins the message: a file's name, a line. */
  readonly where?: string;
  /** Keys known at the top, in the schema's own casing. */
  readonly schema: z.ZodObject;
}

/** The first thing that is wrong with the value, as a PoolError `invalid_options`. */
export function problem(issues: readonly Issue[], input: unknown, origin: Origin): PoolError {
  const issue = deepest(issues);
  const at = origin.where === undefined ? "" : `${origin.where}: `;
  const [unknown] = issue.code === "unrecognized_keys" ? issue.keys : [];
  if (unknown !== undefined) return unknownKey(unknown, issue.path, at, origin);
  const field = fieldName(issue.path, origin.casing);
  const got = valueAt(input, issue.path);
  const head = field === "" ? at : `${at}${field}: `;
  const hint = suggestion(issue, got);
  return invalidOptions(`${head}expected ${issue.message}, got ${shown(got)}.${hint}`, field === "" ? undefined : field);
}

/** A value for a message: its type and itself, cut short. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  if (typeof value === "object") return "an object";
  if (typeof value === "string") {
    return value.length > 60 ? `text ${JSON.stringify(value.slice(0, 60))}… (${String(value.length)} characters)` : `text ${JSON.stringify(value)}`;
  }
  const isPlain = typeof value === "number" || typeof value === "boolean" || typeof value === "bigint";
  return isPlain ? `${typeof value} ${String(value)}` : `a ${typeof value}`;
}

function unknownKey(key: string, path: readonly PropertyKey[], at: string, origin: Origin): PoolError {
  const own = key.replace(foreignMark, "");
  const written = key.startsWith(foreignMark) ? own : spelled(own, origin.casing);
  const inside = fieldName(path, origin.casing);
  const known = keysAt(origin.schema, path).map((name) => spelled(name, origin.casing));
  const meant = nearest(written, known);
  const field = inside === "" ? written : `${inside}.${written}`;
  const hint = meant === undefined ? ` Known are ${known.join(", ")}.` : ` Did you mean ${JSON.stringify(meant)}?`;
  return invalidOptions(`${at}unknown field ${JSON.stringify(field)}.${hint}`, field);
}

/** A misspelled field before a missing one; of a union's branches, the one that came furthest. */
function deepest(issues: readonly Issue[]): Issue {
  const first = mostTelling(issues as readonly [Issue, ...Issue[]]);
  if (first.code !== "invalid_union") return first;
  for (const branch of first.errors) {
    if (branch[0] === undefined) continue;
    const inner = mostTelling([branch[0], ...branch.slice(1)]);
    if (inner.path.length === 0 && inner.code !== "unrecognized_keys") continue;
    return deepest([{ ...inner, path: [...first.path, ...inner.path] }]);
  }
  return first;
}

function mostTelling(issues: readonly [Issue, ...Issue[]]): Issue {
  return issues.find((issue) => issue.code === "unrecognized_keys") ?? issues[0];
}

function suggestion(issue: Issue, got: unknown): string {
  if (typeof got !== "string") return "";
  const hint = issue.code === "custom" ? (issue.params as IssueHint | undefined)?.candidates : undefined;
  const known = issue.code === "invalid_value" ? issue.values.map(String) : (hint ?? []);
  const meant = nearest(got, known);
  return meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`;
}

function fieldName(path: readonly PropertyKey[], casing: Casing): string {
  const own = path.findIndex((part) => ownKeys.has(String(part)));
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${String(part)}]`;
      return own !== -1 && index > own ? String(part) : spelled(String(part), casing);
    })
    .join(".")
    .replaceAll(".[", "[");
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], input);
}

/** The keys that the object at this path may have. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const def = schema.def as { readonly type: string } & Readonly<Record<string, unknown>>;
  if (def.type === "object") {
    const shape = def.shape as Readonly<Record<string, z.ZodType>>;
    const [key, ...rest] = path;
    const next = key === undefined ? undefined : shape[String(key)];
    return next === undefined ? Object.keys(shape) : keysAt(next, rest);
  }
  if (def.type === "array") return keysAt(def.element as z.ZodType, path.slice(1));
  if (def.type === "union") return (def.options as readonly z.ZodType[]).flatMap((option) => keysAt(option, path));
  return def.innerType === undefined ? [] : keysAt(def.innerType as z.ZodType, path);
}
