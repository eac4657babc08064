/** Reads variables out of a step's answer: from its structured output, or from JSON in its text (code fences too). */
import type { Json, TaskResult } from "./task.ts";

/** The variables that were found, as text, and the names of those that were not. */
export interface ExtractedVars {
  readonly vars: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
}

/**
 * A path is `.` for the whole output, else keys and array indices joined by dots or in brackets.
 *
 * @example extractVars({ output: '{"files":["a.ts"]}', … }, { first: "files[0]" }) // { vars: { first: "a.ts" }, missing: [] }
 */
export function extractVars(
  result: Pick<TaskResult, "output" | "structuredOutput">,
  paths: Readonly<Record<string, string>>,
): ExtractedVars {
  const json = result.structuredOutput ?? jsonIn(result.output);
  const vars: Record<string, string> = {};
  const missing: string[] = [];
  for (const [name, path] of Object.entries(paths)) {
    const value = path === "" || path === "." ? result.output : at(json, path);
    if (value === undefined) missing.push(name);
    else vars[name] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return { vars, missing };
}

/** The value at a path, or undefined. */
function at(value: Json | undefined, path: string): Json | undefined {
  let here: Json | undefined = value;
  for (const key of path
    .replaceAll(/\[(\d+)\]/g, ".$1")
    .split(".")
    .filter((part) => part !== "")) {
    if (typeof here !== "object" || here === null) return undefined;
    here = Array.isArray(here)
      ? (here as readonly Json[])[Number(key)]
      : own(here as Readonly<Record<string, Json>>, key);
  }
  return here;
}

function own(object: Readonly<Record<string, Json>>, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The JSON value that an answer is, or that stands in its first fence that holds one, or between its outermost braces. */
export function jsonIn(text: string): Json | undefined {
  const fences = [...text.matchAll(/```[a-z]*\s*\n([^]*?)```/gi)].map((match) => match[1] ?? "");
  const bare = text.slice(Math.max(0, firstBracket(text)), lastBracket(text) + 1);
  for (const candidate of [text, ...fences, bare]) {
    const value = parsed(candidate);
    if (value !== undefined) return value;
  }
  return undefined;
}

function firstBracket(text: string): number {
  return text.search(/[[{]/);
}

function lastBracket(text: string): number {
  return Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
}

function parsed(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // not JSON: the next candidate may be
  }
}
