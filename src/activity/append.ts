/**
 * Appending: one write for each record, under the lock where it can be had in time, and without it where not.
 *
 * W1. One `write` with O_APPEND for a record and its LF; nothing else ever goes into the file, so records never mix.
 * W2. A torn tail, left by a process killed in its write, is closed with an LF before the next record. Whether the tail is torn
 *     may change after the look at it, since not every writer has the lock: the record's own place tells, and it is written again.
 * W3. Without the lock the record is written all the same, always after an LF, but without looking for doubles, floods or rotation.
 * W4. A claim is looked at again after it was written: the order of the file decides (claims.ts K1), whoever had the lock.
 */
import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { isLive, type Entry } from "./entry.ts";
import { claimsIn, collide, ends, isSameOwner, type Claim } from "./claims.ts";
import { ensureFolder, isGone, logProblem } from "./folder.ts";
import { lineOf } from "./line.ts";
import { takeLock } from "./lock.ts";
import type { LogFolder } from "./place.ts";
import { postedBefore, remember } from "./posted.ts";
import { claimBytes, readLog, recentBytes } from "./read.ts";
import { rotateIfDue, rotationBounds, type RotationBounds } from "./rotate.ts";

export interface AppendOptions {
  /** How long the lock may be waited for, in milliseconds: 300 in a hook, 2,000 elsewhere. */
  readonly waitMs: number;
  /** Write it although the same report of the same terminal still stands. */
  readonly repeat?: boolean;
  /** Write it however many this terminal has written: for programs that know what they do. */
  readonly unlimited?: boolean;
  readonly home?: string;
  readonly rotation?: RotationBounds;
  /** Unix seconds; the clock's if left out. */
  readonly now?: number;
}

/** What became of an entry. */
export interface Appended {
  readonly written: boolean;
  /** Why it was not written: it stands already, or the terminal wrote too many. */
  readonly because?: "duplicate" | "flood";
  /** Was the lock to be had in time? */
  readonly locked: boolean;
  /** The entry that stands already. */
  readonly same?: string;
}

/**
 * Writes an entry to the log.
 *
 * @throws {LogFolderError} for a folder that is not the user's own; the file system's own error where it cannot be written.
 */
export async function appendEntry(folder: LogFolder, entry: Entry, options: AppendOptions): Promise<Appended> {
  const line = lineOf(entry, options.home);
  ensureFolder(folder);
  return underLock(folder, options.waitMs, (locked) => {
    if (!locked) {
      writeLine(folder, line, true);
      return { written: true, locked };
    }
    const now = options.now ?? Date.now() / 1000;
    const refused = refusal(folder, entry, now, options);
    if (refused !== undefined) return { written: false, locked, ...refused };
    writeLine(folder, line, false);
    afterwards(folder, entry, now, options);
    return { written: true, locked };
  });
}

/** What came of asking for a claim. */
export interface ClaimAnswer {
  /** Does the claim hold? Without it nothing of it stands in the log, unless it was forced. */
  readonly granted: boolean;
  /** The claim's own entry: new, or the one that this terminal had already. */
  readonly entry: Entry;
  /** Was there one already, more than half over, which now lives longer? */
  readonly renewed: boolean;
  /** Not even asked for, since the terminal wrote too many. */
  readonly because?: "flood";
  /** Who was there first. */
  readonly conflict?: Claim;
  readonly locked: boolean;
}

export interface ClaimOptions extends AppendOptions {
  /** Write it over another's claim too: it waits until that one ends. */
  readonly force?: boolean;
  /** Claims whose terminal is certainly gone stand in nobody's way; each is marked released first. */
  readonly isAbandoned?: (claim: Claim) => boolean;
  /** Makes the entry that releases a claim. */
  readonly release: (claim: Entry, because: "abandoned" | "conflict") => Entry;
}

