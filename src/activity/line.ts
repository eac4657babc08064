/**
 * An entry as a line of the file: version 2, a superset of version 1 that readers of version 1 still read.
 *
 * E1. Every key of version 1 is written with its type there: `timestamp` a number, `relevance` an object, `affects` a text.
 * E2. A line is at most 4096 bytes, LF included.
 * E3. What is read is coerced to these types or left out; no value of a line makes reading throw.
 * E4. Nothing reaches a line that has not been redacted.
 */
import { sha256Hex } from "../sha256.ts";
import { actionOf } from "./action.ts";
import { cut, labelOf, limits, origins, ttlWithin, withoutNone, type Entry } from "./entry.ts";
import { redact } from "./redact.ts";
import { scopeOf } from "./scope.ts";

type Wire = Readonly<Record<string, unknown>>;

/** The names of the file's keys, in the order in which they are written. */
const keys = {
  v: "v",
  id: "id",
  timestamp: "timestamp",
  ttl: "ttl",
  sourceInstance: "source_instance",
  declaredInstance: "declared_instance",
  sessionId: "session_id",
  sid: "sid",
  project: "project",
  branch: "branch",
  worktree: "worktree",
  action: "action",
  actionRaw: "action_raw",
  topic: "topic",
  summary: "summary",
  affects: "affects",
  paths: "paths",
  resources: "resources",
  blocks: "blocks",
  relevance: "relevance",
  origin: "origin",
  confidence: "confidence",
  ref: "ref",
  dedup: "dedup",
  flags: "flags",
} as const satisfies Record<Exclude<keyof Entry, "extras">, string>;

const known: ReadonlySet<string> = new Set([...Object.values(keys), "raw_hash"]);
/** What stands in a line only when there is something to say. */
const optional: ReadonlySet<string> = new Set(["resources", "flags"]);

/** The entry under the file's own names, as `--json` shows it. */
export function wireOf(entry: Entry): Wire {
  const wire: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(keys) as [keyof typeof keys, string][]) {
    const value = entry[name];
    if (value === undefined || (optional.has(key) && Array.isArray(value) && value.length === 0)) continue;
    wire[key] = value;
  }
  return { ...wire, ...entry.extras };
}

/** The entry as bytes that end in LF, redacted (E4) and cut to E2: extras go first, then the summary, then the end of the paths. */
export function lineOf(entry: Entry, home?: string): Buffer {
  for (const shorter of shrinking(redacted(entry, home))) {
    const line = Buffer.from(`${JSON.stringify(wireOf(shorter))}\n`);
    if (line.length <= limits.lineBytes) return line;
  }
  throw new RangeError(`The entry ${entry.id} has no form of ${String(limits.lineBytes)} bytes.`);
}

/**
 * A parsed line as an entry, of version 1 or 2; undefined: it is none (no object, or without a time).
 *
 * `latest` is a time (Unix seconds) by which the line was certainly written: a time far in the future becomes that, so that a wrong clock makes no
 * entry immortal.
 */
export function entryOf(value: unknown, now: number, latest: number = now): Entry | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const wire = value as Wire;
  const written = timeOf(wire.timestamp);
  if (written === undefined) return undefined;
  const skewed = written > now + limits.futureSecs;
  const { action, raw } = actionOf(text(wire.action, 64));
  const affects = affectsOf(wire.affects);
  const scope = scopeIn(wire, affects);
  const summary = text(wire.summary, limits.summary);
  const origin = wire.origin === undefined ? undefined : origins.find((name) => name === wire.origin);
  // A line is read for every prompt of every terminal, so what is absent is left out without a copy of the rest.
  const entry: Changing<Entry> = {
    v: wire.v === 2 ? 2 : 1,
    id: optionalText(wire.id, 36) ?? nameless(wire),
    timestamp: skewed ? Math.min(latest, now) : written,
    ttl: ttlWithin(number(wire.ttl)) ?? 3600,
    sourceInstance: typeof wire.source_instance === "string" ? labelIn(wire.source_instance) : "?",
    sessionId: text(wire.session_id, 8),
    action,
    topic: text(wire.topic, limits.topic) || cut(summary, 80),
    summary,
    affects,
    paths: scope.paths,
    resources: scope.resources,
    // An entry that a machine guessed may not put itself before everybody.
    blocks: origin === "auto" ? "" : withoutNone(text(wire.blocks, limits.blocks)),
    relevance: scores(wire.relevance),
    flags: flagsOf(list(wire.flags, 16), scope.flags, skewed),
    extras: extrasOf(wire),
  };
  put(entry, "declaredInstance", optionalText(wire.declared_instance, 32));
  put(entry, "sid", hash(wire.sid));
  put(entry, "project", optionalText(wire.project, 255));
  put(entry, "branch", optionalText(wire.branch, 120));
  put(entry, "worktree", optionalText(wire.worktree, 200));
  put(entry, "actionRaw", raw ?? optionalText(wire.action_raw, 32));
  put(entry, "origin", origin);
  put(entry, "confidence", number(wire.confidence));
  put(entry, "ref", optionalText(wire.ref, 36));
  put(entry, "dedup", hash(wire.dedup));
  return entry;
}

type Changing<T> = { -readonly [Key in keyof T]: T[Key] };

