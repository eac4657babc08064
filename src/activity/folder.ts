/** Making the log's folder, and refusing one that somebody else could read or has put there. */
import { accessSync, chmodSync, closeSync, constants, lstatSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import type { LogFolder } from "./place.ts";
import { redact } from "./redact.ts";

/** A log folder that cannot be used. */
export class LogFolderError extends Error {
  override readonly name = "LogFolderError";
}

/**
 * Makes sure that the folder is there, the user's own and closed to others.
 *
 * @throws {LogFolderError} for a link or another user's folder; the file system's own error where it cannot be made.
 */
export function ensureFolder(folder: LogFolder): void {
  if (made.has(folder.root)) return;
  makeFolder(folder.root);
  refuseForeign(folder.root);
  for (const below of [folder.sessions, folder.archive]) {
    makeFolder(below);
    refuseForeign(below);
  }
  made.add(folder.root);
}

/** Folders that this process has made sure of; one that is removed meanwhile is made again by who finds it gone. */
const made = new Set<string>();

/** Is this the error of a folder that was there and is gone? Then the next `ensureFolder` makes it again. */
export function isGone(error: unknown, folder: LogFolder): boolean {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return false;
  made.delete(folder.root);
  return true;
}

/**
 * A line in the folder's error log, which is made if missing and keeps itself and one older file of 64 KiB. Never throws: it is where errors end.
 */
export function logProblem(folder: LogFolder, text: string): void {
  try {
    const path = join(folder.root, "errors.log");
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isFile()) return;
    const file = openSync(path, stat !== undefined && stat.size > 65_536 ? "w" : "a", 0o600);
    try {
      writeSync(
        file,
        `${new Date().toISOString()} ${redact(text.slice(0, 4_096))
          .text.replace(/[\p{Cc}\s]+/gu, " ")
          .slice(0, 1_000)}\n`,
      );
    } finally {
      closeSync(file);
    }
  } catch {
    // Nowhere to write it: the caller goes on all the same.
  }
}

/** May a reader believe what lies there? A link, or another user's folder, is not the log. One that is not there holds nothing. */
export function isOwnFolder(folder: LogFolder): boolean {
  const stat = lstatSync(folder.root, { throwIfNoEntry: false });
  return (
    stat === undefined || (!stat.isSymbolicLink() && (process.getuid === undefined || stat.uid === process.getuid()))
  );
}

/**
 * Tells a log that cannot be read from one that is not there, which a reader takes for each other.
 *
 * @throws {LogFolderError} for a link or another user's folder; the file system's own error for a file that is there and closed.
 */
export function checkReadable(folder: LogFolder): void {
  if (!isOwnFolder(folder)) refuseForeign(folder.root);
  try {
    accessSync(folder.file, constants.R_OK);
  } catch (error) {
    if (!["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

function refuseForeign(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink())
    throw new LogFolderError(`${path} is a symbolic link; the log's folder must be a folder of its own.`);
  if (process.getuid !== undefined && stat.uid !== process.getuid()) {
    throw new LogFolderError(`${path} belongs to another user; the log is not kept there.`);
  }
  if ((stat.mode & 0o077) !== 0 && process.platform !== "win32") chmodSync(path, 0o700);
}