/** Asks for a claim: first come, first served, the same for every reader (claims.ts K1). Throws as `appendEntry` does. */
export async function appendClaim(folder: LogFolder, entry: Entry, options: ClaimOptions): Promise<ClaimAnswer> {
  ensureFolder(folder);
  const line = lineOf(options.force === true ? { ...entry, flags: [...entry.flags, "forced"] } : entry, options.home);
  return underLock(folder, options.waitMs, (locked) => {
    const now = options.now ?? Date.now() / 1000;
    const write = (bytes: Buffer): void => writeLine(folder, bytes, !locked);
    const before = standing(folder, now);
    for (const claim of before) {
      if (options.isAbandoned?.(claim) === true) write(lineOf(options.release(claim.entry, "abandoned"), options.home));
    }
    const mine = before.find(
      (claim) => claim.entry.sid === entry.sid && claim.entry.dedup === entry.dedup && claim.heldBy === undefined,
    );
    if (mine !== undefined) {
      const renewed = isHalfOver(mine, now) || entry.ttl > mine.entry.ttl;
      if (renewed) write(lineOf({ ...mine.entry, timestamp: entry.timestamp, ttl: entry.ttl }, options.home));
      return { granted: true, entry: mine.entry, renewed, locked };
    }
    if (locked && isFlood(folder, entry, now, options))
      return { granted: false, entry, renewed: false, locked, because: "flood" };
    const first = options.force === true ? undefined : inTheWay(entry, before, options);
    if (first !== undefined) return { granted: false, entry, renewed: false, locked, conflict: first };
    write(line);
    const after = standing(folder, now).find((claim) => claim.entry.id === entry.id);
    const holder = after?.heldBy;
    if (locked) afterwards(folder, entry, now, options);
    if (holder === undefined) {
      return { granted: true, entry, renewed: false, locked };
    }
    if (options.force !== true) write(lineOf(options.release(entry, "conflict"), options.home));
    const conflict = standing(folder, now).find((claim) => claim.entry.id === holder.id);
    return { granted: false, entry, renewed: false, locked, ...(conflict === undefined ? {} : { conflict }) };
  });
}

/** The claim that stands in the way of a new one, before anything is written. */
function inTheWay(entry: Entry, claims: readonly Claim[], { isAbandoned }: ClaimOptions): Claim | undefined {
  return claims.find(
    (claim) =>
      claim.heldBy === undefined &&
      !isSameOwner(claim.entry, entry) &&
      collide(claim.entry, entry) &&
      isAbandoned?.(claim) !== true,
  );
}

/** Renews the claims of a terminal that are more than half over; resolves to their ids. Throws as `appendEntry` does. */
export async function renewClaims(folder: LogFolder, sid: string, options: AppendOptions): Promise<readonly string[]> {
  const due = (now: number): readonly Claim[] =>
    standing(folder, now).filter((claim) => claim.entry.sid === sid && isHalfOver(claim, now));
  // Nearly always there is nothing to do, and that is found out without the lock.
  if (due(options.now ?? Date.now() / 1000).length === 0) return [];
  return underLock(folder, options.waitMs, (locked) => {
    const now = options.now ?? Date.now() / 1000;
    return due(now).map(({ entry }) => {
      writeLine(folder, lineOf({ ...entry, timestamp: now }, options.home), !locked);
      return entry.id;
    });
  });
}

function isHalfOver({ entry, expiresAt }: Claim, now: number): boolean {
  return expiresAt - now < entry.ttl / 2;
}

/** Runs `body` under the lock if it can be had, without it if not; makes the folder again if it went away meanwhile. */
async function underLock<T>(folder: LogFolder, waitMs: number, body: (locked: boolean) => T): Promise<T> {
  for (let again = false; ; again = true) {
    try {
      const lock = await takeLock(folder.lock, waitMs).catch((error: unknown) => {
        if (isGone(error, folder)) throw error;
        return undefined; // a folder in which no lock can be made may still hold a file that can be written (W3)
      });
      try {
        return body(lock !== undefined);
      } finally {
        lock?.release();
      }
    } catch (error) {
      if (again || !isGone(error, folder)) throw error;
      ensureFolder(folder);
    }
  }
}

function standing(folder: LogFolder, now: number): readonly Claim[] {
  return claimsIn(readLog(folder, { now, maxBytes: claimBytes, expired: true }).entries, now);
}

