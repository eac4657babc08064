/** What can be asked of the activity log: one schema for library, program and tools. */
import { z } from "zod";
import type { Casing } from "./casing.ts";
import type { Fields } from "./fields.ts";
import { parse } from "./parse.ts";
import { anyText, flag, listOf, oneOf, text, wholeAtLeast } from "./values.ts";

/** Something to report. */
export interface PostSpec {
  /** `completed`, `blocked`, `claimed`, `released`, `resolved`, `signaling` (default), `health`, or a word that means one of them. */
  readonly action?: string;
  /** What it is about, in a few words; without it the summary's first sentence. */
  readonly topic?: string;
  readonly summary?: string;
  /** Paths, globs, and resources such as `port:3000`; relative to the log's directory. */
  readonly affects?: readonly string[];
  /** Whom it concerns, or what it holds up: such an entry is shown to every terminal of the project. */
  readonly blocks?: string;
  /** For how long it is shown, in seconds, from 60 to 604,800. */
  readonly ttl?: number;
  /** The claim or blocker that it ends: an id. */
  readonly ref?: string;
}

/** Something to keep others out of. */
export interface ClaimSpec {
  /** Paths, globs, and resources such as `port:3000`; none: the claim is on its topic. */
  readonly affects?: readonly string[];
  /** Default: what is claimed, as one text. */
  readonly topic?: string;
  /** Why, for those who meet it. */
  readonly summary?: string;
  /** In seconds, from 60 to 604,800; by default an hour. */
  readonly ttl?: number;
  /** Claim it although another holds it; the claim waits until that one ends. */
  readonly force?: boolean;
}

/** Which of this terminal's claims to release; nothing given: all of them. */
export interface ReleaseSpec {
  /** Ids, or beginnings of ids that only one claim has. */
  readonly ids?: readonly string[];
  /** Those that touch one of these. */
  readonly affects?: readonly string[];
  readonly topic?: string;
  /** Another terminal's too; the ids must be given. */
  readonly force?: boolean;
}

/** Which entries to list; nothing given: what is live now, of this project, the newest first. */
export interface LogListOptions {
  /** Not older than this, in milliseconds since the epoch; expired entries are among them. */
  readonly sinceMs?: number;
  /** Everything that the log and its archives hold. */
  readonly all?: boolean;
  /** Expired entries too: of the last hour, or as far back as asked. */
  readonly includeExpired?: boolean;
  /** A terminal's label, or `me`. */
  readonly instance?: string;
  readonly action?: string;
  /** Part of the topic, the summary or what is affected. */
  readonly topic?: string;
  /** Words that all occur somewhere. */
  readonly search?: string;
  /** A path, glob or resource that the entry's touch. */
  readonly path?: string;
  /** How much it concerns this terminal, from 0 to 1. */
  readonly minRelevance?: number;
  /** Another project's id. */
  readonly project?: string;
  readonly allProjects?: boolean;
  readonly limit?: number;
}

/** What to remove for good. */
export interface LogPurgeOptions {
  /** Only entries from before this, in milliseconds since the epoch. */
  readonly beforeMs?: number;
  /** A project's id; by default the log's own. */
  readonly project?: string;
  readonly allProjects?: boolean;
  readonly dryRun?: boolean;
}

