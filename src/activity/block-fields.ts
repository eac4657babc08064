/**
 * The fields of one block, from lines that a model wrote from memory.
 *
 * The grammar forgives: bullets, bold keys, other words for a key, a key mistyped, a value over several lines. What it cannot
 * place it names, so that a mistake shows in the error log instead of as an empty field.
 */
import { editDistance } from "./edit-distance.ts";

/** What a block may say. */
export type BlockField = "instance" | "action" | "topic" | "summary" | "affects" | "blocks" | "ttl" | "ref";

export interface BlockFields {
  /** Values as written, several lines joined: by a space, and in `affects` by a line end. */
  readonly values: Partial<Readonly<Record<BlockField, string>>>;
  /** Was a key taken for the nearest one? */
  readonly isFuzzy: boolean;
  /** Keys in capitals that nobody knows; their lines were dropped. */
  readonly unknown: readonly string[];
}

const aliases: Readonly<Record<BlockField, readonly string[]>> = {
  instance: ["agent"],
  action: ["status", "type", "event"],
  topic: ["title", "subject", "task"],
  summary: ["description", "details"],
  affects: ["files", "paths", "scope"],
  blocks: ["unblocks", "blocking", "blocked_by", "impact"],
  ttl: ["expires"],
  ref: ["closes", "resolves"],
};
const fields = Object.keys(aliases) as readonly BlockField[];

/** The fields of a block's body: JSON if it is an object, else lines. */
export function blockFields(body: readonly string[]): BlockFields {
  return fromJson(body.join("\n")) ?? fromLines(body);
}

interface Reading {
  readonly values: Partial<Record<BlockField, string>>;
  readonly unknown: string[];
  isFuzzy: boolean;
}

function fromLines(body: readonly string[]): BlockFields {
  const reading: Reading = { values: {}, unknown: [], isFuzzy: false };
  let current: BlockField | undefined;
  for (const line of body) {
    const key = keyOf(line);
    const field = key === undefined ? undefined : fieldOf(key, reading);
    if (key !== undefined && field !== undefined) {
      put(reading, field, key.value);
      current = field;
    } else if (key?.isCapitals === true && key.atStart && !isAlias(key.name)) {
      reading.unknown.push(key.name);
      current = undefined; // what continues an unknown field is dropped with it
    } else if (current !== undefined && line.trim() !== "") {
      append(reading, current, line.trim());
    }
  }
  return reading;
}

function fromJson(body: string): BlockFields | undefined {
  if (!body.trimStart().startsWith("{")) return undefined;
  const reading: Reading = { values: {}, unknown: [], isFuzzy: false };
  for (const [name, value] of Object.entries(parsedObject(body) ?? {})) {
    const text = Array.isArray(value) ? value.filter(isScalar).join("\n") : isScalar(value) ? String(value) : "";
    const field = fieldOf({ name: folded(name), value: text, atStart: true, isCapitals: false }, reading);
    if (field === undefined) reading.unknown.push(name);
    else reading.values[field] = field === "affects" ? text : text.split(/\s*\n\s*/u).join(" ");
  }
  return parsedObject(body) === undefined ? undefined : reading;
}

function parsedObject(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // no JSON after all: lines
  }
}

function isScalar(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

interface Key {
  readonly name: string;
  readonly value: string;
  /** No indent and no bullet before it. */
  readonly atStart: boolean;
  readonly isCapitals: boolean;
}

const fieldLine =
  /^(\s*(?:[-*+•]\s+)?)([*_`]{0,3})([A-Za-z]{1,16}(?:[ _-][A-Za-z]{1,16}){0,2})([*_`]{0,3})\s*[:：=]([*_`]{0,3})\s*(.*)$/u;

function keyOf(line: string): Key | undefined {
  const match = fieldLine.exec(line);
  if (match === null) return undefined;
  const [, lead = "", open = "", word = "", close = "", late = "", rest = ""] = match;
  const value =
    open === "" || close !== ""
      ? `${late}${rest}`
      : late === "" && rest.endsWith(open)
        ? rest.slice(0, -open.length) // **TOPIC: value**
        : rest; // **TOPIC:** value
  return {
    name: folded(word),
    value: value.trim(),
    atStart: lead === "",
    isCapitals: word === word.toUpperCase() && word.length > 1,
  };
}

function folded(word: string): string {
  return word.trim().toLowerCase().replace(/[ -]/gu, "_");
}

/** The field that a key means. Another word for it, or a mistyped one, counts only at the start of a line and while its field is unset. */
function fieldOf(key: Key, reading: Reading): BlockField | undefined {
  const exact = fields.find((field) => field === key.name);
  if (exact !== undefined) return exact;
  if (!key.atStart) return undefined;
  const alias = fields.find((field) => aliases[field].includes(key.name));
  if (alias !== undefined) return reading.values[alias] === undefined ? alias : undefined;
  const near = nearestField(key.name);
  if (near === undefined || reading.values[near] !== undefined) return undefined;
  reading.isFuzzy = true;
  return near;
}

function isAlias(name: string): boolean {
  return fields.some((field) => aliases[field].includes(name));
}

function nearestField(name: string): BlockField | undefined {
  const reach = name.length >= 6 ? 2 : name.length >= 4 ? 1 : 0;
  if (reach === 0) return undefined;
  const near = fields
    .map((field) => ({ field, distance: editDistance(name, field, reach) }))
    .filter((n) => n.distance <= reach);
  const least = Math.min(...near.map((n) => n.distance));
  const best = near.filter((n) => n.distance === least);
  return best.length === 1 ? best[0]?.field : undefined;
}

function put(reading: Reading, field: BlockField, value: string): void {
  const isList = field === "summary" || field === "affects";
  if (isList && reading.values[field] !== undefined) append(reading, field, value);
  else reading.values[field] = value;
}

function append(reading: Reading, field: BlockField, text: string): void {
  const before = reading.values[field] ?? "";
  const between = field === "affects" ? "\n" : " ";
  reading.values[field] = before === "" ? text : text === "" ? before : `${before}${between}${text}`;
}
