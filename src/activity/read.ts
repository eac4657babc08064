/**
 * Reading: from the end, within bounds, and whatever is there.
 *
 * R1. A reader never writes, never waits for a lock, and never throws for what a line holds.
 * R2. An unterminated last line is somebody's write in progress: it is left for the next reading.
 * R3. One bad line hides no other; it is counted.
 * R4. An id is one entry, at the place where it first stood; a claim that stands again is renewed (claims.ts).
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, type Stats } from "node:fs";
import { join } from "node:path";
import { isLive, type Entry } from "./entry.ts";
import { isOwnFolder } from "./folder.ts";
import { entryOf } from "./line.ts";
import type { LogFolder } from "./place.ts";

/** What a reading is to hold. */
export interface Reading {
  /** Unix seconds. */
  readonly now: number;
  /** How much is read, from the end: 256 KiB if left out. */
  readonly maxBytes?: number;
  /** Only this project's entries, and those that name none. */
  readonly project?: string;
  /** Entries whose time is over too. */
  readonly expired?: boolean;
  /** Lines that look so are not even parsed: for a reader that knows what it is not looking for. */
  readonly skip?: (line: string) => boolean;
  /** All archives instead of the newest. */
  readonly archives?: "newest" | "all" | "none";
}

export interface ReadLog {
  /** In the order of the file, oldest first; each id once. */
  readonly entries: readonly Entry[];
  readonly skipped: Skipped;
  /** Where the reading ended: what comes after it is news. */
  readonly cursor: Cursor;
}

/** Lines that are no entries, by what is wrong with them. */
export interface Skipped {
  readonly oversized: number;
  readonly notJson: number;
  readonly notEntry: number;
}

/** A place in the log that outlives rotation. */
export interface Cursor {
  /** Of the file that was current. */
  readonly file: string;
  readonly offset: number;
  /** Unix seconds: what counts where the file is gone. */
  readonly at: number;
}

export const recentBytes = 256 * 1024;
/** Enough for the whole file and what it was rotated from: no claim that stands is further back. */
export const claimBytes = 2 * 1024 * 1024;
const maxLineBytes = 64 * 1024;
const chunkBytes = 1024 * 1024;

/** The entries of a log, as far back as the bounds reach. A log that is not there is empty. */
export function readLog(folder: LogFolder, reading: Reading): ReadLog {
  const maxBytes = reading.maxBytes ?? recentBytes;
  const lines = new Lines(reading);
  if (!isOwnFolder(folder))
    return { entries: [], skipped: lines.skipped, cursor: { file: "", offset: 0, at: reading.now } };
  const current = lines.readTail(folder.file, maxBytes);
  let left = maxBytes - (current?.bytes ?? 0);
  if (reading.archives !== "none") {
    const names = archivesOf(folder).toReversed();
    for (const name of reading.archives === "all" ? names : names.slice(0, 1)) {
      if (left <= 0) break;
      left -= lines.readTail(join(folder.archive, name), left)?.bytes ?? 0;
    }
  }
  const cursor = { file: current?.id ?? "", offset: current?.end ?? 0, at: reading.now };
  return { entries: lines.entries(), skipped: lines.skipped, cursor };
}

/** What was written after a cursor. The bounds are the same; an entry that rotation copied forward is no news. */
export function readSince(folder: LogFolder, cursor: Cursor, reading: Reading): ReadLog {
  const maxBytes = reading.maxBytes ?? recentBytes;
  const lines = new Lines(reading);
  if (!isOwnFolder(folder)) return { entries: [], skipped: lines.skipped, cursor };
  const current = lines.readTail(folder.file, maxBytes, cursor);
  const found = { file: current?.id ?? "", offset: current?.end ?? 0, at: reading.now };
  if (current?.id !== cursor.file) {
    const newest = archivesOf(folder).at(-1);
    const old = newest === undefined ? undefined : lines.readTail(join(folder.archive, newest), maxBytes, cursor);
    // Of a log that was not there at all, everything is news.
    if ((old?.id ?? "") !== cursor.file) lines.forgetUntil(cursor.at);
  }
  return { entries: lines.entries(), skipped: lines.skipped, cursor: found };
}

/** The names of the archived files, oldest first. */
export function archivesOf(folder: LogFolder): readonly string[] {
  try {
    return readdirSync(folder.archive)
      .filter((name) => /^instance_state\..+\.jsonl$/.test(name))
      .sort();
  } catch {
    return []; // none yet
  }
}

/** The identity of a file, also where its number is given to another after it. */
export function fileId(stat: Stats): string {
  return `${String(stat.dev)}:${String(stat.ino)}:${String(Math.round(stat.birthtimeMs))}`;
}