/** Where the log stands, and as whom it writes. */
export interface ActivityLogOptions {
  /** The directory whose project the log is about; by default the current one. */
  readonly cwd?: string;
  /** This terminal's label; by default `POOL_INSTANCE`, `CLAUDE_INSTANCE`, what its hooks call it, or the user's name. */
  readonly instance?: string;
  /** What tells this terminal from others; by default Claude's session id, else the user and the label. */
  readonly sessionId?: string;
  /** What stands in each entry as its writer; by default `cli`. */
  readonly origin?: "cli" | "mcp" | "hook";
  /** For how long entries are shown: an hour, or by action; by default as the log's config.json says. */
  readonly profile?: "documented" | "recommended";
  /** In place of the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const words = text("text that is not empty", 100_000).optional();
const affects = listOf(text("a path, a glob or a resource", 4_096), "a list of paths, globs and resources").max(20, {
  error: "at most 20 of them",
});
const ttl = wholeAtLeast(60, "seconds, a whole number from 60 to 604800")
  .max(604_800, { error: "seconds, a whole number from 60 to 604800" })
  .optional();
const id = text("the id of an entry", 64);
const moment = wholeAtLeast(0, "milliseconds since the epoch").optional();
const share = z.number({ error: "a number from 0 to 1" }).min(0, { error: "a number from 0 to 1" }).max(1, { error: "a number from 0 to 1" });

const postFields = {
  action: text("an action", 64).optional(),
  topic: words,
  summary: words,
  affects: affects.optional(),
  blocks: anyText.optional(),
  ttl,
  ref: id.optional(),
} satisfies Fields<PostSpec>;
export const postSchema = z.strictObject(postFields, { error: "an object with a topic or a summary" });

const claimFields = { affects: affects.optional(), topic: words, summary: words, ttl, force: flag().optional() } satisfies Fields<ClaimSpec>;
export const claimSchema = z
  .strictObject(claimFields, { error: "an object with `affects` or a `topic`" })
  .refine((spec) => spec.topic !== undefined || (spec.affects ?? []).length > 0, {
    error: "what is claimed: paths, globs or resources, or a topic",
    path: ["affects"],
  });

const releaseFields = {
  ids: listOf(id, "a list of ids").optional(),
  affects: affects.optional(),
  topic: words,
  force: flag().optional(),
} satisfies Fields<ReleaseSpec>;
export const releaseSchema = z
  .strictObject(releaseFields, { error: "an object of options" })
  .refine((spec) => spec.force !== true || (spec.ids ?? []).length > 0, {
    error: "ids beside force: another terminal's claims are released one by one",
    path: ["ids"],
  });

const listFields = {
  sinceMs: moment,
  all: flag().optional(),
  includeExpired: flag().optional(),
  instance: text("a label, or me", 64).optional(),
  action: text("an action", 64).optional(),
  topic: words,
  search: words,
  path: text("a path, a glob or a resource", 4_096).optional(),
  minRelevance: share.optional(),
  project: text("the id of a project", 255).optional(),
  allProjects: flag().optional(),
  limit: wholeAtLeast(1).optional(),
} satisfies Fields<LogListOptions>;
export const logListSchema = z.strictObject(listFields, { error: "an object of options" });

const purgeFields = {
  beforeMs: moment,
  project: text("the id of a project", 255).optional(),
  allProjects: flag().optional(),
  dryRun: flag().optional(),
} satisfies Fields<LogPurgeOptions>;
const purgeSchema = z.strictObject(purgeFields, { error: "an object of options" });

const openFields = {
  cwd: text().optional(),
  instance: text("a label of letters, digits, dot, dash and underscore", 64).optional(),
  sessionId: text("text that is not empty", 256).optional(),
  origin: oneOf(["cli", "mcp", "hook"]).optional(),
  profile: oneOf(["documented", "recommended"]).optional(),
  // The process's own environment is no plain object.
  env: z
    .custom<NonNullable<ActivityLogOptions["env"]>>((value) => typeof value === "object" && value !== null, {
      error: "an object of texts",
    })
    .optional(),
} satisfies Fields<ActivityLogOptions>;
const openSchema = z.strictObject(openFields, { error: "an object of options" });

/** @throws {PoolError} `invalid_options`. */
export function parsePost(input: unknown, casing: Casing = "library"): PostSpec {
  return parse<PostSpec>(postSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseClaim(input: unknown, casing: Casing = "library"): ClaimSpec {
  return parse<ClaimSpec>(claimSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseRelease(input: unknown, casing: Casing = "library"): ReleaseSpec {
  return parse<ReleaseSpec>(releaseSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseLogList(input: unknown, casing: Casing = "library"): LogListOptions {
  return parse<LogListOptions>(logListSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseLogPurge(input: unknown, casing: Casing = "library"): LogPurgeOptions {
  return parse<LogPurgeOptions>(purgeSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseActivityLogOptions(input: unknown): ActivityLogOptions {
  return parse<ActivityLogOptions>(openSchema, input, "library");
}
