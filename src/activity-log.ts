/**
 * The activity log as programs use it: the verbs of `claude-pool log` and of the `pool_log_*` tools.
 *
 * It stands on files alone and needs no pool. What came in is checked by schema/activity.ts; what a file system refuses becomes a PoolError.
 */
import { actionOf } from "./activity/action.ts";
import { isSameOwner, type Claim } from "./activity/claims.ts";
import { examineLog, type Finding } from "./activity/doctor.ts";
import { folded, isLive, sidOf, type Author, type Draft, type Entry } from "./activity/entry.ts";
import { followLog } from "./activity/follow.ts";
import { checkReadable, LogFolderError } from "./activity/folder.ts";
import { overlap } from "./activity/glob.ts";
import type { Ground, LogFolder } from "./activity/place.ts";
import { purgeLog, type Purged } from "./activity/purge.ts";
import { entryFilter } from "./activity/query.ts";
import { readLog, type Skipped } from "./activity/read.ts";
import { relevanceFor, type Reader } from "./activity/relevance.ts";
import { renewClaims } from "./activity/append.ts";
import { scopeOf, type Scope } from "./activity/scope.ts";
import type { LogSettings } from "./activity/settings.ts";
import { presences, type Presence } from "./activity/who.ts";
import { workedOn } from "./activity/working-set.ts";
import { releaseClaims, standingClaims, writeDraft, type Written } from "./activity/write.ts";
import { invalidOptions, PoolError } from "./core/errors.ts";
import {
  parseClaim,
  parseLogList,
  parseLogPurge,
  parsePost,
  parseRelease,
  type ClaimSpec,
  type LogListOptions,
  type LogPurgeOptions,
  type PostSpec,
  type ReleaseSpec,
} from "./schema/activity.ts";

/** What a list found. */
export interface LogListAnswer {
  /** The newest first. */
  readonly entries: readonly Entry[];
  /** Lines of the files that are no entries. */
  readonly skipped: Skipped;
}

/** What became of a claim. */
export interface ClaimOutcome {
  /** Does it hold? */
  readonly granted: boolean;
  /** The claim as it stands in the log: new, or this terminal's own from before. Absent if it was refused. */
  readonly entry?: Entry;
  /** Not asked for at all: this terminal has written as much as it may for now. */
  readonly because?: "flood";
  /** Who holds what was asked for. */
  readonly conflict?: Claim;
}

/** The activity log of one project, written to as one terminal. Nothing of it needs to be closed. */
export interface ActivityLog {
  /** The log's folder. */
  readonly root: string;
  readonly project: string;
  /** The label under which it writes. */
  readonly instance: string;
  /** What the user should know of where the log stands. */
  readonly warnings: readonly string[];
  /**
   * Reports something; `written` is false for what stands already, and for one entry too many.
   *
   * @throws {PoolError} `invalid_options`; `log_failed`.
   */
  post(spec: PostSpec): Promise<Written>;
  /**
   * Asks others to stay out of something. First come, first served; a claim that this terminal has already is renewed.
   *
   * @throws {PoolError} `invalid_options`; `log_failed`.
   */
  claim(spec: ClaimSpec): Promise<ClaimOutcome>;
  /**
   * Ends this terminal's claims, or those that are named; resolves to the entries that say so.
   *
   * @throws {PoolError} `entry_not_found` for an id that no claim has; `invalid_options`; `log_failed`.
   */
  release(spec?: ReleaseSpec): Promise<readonly Entry[]>;
  /** Lets this terminal's claims that are more than half over live longer; resolves to their ids. */
  renew(): Promise<readonly string[]>;
  /** @throws {PoolError} `invalid_options`; `log_failed` for a log that is there and cannot be read, here and wherever entries are looked for. */
  list(options?: LogListOptions): LogListAnswer;
  /** The entry with this id, or with an id that begins so. @throws {PoolError} `entry_not_found`. */
  get(id: string): Entry;
  /** The claims that stand, in the order of the log; one with `heldBy` waits for another. */
  claims(options?: { readonly project?: string; readonly allProjects?: boolean }): readonly Claim[];
  /** The terminals that the log knows of, the last seen first. */
  who(options?: { readonly project?: string; readonly allProjects?: boolean }): readonly Presence[];
  /** Entries as they are written, from now on, until the signal. @throws {PoolError} `invalid_options`. */
  follow(options?: LogListOptions & { readonly signal?: AbortSignal }): AsyncIterable<Entry>;
  /** What is wrong with the log, in words; changes nothing. */
  doctor(): readonly Finding[];
  /** Removes entries for good. @throws {PoolError} `invalid_options`; `log_failed`. */
  purge(options: LogPurgeOptions): Promise<Purged>;
}

/** How long the lock may be waited for, in milliseconds. */
const waitMs = 2_000;
const everything = 64 * 1024 * 1024;
const wholeIdLength = 36;

/** The log in its files. */
export class FileLog implements ActivityLog {
  readonly #ground: Ground;
  readonly #author: Author;
  readonly #settings: LogSettings;
  readonly #sid: string;

