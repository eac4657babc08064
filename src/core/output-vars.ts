/** Reads variables out of a step's answer: from its structured output, or from JSON in its text (code fences too). */
import type { Json, TaskResult } from "./task.ts";

/** The variables that were found, as text, and the names of those that were not. */
export interface ExtractedVars {
  readonly vars: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
}

/**
 * A path is `.` for the whole output, else keys and array indices joined by dots or in brackets. Of several JSON values in
 * an answer the one counts that has most of the paths, and of equals the first.
 *
 * @example extractVars({ output: '{"files":["a.ts"]}', … }, { first: "files[0]" }) // { vars: { first: "a.ts" }, missing: [] }
 */
export function extractVars(
  result: Pick<TaskResult, "output" | "structuredOutput">,
  paths: Readonly<Record<string, string>>,
): ExtractedVars {
  const values = result.structuredOutput === undefined ? jsonValuesIn(result.output) : [result.structuredOutput];
  let best = read(result.output, undefined, paths);
  for (const value of values) {
    const found = read(result.output, value, paths);
    if (found.missing.length < best.missing.length) best = found;
  }
  return best;
}

function read(output: string, json: Json | undefined, paths: Readonly<Record<string, string>>): ExtractedVars {
  const vars: [string, string][] = [];
  const missing: string[] = [];
  for (const [name, path] of Object.entries(paths)) {
    const value = path === "" || path === "." ? output : at(json, path);
    if (value === undefined) missing.push(name);
    else vars.push([name, typeof value === "string" ? value : JSON.stringify(value)]);
  }
  return { vars: Object.fromEntries(vars), missing };
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

/** The object or list that an answer is or holds; the first, if there are several. */
export function jsonIn(text: string): Json | undefined {
  return jsonValuesIn(text)[0];
}

/** How many brackets of a text are tried as the beginning of a value: an answer may be a whole program. */
const maxTried = 200;

/** Objects and lists: the whole text, what stands in fences, then what stands between brackets, outermost first. */
function jsonValuesIn(text: string): readonly Json[] {
  const whole = parsed(text);
  if (whole !== undefined) return [whole];
  const fences = [...text.matchAll(/```[a-z]*\s*\n([^]*?)```/gi)].map((match) => match[1] ?? "");
  return [...fences, ...bracketed(text)].map(parsed).filter((value) => value !== undefined);
}

/** Every part of a text from a bracket to the one that closes it; what is inside of one that is JSON is not looked at. */
function bracketed(text: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (let tried = 0; tried < maxTried; tried += 1) {
    const start = from + text.slice(from).search(/[[{]/);
    if (start < from) break;
    const part = text.slice(start, endOf(text, start));
    const isJson = parsed(part) !== undefined;
    if (isJson) parts.push(part);
    from = isJson ? start + part.length : start + 1;
  }
  return parts;
}

/** Just past the bracket that closes the one at `start`; brackets in strings do not count. */
function endOf(text: string, start: number): number {
  let depth = 0;
  let isInString = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (isInString) {
      if (character === "\\") index += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth === 0) return index + 1;
  }
  return text.length;
}

function parsed(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // not JSON: the next candidate may be
  }
}