function refusal(
  folder: LogFolder,
  entry: Entry,
  now: number,
  options: AppendOptions,
): Pick<Appended, "because" | "same"> | undefined {
  if (options.repeat !== true) {
    const { same, known } = sameIn(folder, entry, now);
    if (same !== undefined) return { because: "duplicate", same };
    if (!known && entry.sid !== undefined && entry.dedup !== undefined) {
      if (postedBefore(folder, entry.sid, now).standing.has(entry.dedup)) return { because: "duplicate" };
    }
  }
  return isFlood(folder, entry, now, options) ? { because: "flood" } : undefined;
}

function isFlood(folder: LogFolder, entry: Entry, now: number, { unlimited }: AppendOptions): boolean {
  return unlimited !== true && entry.sid !== undefined && postedBefore(folder, entry.sid, now).isFlood;
}

/** What follows a record that stands already: whatever fails here, the record was written, and the caller must not hear otherwise. */
function afterwards(folder: LogFolder, entry: Entry, now: number, options: AppendOptions): void {
  try {
    if (options.unlimited !== true) remember(folder, entry);
    rotateIfDue(folder, now, options.rotation ?? rotationBounds);
  } catch (error) {
    isGone(error, folder); // then the next writer makes what is missing
    logProblem(folder, `After an entry: ${String(error)}`);
  }
}

/**
 * An entry at the end of the log that says the same, comes from the same terminal and still stands: it is live, and nothing ended it since.
 * `known` says that one was there, standing or not.
 */
function sameIn(folder: LogFolder, entry: Entry, now: number): { readonly same?: string; readonly known: boolean } {
  // To look for 16 characters is far cheaper than to read entries; the log is read only when they are there.
  if (entry.dedup === undefined || !tailHolds(folder.file, entry.dedup)) return { known: false };
  const { entries } = readLog(folder, { now, maxBytes: recentBytes, archives: "none", expired: true });
  const last = entries.findLastIndex((other) => other.dedup === entry.dedup && other.sid === entry.sid);
  const found = entries[last];
  if (found === undefined) return { known: false };
  const isUndone = (later: Entry): boolean =>
    ends(later, found) || ((later.action === "claimed" || later.action === "blocked") && ends(found, later));
  const stands = isLive(found, now) && !entries.slice(last + 1).some(isUndone);
  return stands ? { same: found.id, known: true } : { known: true };
}

function tailHolds(path: string, text: string): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return false;
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(Math.min(size, recentBytes));
    const count = readSync(file, buffer, 0, buffer.length, Math.max(0, size - recentBytes));
    return buffer.subarray(0, count).includes(text);
  } finally {
    closeSync(file);
  }
}

/** W1, W2; on a short write, or on one behind a tail that was torn meanwhile, the record is written once more as a whole, after an LF. */
function writeLine(folder: LogFolder, line: Buffer, alwaysBreak: boolean): void {
  const file = openSync(folder.file, "a+", 0o600);
  try {
    const { size } = fstatSync(file);
    const breaks = alwaysBreak || endsTorn(file, size);
    const bytes = breaks ? Buffer.concat([lf, line]) : line;
    if (writeSync(file, bytes) === bytes.length && (breaks || beginsLine(file, line, size))) return;
    const whole = Buffer.concat([lf, line]);
    if (writeSync(file, whole) < whole.length)
      throw new Error(`${folder.file}: the disk took only a part of a record.`);
  } finally {
    closeSync(file);
  }
}

const lf = Buffer.from("\n");
const lastByte = Buffer.alloc(1);

function endsTorn(file: number, size: number): boolean {
  return size > 0 && readSync(file, lastByte, 0, 1, size - 1) === 1 && lastByte[0] !== 10;
}

/** Does a record that was written to a file of this size stand on a line of its own? */
function beginsLine(file: number, line: Buffer, size: number): boolean {
  const from = Math.max(0, size - 1);
  const buffer = Buffer.allocUnsafe(Math.max(0, fstatSync(file).size - from));
  const at = buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from)).indexOf(line);
  return at === 0 ? size === 0 : buffer[at - 1] === 10;
}