  constructor(ground: Ground, author: Author, settings: LogSettings) {
    this.#ground = ground;
    this.#author = author;
    this.#settings = settings;
    this.#sid = sidOf(author.sessionId);
  }

  get root(): string {
    return this.#ground.folder.root;
  }

  get project(): string {
    return this.#ground.project;
  }

  get instance(): string {
    return this.#author.instance ?? `s-${this.#sid.slice(0, 8)}`;
  }

  get warnings(): readonly string[] {
    return this.#ground.warnings;
  }

  async post(spec: PostSpec): Promise<Written> {
    const { affects, ...said } = parsePost(spec);
    const ref = said.ref === undefined ? {} : { ref: this.#wholeId(said.ref) };
    const written = await mapped(() => this.#write({ ...said, ...ref, ...this.#scope(affects) }));
    if (written.because === "empty")
      throw invalidOptions("topic: expected a topic or a summary that says something, got nothing.", "topic");
    return written;
  }

  async claim(spec: ClaimSpec): Promise<ClaimOutcome> {
    const { affects, force, ...said } = parseClaim(spec);
    const scope = this.#scope(affects);
    const named = [...scope.paths, ...scope.resources];
    if (named.length === 0 && said.topic === undefined)
      throw invalidOptions("affects: none of it is a path or a resource.", "affects");
    const draft = { topic: named.join(", "), ...said, ...scope, action: "claimed" };
    const { entry, conflict, because } = await mapped(() => this.#write(draft, force === true));
    return {
      granted: entry !== undefined && conflict === undefined,
      ...(because === "flood" ? { because } : {}),
      ...(entry === undefined ? {} : { entry }),
      ...(conflict === undefined ? {} : { conflict }),
    };
  }

  async release(spec: ReleaseSpec = {}): Promise<readonly Entry[]> {
    const { ids, affects, topic, force } = parseRelease(spec);
    const scope = affects === undefined ? undefined : this.#scope(affects);
    const whole = ids?.map((id) => this.#claimId(id));
    const which = ({ entry }: Claim): boolean =>
      (whole === undefined || whole.includes(entry.id)) &&
      (topic === undefined || folded(entry.topic) === folded(topic)) &&
      (scope === undefined || touches(entry, scope)) &&
      (entry.project === undefined || entry.project === this.project);
    return mapped(() =>
      releaseClaims(this.#readable(), this.#author, which, { waitMs, ...(force === true ? { force } : {}) }),
    );
  }

  renew(): Promise<readonly string[]> {
    return mapped(() => renewClaims(this.#ground.folder, this.#sid, { waitMs }));
  }

  list(options: LogListOptions = {}): LogListAnswer {
    const wanted = parseLogList(options);
    const now = Date.now() / 1000;
    const isHistory = wanted.all === true || wanted.sinceMs !== undefined;
    const { entries, skipped } = readLog(this.#readable(), {
      now,
      maxBytes: everything,
      archives: "all",
      expired: isHistory || wanted.includeExpired === true,
      ...this.#projectOf(wanted),
    });
    const kept = entries.filter(this.#filter(wanted, now, entries));
    // What one millisecond holds stays in the order of the file, the last line first.
    const newest = kept.toReversed().toSorted((a, b) => b.timestamp - a.timestamp);
    return { entries: newest.slice(0, wanted.limit ?? newest.length), skipped };
  }

  get(id: string): Entry {
    const now = Date.now() / 1000;
    const { entries } = readLog(this.#readable(), { now, maxBytes: everything, archives: "all", expired: true });
    return only(entries, id, (entry) => entry.id);
  }

  claims(options: { readonly project?: string; readonly allProjects?: boolean } = {}): readonly Claim[] {
    return standingClaims(this.#readable(), Date.now() / 1000, this.#projectOf(options).project);
  }

  who(options: { readonly project?: string; readonly allProjects?: boolean } = {}): readonly Presence[] {
    return presences(this.#readable(), Date.now() / 1000, { own: this.#sid, ...this.#projectOf(options) });
  }

  async *follow(options: LogListOptions & { readonly signal?: AbortSignal } = {}): AsyncGenerator<Entry> {
    const { signal, ...rest } = options;
    const wanted = parseLogList(rest);
    for await (const entry of followLog(this.#readable(), {
      ...this.#projectOf(wanted),
      ...(signal === undefined ? {} : { signal }),
    })) {
      if (this.#filter(wanted, entry.timestamp, [])(entry)) yield entry;
    }
  }

  doctor(): readonly Finding[] {
    return examineLog(this.#ground, Date.now() / 1000);
  }

  purge(options: LogPurgeOptions): Promise<Purged> {
    const { beforeMs, dryRun, ...rest } = parseLogPurge(options);
    const project = this.#projectOf(rest);
    return mapped(() =>
      purgeLog(this.#ground.folder, {
        ...project,
        ...(beforeMs === undefined ? {} : { before: beforeMs / 1000 }),
        ...(dryRun === undefined ? {} : { dryRun }),
        waitMs,
      }),
    );
  }

  /** The folder, if what lies there can be read: else the log would look empty. */
  #readable(): LogFolder {
    const { folder } = this.#ground;
    try {
      checkReadable(folder);
    } catch (error) {
      throw logFailed("cannot be read", error);
    }
    return folder;
  }

  #write(draft: Draft, force = false): Promise<Written> {
    return writeDraft(this.#ground.folder, draft, this.#author, { waitMs, ...(force ? { force } : {}) });
  }

  #scope(affects: readonly string[] = []): Scope {
    return scopeOf(affects, { top: this.#ground.top, from: this.#ground.from });
  }

  #projectOf({ project, allProjects }: { readonly project?: string; readonly allProjects?: boolean }): {
    readonly project?: string;
  } {
    return allProjects === true ? {} : { project: project ?? this.project };
  }

  #filter(wanted: LogListOptions, now: number, entries: readonly Entry[]): (entry: Entry) => boolean {
    const { sinceMs, instance, path, minRelevance, all, includeExpired } = wanted;
    const hourAgo = sinceMs === undefined && all !== true && includeExpired === true ? now - 3_600 : undefined;
    const since = sinceMs === undefined ? hourAgo : sinceMs / 1000;
    const isMe = instance?.toLowerCase() === "me";
    const [place] = path === undefined ? [] : [...this.#scope([path]).paths, ...this.#scope([path]).resources];
    const passes = entryFilter({
      ...(since === undefined ? {} : { since }),
      ...(instance === undefined || isMe ? {} : { instance }),
      ...(wanted.action === undefined ? {} : { action: knownAction(wanted.action) }),
      ...(wanted.topic === undefined ? {} : { topic: wanted.topic }),
      ...(wanted.search === undefined ? {} : { search: wanted.search }),
      ...(path === undefined ? {} : { path: place ?? path }),
    });
    const score =
      minRelevance === undefined
        ? undefined
        : relevanceFor(
            this.#reader(now),
            entries.filter((entry) => isLive(entry, now)),
          );
    const me = { sid: this.#sid, sourceInstance: this.instance };
    return (entry) =>
      passes(entry) &&
      (!isMe || isSameOwner(entry, me) || entry.sourceInstance === this.instance) &&
      (score === undefined || minRelevance === undefined || score(entry) >= minRelevance);
  }

  #reader(now: number): Reader {
    const { branch, folder } = this.#ground;
    const domain = this.#settings.domains[this.instance];
    const own = standingClaims(folder, now, this.project).filter(({ entry }) => entry.sid === this.#sid);
    return {
      ...(domain === undefined ? {} : { domain }),
      files: workedOn(folder, this.#sid),
      ...(branch === undefined ? {} : { branch }),
      claims: own.map(({ entry }) => entry.id),
      terms: [],
    };
  }

  /** The beginning of an id as a whole one; what the log does not know stays as it is: it may be in an archive that is gone. */
  #wholeId(id: string): string {
    if (id.length === wholeIdLength) return id;
    try {
      return this.get(id).id;
    } catch {
      return id;
    }
  }

  #claimId(id: string): string {
    return only(this.claims({ allProjects: true }), id, ({ entry }) => entry.id).entry.id;
  }
}

/** @throws {PoolError} `invalid_options` for a word that means no action. */
function knownAction(word: string): string {
  const { action, unknown } = actionOf(word);
  if (unknown === undefined) return action;
  throw invalidOptions(
    `action: expected completed, blocked, claimed, released, resolved, signaling or health, got ${JSON.stringify(word)}.`,
    "action",
  );
}

function touches(entry: Entry, scope: Scope): boolean {
  return (
    entry.resources.some((name) => scope.resources.includes(name)) ||
    entry.paths.some((path) => scope.paths.some((other) => overlap(path, other)))
  );
}

function only<T>(all: readonly T[], id: string, idOf: (one: T) => string): T {
  const exact = all.find((one) => idOf(one) === id);
  if (exact !== undefined) return exact;
  const found = id.length < 4 ? [] : all.filter((one) => idOf(one).startsWith(id));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const why =
    found.length > 1
      ? `${String(found.length)} ids begin so; give more of it.`
      : "`claude-pool log list --all --verbose` shows the ids.";
  throw new PoolError("entry_not_found", `No entry ${JSON.stringify(id)} in the log: ${why}`, { id });
}

/** What the file system refuses, in the pool's own words. */
async function mapped<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof PoolError ? error : logFailed("could not be written", error);
  }
}

function logFailed(what: string, error: unknown): PoolError {
  const { message } = error as Error;
  const text = error instanceof LogFolderError ? message : `The activity log ${what}: ${message}.`;
  const remedy = "`claude-pool log doctor` looks at it; POOL_HOME puts the log elsewhere.";
  return new PoolError("log_failed", `${text} ${remedy}`, {}, error);
}