function put<Key extends keyof Entry>(entry: Changing<Entry>, key: Key, value: Entry[Key] | undefined): void {
  if (value !== undefined) entry[key] = value;
}

function flagsOf(written: readonly string[], ofScope: readonly string[], skewed: boolean): readonly string[] {
  if (ofScope.length === 0 && !skewed) return written;
  return [...new Set([...written, ...ofScope, ...(skewed ? ["clock_skew"] : [])])];
}

function labelIn(written: string): string {
  return plainLabel.test(written) ? written : (labelOf(written.slice(0, 64)) ?? "?");
}

const plainLabel = /^[A-Za-z0-9][A-Za-z0-9._-]{0,30}[A-Za-z0-9_]?$/;

/** Ever shorter forms of an entry, in the order in which things may be lost. */
function* shrinking(entry: Entry): Generator<Entry> {
  yield entry;
  const flags = entry.flags.includes("truncated") ? entry.flags : [...entry.flags, "truncated"];
  let shorter: Entry = { ...entry, extras: {}, flags };
  yield shorter;
  for (const length of [300, 120, 0]) {
    shorter = { ...shorter, summary: length === 0 ? "" : cut(entry.summary, length) };
    yield shorter;
  }
  for (let count = entry.paths.length - 1; count >= 0; count -= 1) {
    const paths = entry.paths.slice(0, count);
    shorter = { ...shorter, paths, affects: [...paths, ...entry.resources].join(", ") };
    yield shorter;
  }
  yield {
    ...shorter,
    resources: entry.resources.slice(0, 5),
    affects: entry.resources.slice(0, 5).join(", "),
    relevance: {},
  };
  yield { ...shorter, resources: [], affects: "", relevance: {}, flags: ["truncated"] };
}

function redacted(entry: Entry, home: string | undefined): Entry {
  const flags = new Set(entry.flags);
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") {
      const answer = redact(value, home);
      if (answer.redacted) flags.add("redacted");
      return answer.text;
    }
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key, home).text, clean(item)]));
  };
  const { id, sid, dedup, project, ref, ...said } = entry;
  const names = { ...some("sid", sid), ...some("dedup", dedup), ...some("project", project), ...some("ref", ref) };
  return { ...(clean(said) as typeof said), id, ...names, flags: [...flags] };
}

/** Seconds; ISO 8601 and milliseconds, which some writers use, are understood. */
function timeOf(value: unknown): number | undefined {
  if ((typeof value !== "number" && typeof value !== "string") || value === "") return undefined;
  const seconds = typeof value === "string" && !/^\s*[\d.]+\s*$/.test(value) ? Date.parse(value) / 1000 : Number(value);
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  return seconds > 1e11 ? seconds / 1000 : seconds;
}

function affectsOf(value: unknown): string {
  return Array.isArray(value) ? list(value, 40).join(", ") : text(value, 4096);
}

function scopeIn(wire: Wire, affects: string): ReturnType<typeof scopeOf> {
  if (Array.isArray(wire.paths) || Array.isArray(wire.resources)) {
    const [paths, resources] = [list(wire.paths, 40), list(wire.resources, 20)];
    if (paths.length <= 20 && paths.every((path) => plainPath.test(path))) return { paths, resources, flags: none };
    // A path with a colon would be taken for a resource.
    const { paths: normal, flags } = scopeOf(paths.map((path) => (path.includes(":") ? `./${path}` : path)));
    return { paths: normal, resources, flags };
  }
  return affects === "" ? noScope : scopeOf(affects.split(/[,;]/));
}

/** A path in the one form already: no part begins with a dot, nothing unusual in it. */
const plainPath = /^(?:[\w@+*-][\w.@+*-]*\/)*[\w@+*-][\w.@+*-]*\/?$/;

function scores(value: unknown): Readonly<Record<string, number>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return noScores;
  const pairs = Object.entries(value).filter((pair): pair is [string, number] => number(pair[1]) !== undefined);
  return pairs.length === 0 ? noScores : Object.fromEntries(pairs);
}

function extrasOf(wire: Wire): Wire {
  for (const key in wire) {
    if (!known.has(key)) return Object.fromEntries(Object.entries(wire).filter(([name]) => !known.has(name)));
  }
  return noExtras;
}

const noExtras: Wire = Object.freeze({});
const noScores: Readonly<Record<string, number>> = Object.freeze({});

/** A line without an id is known by what it says. */
function nameless(wire: Wire): string {
  return `line-${sha256Hex(JSON.stringify(wire)).slice(0, 24)}`;
}

function text(value: unknown, length: number): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" ? cut(value, length) : "";
}

function optionalText(value: unknown, length: number): string | undefined {
  const found = typeof value === "string" || typeof value === "number" ? String(value).slice(0, length) : "";
  return found === "" ? undefined : found;
}

function hash(value: unknown): string | undefined {
  return typeof value === "string" && /^[0-9a-f]{8,64}$/.test(value) ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function list(value: unknown, count: number): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) return none;
  const texts = value.filter((item): item is string => typeof item === "string" && item !== "");
  return texts.slice(0, count).map((item) => cut(item, 200));
}

const none: readonly string[] = Object.freeze([]);
const noScope: ReturnType<typeof scopeOf> = { paths: none, resources: none, flags: none };

function some<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}
