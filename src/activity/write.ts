/** From what somebody wants to say to what stands in the log: the one way in for hooks, the CLI, tools and the pool. */
import { appendClaim, appendEntry, type AppendOptions, type ClaimAnswer } from "./append.ts";
import { claimsIn, isSameOwner, type Claim } from "./claims.ts";
import { isLive, newEntry, sidOf, type Author, type Draft, type Entry } from "./entry.ts";
import { statesAtOnce } from "./living.ts";
import type { LogFolder } from "./place.ts";
import { claimBytes, readLog } from "./read.ts";
import { isGoneSession, readSession } from "./sessions.ts";

export interface WriteOptions extends AppendOptions {
  /** Claim over another's claim too. */
  readonly force?: boolean;
}

/** What became of it. */
export interface Written {
  readonly written: boolean;
  /** Why nothing was written: it says nothing, stands already, is one too many, or somebody else holds what it claims. */
  readonly because?: "empty" | "duplicate" | "flood" | "conflict";
  /** What stands in the log: the new entry, or the one that stood already. Absent where there is none. */
  readonly entry?: Entry;
  /** The claim that was there first; with `force` beside a claim that waits for it. */
  readonly conflict?: Claim;
  /** Was the lock to be had in time? */
  readonly locked: boolean;
}

/** Writes what somebody wants to say; a claim is asked for, and perhaps not granted. Throws as `appendEntry` does. */
export async function writeDraft(
  folder: LogFolder,
  draft: Draft,
  author: Author,
  options: WriteOptions,
): Promise<Written> {
  const entry = newEntry(draft, author, options.now);
  if (entry === undefined) return { written: false, because: "empty", locked: false };
  if (entry.action !== "claimed") {
    const { written, because, locked } = await appendEntry(folder, entry, options);
    return { written, locked, ...(written ? { entry } : {}), ...(because === undefined ? {} : { because }) };
  }
  const answer = await claim(folder, entry, author, options);
  if (answer.because !== undefined) return { written: false, because: answer.because, locked: answer.locked };
  const conflict = answer.conflict === undefined ? {} : { conflict: answer.conflict };
  if (!answer.granted && options.force !== true)
    return { written: false, because: "conflict", locked: answer.locked, ...conflict };
  const isOld = answer.entry.id !== entry.id;
  return {
    written: !isOld || answer.renewed,
    ...(isOld && !answer.renewed ? { because: "duplicate" as const } : {}),
    entry: answer.entry,
    locked: answer.locked,
    ...conflict,
  };
}

/** Releases the claims of an author that `which` says; resolves to the entries that were written. Throws as `appendEntry` does. */
export async function releaseClaims(
  folder: LogFolder,
  author: Author,
  which: (claim: Claim) => boolean,
  options: WriteOptions,
): Promise<readonly Entry[]> {
  const now = options.now ?? Date.now() / 1000;
  const sid = sidOf(author.sessionId);
  const released: Entry[] = [];
  for (const standing of standingClaims(folder, now)) {
    const isOwn = isSameOwner(standing.entry, { sid, sourceInstance: author.instance ?? "?" });
    if ((!isOwn && options.force !== true) || !which(standing)) continue;
    const entry = releaseOf(standing.entry, author, isOwn ? undefined : "forced", now);
    await appendEntry(folder, entry, { ...options, repeat: true, unlimited: true });
    released.push(entry);
  }
  return released;
}

/** The claims that stand, those of terminals that are certainly gone left out. Unix seconds. */
export function standingClaims(folder: LogFolder, now: number, project?: string): readonly Claim[] {
  const { entries } = readLog(folder, {
    now,
    maxBytes: claimBytes,
    expired: true,
    ...(project === undefined ? {} : { project }),
  });
  return livingClaims(folder, entries, now);
}

/** The same of entries that were read already. What waited behind a claim of a terminal that is gone holds. */
export function livingClaims(
  folder: LogFolder,
  entries: readonly Entry[],
  now: number,
  isOwn: (entry: Entry) => boolean = () => false,
): readonly Claim[] {
  const claims = claimsIn(entries, now);
  const isAbandoned = abandoned(folder, now);
  const isGone = (entry: Entry): boolean => !isOwn(entry) && isAbandoned(entry);
  if (!claims.some(({ entry }) => isGone(entry))) return claims;
  // Also those that stand behind so many others that they were not looked at.
  return claimsIn(
    entries.filter((entry) => entry.action !== "claimed" || !isLive(entry, now) || !isGone(entry)),
    now,
  );
}

/** Is the terminal that claimed certainly gone? Each is looked at once, however many claims it has. */
function abandoned(folder: LogFolder, now: number): (claim: Entry) => boolean {
  const known = new Map<string, boolean>();
  const state = statesAtOnce();
  return ({ sid }) => {
    if (sid === undefined) return false;
    const session = known.has(sid) ? undefined : readSession(folder, sid);
    const isGone = known.get(sid) ?? (session !== undefined && isGoneSession(session, now, state));
    known.set(sid, isGone);
    return isGone;
  };
}

async function claim(folder: LogFolder, entry: Entry, author: Author, options: WriteOptions): Promise<ClaimAnswer> {
  const now = options.now ?? Date.now() / 1000;
  const isAbandoned = abandoned(folder, now);
  return appendClaim(folder, entry, {
    ...options,
    isAbandoned: (other) => other.entry.sid !== entry.sid && isAbandoned(other.entry),
    release: (other, because) => releaseOf(other, author, because === "abandoned" ? because : undefined, now),
  });
}

function releaseOf(claim: Entry, author: Author, flag: "abandoned" | "forced" | undefined, now: number): Entry {
  const summary = { abandoned: "Its terminal is gone.", forced: "Released by another terminal.", own: "" }[
    flag ?? "own"
  ];
  const { topic, paths, resources, id: ref } = claim;
  const draft = { action: "released", topic, summary, paths, resources, ref, flags: flag === undefined ? [] : [flag] };
  const entry = newEntry(draft, author, now);
  if (entry === undefined) throw new TypeError(`The claim ${claim.id} has no topic.`); // newEntry gave it one
  return entry;
}
