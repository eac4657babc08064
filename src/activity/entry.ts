/**
 * An entry of the log, and how a new one is made; line.ts has its form in the file.
 */
import { sha256Hex } from "../sha256.ts";
import { actionOf, type Action } from "./action.ts";
import { redact } from "./redact.ts";
import { withoutTerminalCodes } from "./terminal-codes.ts";

export const origins = ["block", "mcp", "cli", "auto", "hook"] as const;
/** What wrote the entry. */
export type Origin = (typeof origins)[number];

/** One entry of the activity log. Times are Unix seconds. */
export interface Entry {
  readonly v: number;
  readonly id: string;
  readonly timestamp: number;
  /** Seconds for which it is shown. */
  readonly ttl: number;
  /** The label of the terminal that wrote it; `?` for a writer of version 1 without one. */
  readonly sourceInstance: string;
  /** What the block's INSTANCE line said, where that is not the terminal's label. */
  readonly declaredInstance?: string;
  /** The first 8 characters of Claude's session id; for display only. */
  readonly sessionId: string;
  /** 16 hex of the whole session id's SHA-256: who is "own". Absent in version 1. */
  readonly sid?: string;
  readonly project?: string;
  readonly branch?: string;
  readonly worktree?: string;
  readonly action: Action;
  /** The word as it was written, where it is not the action's name. */
  readonly actionRaw?: string;
  readonly topic: string;
  readonly summary: string;
  /** The paths and resources as one text. */
  readonly affects: string;
  readonly paths: readonly string[];
  readonly resources: readonly string[];
  readonly blocks: string;
  readonly relevance: Readonly<Record<string, number>>;
  readonly origin?: Origin;
  readonly confidence?: number;
  /** The claim or blocker that this entry closes. */
  readonly ref?: string;
  readonly dedup?: string;
  readonly flags: readonly string[];
  /** Keys that this version does not know, kept as they are. */
  readonly extras: Readonly<Record<string, unknown>>;
}

/** What somebody wants to say; everything else is worked out. */
export interface Draft {
  readonly action?: string;
  readonly topic?: string;
  readonly summary?: string;
  readonly paths?: readonly string[];
  readonly resources?: readonly string[];
  readonly blocks?: string;
  /** Seconds. */
  readonly ttl?: number;
  readonly ref?: string;
  readonly declaredInstance?: string;
  readonly confidence?: number;
  readonly flags?: readonly string[];
}

/** Who writes, where, and since when. */
export interface Author {
  /** The terminal's label; made from the session id if left out. */
  readonly instance?: string;
  /** Claude's whole session id, or any other text that is the same for one terminal only. */
  readonly sessionId: string;
  readonly project: string;
  readonly branch?: string;
  readonly worktree?: string;
  readonly origin: Origin;
  readonly profile?: TtlProfile;
  /** Replaced by `~` in what is written; this user's own if left out. */
  readonly home?: string;
}

/** `documented`: an hour for everything. `recommended`: by action. */
export type TtlProfile = "documented" | "recommended";

export const limits = {
  lineBytes: 4096,
  topic: 120,
  summary: 600,
  blocks: 200,
  minTtl: 60,
  maxTtl: 604_800,
  futureSecs: 300,
} as const;

const hour = 3600;
const recommended: Readonly<Record<Action, number>> = {
  completed: 8 * hour,
  blocked: 4 * hour,
  claimed: hour,
  released: hour,
  resolved: hour,
  signaling: 2 * hour,
  health: 600,
};

/** Seconds for which an entry of this action is shown where it does not say itself. */
function defaultTtl(action: Action, origin?: Origin, profile: TtlProfile = "documented"): number {
  const ttl = profile === "documented" ? hour : recommended[action];
  return origin === "auto" && profile === "recommended" ? ttl / 2 : ttl;
}