/** The lines of several files, the newest file first, put together. */
class Lines {
  readonly #reading: Reading;
  readonly #files: (readonly Entry[])[] = [];
  readonly #seen = new Set<string>();
  readonly #skipped = { oversized: 0, notJson: 0, notEntry: 0 };
  #until = -Infinity;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  get skipped(): Skipped {
    return this.#skipped;
  }

  /** Reads the end of a file; where it is the cursor's own, what stands before the cursor counts as seen. Undefined: there is none. */
  readTail(
    path: string,
    maxBytes: number,
    cursor?: Cursor,
  ): { readonly bytes: number; readonly end: number; readonly id: string } | undefined {
    let file: number;
    try {
      file = openSync(path, "r");
    } catch {
      return undefined; // not there, or not ours to read: `doctor` says which
    }
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) return undefined;
      const id = fileId(stat);
      const from = cursor?.file === id ? cursor.offset : 0;
      const { buffer, start } = tail(file, stat.size, maxBytes);
      // Where reading did not begin at the file's beginning, the first line is the end of one; the last may be a write in progress (R2).
      const end = buffer.lastIndexOf(10) + 1;
      const begin = start === 0 ? 0 : Math.min(end, buffer.indexOf(10) + 1);
      const middle = Math.min(end, Math.max(begin, from - start));
      const after = this.#entriesIn(buffer.subarray(middle, end), Math.min(this.#reading.now, stat.mtimeMs / 1000));
      this.#files.push(after);
      for (const seen of idsIn(buffer.subarray(begin, middle))) this.#seen.add(seen);
      return { bytes: buffer.length, end: start + end, id };
    } finally {
      closeSync(file);
    }
  }

  /** Without a cursor's file, its time has to do. */
  forgetUntil(at: number): void {
    this.#until = at;
  }

  entries(): readonly Entry[] {
    const { now, expired, project } = this.#reading;
    const byId = new Map<string, Entry>();
    for (const entry of this.#files.toReversed().flat()) {
      const before = byId.get(entry.id);
      if (before === undefined || isRenewal(before, entry)) byId.set(entry.id, entry);
    }
    return [...byId.values()].filter(
      (entry) =>
        !this.#seen.has(entry.id) &&
        entry.timestamp > this.#until &&
        (expired === true || isLive(entry, now)) &&
        (project === undefined || entry.project === undefined || entry.project === project),
    );
  }

  /** From the last line to the first, because a later line bounds the time of an earlier one. */
  #entriesIn(bytes: Buffer, latest: number): readonly Entry[] {
    const entries: Entry[] = [];
    const lines = bytes.toString("utf8").split("\n");
    let bound = latest;
    for (let index = lines.length - 1; index >= 0; index -= 1) {
      const entry = this.#entryIn(lines[index] ?? "", bound);
      if (entry === undefined) continue;
      bound = Math.min(bound, entry.timestamp);
      entries.push(entry);
    }
    return entries.reverse();
  }

  #entryIn(line: string, latest: number): Entry | undefined {
    if (line === "" || line.trim() === "" || this.#reading.skip?.(line) === true) return undefined;
    if (line.length > maxLineBytes) {
      this.#skipped.oversized += 1;
      return undefined;
    }
    let value: unknown;
    try {
      value = JSON.parse(line.charCodeAt(0) === 0xfeff ? line.slice(1) : line);
    } catch {
      this.#skipped.notJson += 1;
      return undefined;
    }
    const entry = entryOf(value, this.#reading.now, latest);
    if (entry === undefined) this.#skipped.notEntry += 1;
    return entry;
  }
}

/** Does a second line with the same id continue the first? Only its own terminal's, and only while the first still stood. */
function isRenewal(before: Entry, again: Entry): boolean {
  const own = before.sid !== undefined && before.sid === again.sid;
  return own && again.timestamp > before.timestamp && again.timestamp < before.timestamp + before.ttl;
}

/** The ids that a reader has seen: to parse the lines would take longer than all that is new. */
function idsIn(bytes: Buffer): readonly string[] {
  return Array.from(bytes.toString("utf8").matchAll(/"id":\s*"([^"\\]+)"/g), ([, id = ""]) => id);
}

function tail(file: number, size: number, maxBytes: number): { readonly buffer: Buffer; readonly start: number } {
  const start = Math.max(0, size - maxBytes);
  const buffer = Buffer.allocUnsafe(size - start);
  let filled = 0;
  while (filled < buffer.length) {
    const count = readSync(file, buffer, filled, Math.min(chunkBytes, buffer.length - filled), start + filled);
    if (count === 0) break; // shorter than it was: purged meanwhile
    filled += count;
  }
  return { buffer: buffer.subarray(0, filled), start };
}
