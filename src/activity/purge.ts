/** Removing entries for good, by project and by age. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ensureFolder } from "./folder.ts";
import { entryOf } from "./line.ts";
import { takeLock } from "./lock.ts";
import type { LogFolder } from "./place.ts";
import { archivesOf } from "./read.ts";
import { forgetSessions } from "./sessions.ts";

export interface PurgeOptions {
  /** Only this project's entries. */
  readonly project?: string;
  /** Only entries older than this (Unix seconds). */
  readonly before?: number;
  /** Only say what would go. */
  readonly dryRun?: boolean;
  readonly waitMs: number;
}

export interface Purged {
  readonly removed: number;
  readonly kept: number;
  /** Files of terminals that went with them. */
  readonly sessions: number;
}

/**
 * Removes entries from the log and its archives; lines that are no entries go with those of any age and project.
 *
 * @throws if the lock is not to be had: what is written meanwhile could be lost.
 */
export async function purgeLog(folder: LogFolder, options: PurgeOptions): Promise<Purged> {
  ensureFolder(folder);
  const lock = await takeLock(folder.lock, options.waitMs);
  if (lock === undefined)
    throw new Error(`${folder.lock} was held by another process all the time; nothing was removed.`);
  try {
    const sum = { removed: 0, kept: 0, sessions: 0 };
    for (const path of [folder.file, ...archivesOf(folder).map((name) => join(folder.archive, name))]) {
      const { removed, kept } = purgeFile(path, path === folder.file, options);
      sum.removed += removed;
      sum.kept += kept;
    }
    const before = options.before ?? Infinity;
    if (options.dryRun !== true) sum.sessions = forgetSessions(folder, before, options.project);
    return sum;
  } finally {
    lock.release();
  }
}

function purgeFile(
  path: string,
  isCurrent: boolean,
  options: PurgeOptions,
): { readonly removed: number; readonly kept: number } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return { removed: 0, kept: 0 }; // no log yet, or an archive that rotation just removed
  }
  try {
    const { size } = fstatSync(file);
    const lines = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
    const kept = lines.filter((line) => !isToGo(line, options));
    if (options.dryRun !== true && kept.length < lines.length) replace(path, kept, isCurrent, file, size);
    return { removed: lines.length - kept.length, kept: kept.length };
  } finally {
    closeSync(file);
  }
}

/** The new file takes the old one's place at once; what a writer without the lock put into the old one meanwhile follows. */
function replace(path: string, kept: readonly string[], isCurrent: boolean, old: number, size: number): void {
  if (kept.length === 0 && !isCurrent) {
    unlinkSync(path);
    return;
  }
  const fresh = `${path}.purged`;
  const file = openSync(fresh, "w", 0o600);
  try {
    writeSync(file, kept.map((line) => `${line}\n`).join(""));
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  const late = Buffer.alloc(Math.max(0, fstatSync(old).size - size));
  const count = readSync(old, late, 0, late.length, size);
  if (count === 0) return;
  const again = openSync(path, "a", 0o600);
  try {
    writeSync(again, late.subarray(0, count));
  } finally {
    closeSync(again);
  }
}

function isToGo(line: string, { project, before }: PurgeOptions): boolean {
  const entry = entryIn(line);
  if (entry === undefined) return project === undefined;
  return (project === undefined || entry.project === project) && (before === undefined || entry.timestamp < before);
}

function entryIn(line: string): ReturnType<typeof entryOf> {
  try {
    return entryOf(JSON.parse(line), Date.now() / 1000);
  } catch {
    return undefined; // no JSON: no entry
  }
}