/** A new entry, redacted and within its limits; undefined if it has neither topic nor summary. */
export function newEntry(draft: Draft, author: Author, now: number = Date.now() / 1000): Entry | undefined {
  const flags = new Set(draft.flags);
  const clean = (text: string | undefined, length: number): string => {
    const { text: safe, redacted } = redact(oneLine((text ?? "").slice(0, 65_536)), author.home);
    if (redacted) flags.add("redacted");
    const short = cut(safe, length);
    if (short !== safe) flags.add("truncated");
    return short;
  };
  const summary = clean(draft.summary, limits.summary);
  const topic = clean(draft.topic, limits.topic) || cut(firstSentence(summary), 80);
  if (topic === "") return undefined;
  const { action, raw } = actionOf(draft.action ?? "");
  const paths = (draft.paths ?? [])
    .slice(0, 20)
    .map((path) => clean(path, 200))
    .filter((path) => path !== "");
  const resources = (draft.resources ?? [])
    .slice(0, 20)
    .map((name) => clean(name, 200))
    .filter((name) => name !== "");
  const sid = sidOf(author.sessionId);
  const blocks = author.origin === "auto" ? "" : withoutNone(clean(draft.blocks, limits.blocks));
  const declared = draft.declaredInstance === undefined ? "" : clean(draft.declaredInstance, 32);
  const ref = draft.ref === undefined ? "" : clean(draft.ref, 36);
  const instance = labelOf(author.instance ?? "") ?? `s-${sid.slice(0, 8)}`;
  return {
    v: 2,
    id: newEntryId(now * 1000),
    timestamp: Math.round(now * 1000) / 1000,
    ttl: ttlWithin(draft.ttl) ?? defaultTtl(action, author.origin, author.profile),
    sourceInstance: instance,
    ...(declared === "" || declared === instance ? {} : { declaredInstance: declared }),
    sessionId: author.sessionId.slice(0, 8),
    sid,
    project: author.project,
    ...(author.branch === undefined ? {} : { branch: clean(author.branch, 120) }),
    ...(author.worktree === undefined ? {} : { worktree: clean(author.worktree, 200) }),
    action,
    ...(raw === undefined ? {} : { actionRaw: clean(raw, 32) }),
    topic,
    summary,
    affects: [...paths, ...resources].join(", "),
    paths,
    resources,
    blocks,
    relevance: {},
    origin: author.origin,
    ...(draft.confidence === undefined ? {} : { confidence: draft.confidence }),
    ...(ref === "" ? {} : { ref }),
    dedup: dedupOf({ project: author.project, sid, action, topic, summary, paths, resources }),
    flags: [...flags],
    extras: {},
  };
}

/** 16 hex of a session id's SHA-256: file names and "own" come from it, never from the id itself. */
export function sidOf(sessionId: string): string {
  return hex(sessionId);
}

/** Did a slot of a pool write it for a task? Each task is a terminal of its own there, all under their slot's name. */
export function isOfTask({ sessionId }: Pick<Entry, "sessionId">): boolean {
  return sessionId.startsWith("task-");
}

/** A text as a label, `[A-Za-z0-9][A-Za-z0-9._-]{0,31}`; undefined if nothing of it can stand in one. */
export function labelOf(text: string): string | undefined {
  const label = text
    .trim()
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 32)
    .replace(/[-.]+$/, "");
  return label === "" ? undefined : label;
}

/** Seconds within what an entry may live; undefined for what is no number. */
export function ttlWithin(seconds: number | undefined): number | undefined {
  if (seconds === undefined || !Number.isFinite(seconds)) return undefined;
  return Math.min(limits.maxTtl, Math.max(limits.minTtl, Math.round(seconds)));
}

/** The BLOCKS value, empty for "none", "N/A", "nothing" and "None, just FYI". */
export function withoutNone(text: string): string {
  if (text === "") return text;
  return /^(?:none|no|n\/a|na|nil|nothing|null|-)\s*(?:$|[—–]|[\p{P}\p{S}]+(?:\s|$))/iu.test(text) ? "" : text;
}

/** Is the entry still shown? Times in Unix seconds. */
export function isLive(entry: Pick<Entry, "timestamp" | "ttl">, now: number): boolean {
  return now < entry.timestamp + entry.ttl;
}

/** The hash by which the same report from the same terminal is known. */
function dedupOf(
  entry: Pick<Entry, "action" | "topic" | "summary" | "paths" | "resources"> & {
    readonly project?: string;
    readonly sid?: string;
  },
): string {
  const scope = [...entry.paths, ...entry.resources].sort();
  return hex([entry.project, entry.sid, entry.action, folded(entry.topic), folded(entry.summary), ...scope].join("\0"));
}

/** A text as topics are compared: case and white space do not count. */
export function folded(text: string): string {
  // eslint-disable-next-line no-control-regex -- all of ASCII, which is its own normal form
  const normal = /^[\u0000-\u007f]*$/.test(text) ? text : text.normalize("NFKC");
  return normal.toLowerCase().replace(/\s+/g, " ").trim();
}

/** At most so many characters (code points). */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const points = Array.from(text);
  return points.length <= length
    ? text
    : `${points
        .slice(0, length - 1)
        .join("")
        .trimEnd()}…`;
}

/** Control characters and line breaks become spaces, runs of white space one. */
function oneLine(text: string): string {
  return withoutTerminalCodes(text)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
}

function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s|$)/u.exec(text)?.[0] ?? text;
}

function hex(text: string): string {
  return sha256Hex(text).slice(0, 16);
}

/** A UUID of version 7: sorts by time. It must be unique and may be guessed, so it does without `node:crypto`, which is slow to load. */
function newEntryId(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0").slice(-12);
  const random = (digits: number): string =>
    Math.floor(Math.random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  const variant = (8 + Math.floor(Math.random() * 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random(3)}-${variant}${random(3)}-${random(12)}`;
}
