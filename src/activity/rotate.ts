/**
 * Rotation: the file moves to the archive, and what still stands is copied forward.
 *
 * O1. Only the holder of the lock rotates, and it looks again after it has the lock.
 * O2. The rename is the whole of it: a writer that has the old file open writes into the archive, which readers read; killed right after the
 *     rename, the next writer makes the new file, and what was not copied forward is still in the newest archive.
 * O3. What is copied keeps its id, so readers see it once; it takes at most half of what makes a file rotate.
 */
import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { claimsIn, ends } from "./claims.ts";
import { isLive, limits, type Entry } from "./entry.ts";
import { lineOf } from "./line.ts";
import type { LogFolder } from "./place.ts";
import { archivesOf, readLog } from "./read.ts";
import { forgetSessions } from "./sessions.ts";

export interface RotationBounds {
  readonly maxBytes: number;
  /** An older first record rotates a file of `agedBytes`. Seconds. */
  readonly maxAge: number;
  readonly agedBytes: number;
  readonly archives: number;
  /** The most that is copied forward. */
  readonly carriedBytes: number;
}

export const rotationBounds: RotationBounds = {
  maxBytes: 1024 * 1024,
  maxAge: 7 * 86_400,
  agedBytes: 64 * 1024,
  archives: 4,
  carriedBytes: 512 * 1024,
};

/** How much is read to find what stands: the file and the newest archive, and no more of what another tool let grow. */
const lookBack = 4 * 1024 * 1024;

/** Rotates if it is time; the caller holds the lock (O1). Times in Unix seconds. */
export function rotateIfDue(folder: LogFolder, now: number, bounds: RotationBounds = rotationBounds): boolean {
  const stat = statSync(folder.file, { throwIfNoEntry: false });
  if (stat === undefined || !isDue(folder, stat, now, bounds)) return false;
  const { entries } = readLog(folder, { now, maxBytes: lookBack, expired: true });
  const carried = standing(entries, now, bounds.carriedBytes);
  renameSync(folder.file, join(folder.archive, archiveName(folder, now)));
  if (carried.length > 0) writeNew(folder, Buffer.concat(carried));
  for (const name of archivesOf(folder).slice(0, -bounds.archives)) unlinkSync(join(folder.archive, name));
  clearAway(folder, now - forgottenSecs);
  return true;
}

/** Nothing that a terminal wrote is live for longer than a week; then what is kept of it serves nobody. */
const forgottenSecs = limits.maxTtl + 86_400;

/** Files of terminals not seen since a time, and locks taken aside by processes that were killed in the middle of it. */
function clearAway(folder: LogFolder, before: number): void {
  forgetSessions(folder, before);
  for (const name of readdirSync(folder.root)) {
    if (!name.startsWith(".lock.")) continue;
    const path = join(folder.root, name);
    if ((lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < before * 1000)
      rmSync(path, { force: true });
  }
}

function isDue(folder: LogFolder, { size }: Stats, now: number, bounds: RotationBounds): boolean {
  if (size > bounds.maxBytes) return true;
  if (size <= bounds.agedBytes) return false;
  const first = firstTime(folder.file);
  return first !== undefined && first < now - bounds.maxAge;
}

/** Claims that hold or wait first, then open blockers, then live BLOCKS entries, as long as they fit; in the order of the file. */
function standing(entries: readonly Entry[], now: number, maxBytes: number): readonly Buffer[] {
  const claims = new Set(claimsIn(entries, now).map(({ entry }) => entry));
  const live = entries.filter((entry) => isLive(entry, now));
  const blockers = live.filter(
    (entry, index) => entry.action === "blocked" && !live.slice(index + 1).some((later) => ends(later, entry)),
  );
  const notices = live.filter(
    (entry) => entry.blocks !== "" && entry.action !== "claimed" && entry.action !== "blocked",
  );
  const chosen = new Map<Entry, Buffer>();
  let bytes = 0;
  for (const entry of [...claims, ...blockers.toReversed(), ...notices.toReversed()]) {
    const line = lineOf(entry);
    if (bytes + line.length > maxBytes) continue;
    bytes += line.length;
    chosen.set(entry, line);
  }
  return entries.flatMap((entry) => chosen.get(entry) ?? []);
}

/** Sorts by time, also within a second; another's own, should two for once hold the lock, since a rename would put one over the other. */
function archiveName(folder: LogFolder, now: number): string {
  const stamp = new Date(now * 1000).toISOString().replace(/[-:]/g, "").replace(".", "-");
  const own = Math.random().toString(36).slice(2, 10);
  const last = archivesOf(folder).at(-1);
  const name = `instance_state.${stamp}-${own}.jsonl`;
  // A clock that went back must not put a newer archive before an older one.
  return last === undefined || name > last ? name : `${last.slice(0, -".jsonl".length)}~.jsonl`;
}

/** One write, appended, on a line of its own: a writer without the lock may have made the file already. */
function writeNew(folder: LogFolder, bytes: Buffer): void {
  const file = openSync(folder.file, "a", 0o600);
  try {
    writeSync(file, fstatSync(file).size === 0 ? bytes : Buffer.concat([Buffer.from("\n"), bytes]));
  } finally {
    closeSync(file);
  }
}

function firstTime(path: string): number | undefined {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(8_192);
    const text = buffer.toString("utf8", 0, readSync(file, buffer, 0, buffer.length, 0));
    const time = Number(/"timestamp":\s*([\d.]+)/.exec(text)?.[1]);
    return Number.isFinite(time) ? time : undefined;
  } finally {
    closeSync(file);
  }
}
