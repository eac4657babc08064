/** What must be true before SQLite may touch a file: its version, and the permissions of the file and its folder. */
import { accessSync, closeSync, constants, openSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { PoolError } from "../../core/errors.ts";
import { makeFolder } from "../../make-folder.ts";

/** Older ones can lose committed data when two processes write and checkpoint at once (sqlite.org/wal.html#walresetbug). */
const oldestSqlite = [3, 51, 3] as const;

/** @throws {PoolError} `sqlite_too_old`. */
export function requireSqlite(version: string): void {
  const have = version.split(".").map(Number);
  for (const [index, wanted] of oldestSqlite.entries()) {
    const part = have[index] ?? 0;
    if (part > wanted) return;
    if (part < wanted) {
      throw new PoolError(
        "sqlite_too_old",
        `Node's SQLite is ${version}; the pool needs ${oldestSqlite.join(".")} or newer, because an older one can lose data ` +
          "when two processes write. Use Node 22.22.3 or newer, or 24.15 or newer.",
        { version },
      );
    }
  }
}

/**
 * Makes sure that the store's file exists (0600, in a folder of 0700) and can be written.
 *
 * Mode bits are looked at beside `access`, because they do not stop root, and a store that was made read-only was meant so.
 *
 * @throws {PoolError} `store_read_only`, `store_not_database` (a directory), `store_failed`.
 */
export function prepareFile(path: string): void {
  const folder = dirname(path);
  try {
    makeFolder(folder);
    requireWritable(folder, statSync(folder), path);
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing === undefined) {
      // SQLite gives the files beside it (-wal, -shm) the mode of this one.
      closeSync(openSync(path, "a", 0o600));
      return;
    }
    if (!existing.isFile()) {
      throw new PoolError("store_not_database", `The store ${path} is not a file. Name another with \`--store\`.`, {
        path,
      });
    }
    requireWritable(path, existing, path);
  } catch (error) {
    throw fileFailure(error, path);
  }
}

function requireWritable(place: string, stats: Stats, path: string): void {
  if ((stats.mode & 0o222) === 0) throw readOnly(path, `nobody may write ${place}`);
  accessSync(place, constants.W_OK);
}

function fileFailure(error: unknown, path: string): unknown {
  if (error instanceof PoolError || !(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "EACCES" || error.code === "EPERM" || error.code === "EROFS")
    return readOnly(path, error.message, error);
  if (error.code === "ENOSPC" || error.code === "EDQUOT") {
    return new PoolError(
      "store_full",
      `There is no space for the store ${path}. Free some, or name another with \`--store\`.`,
      { path },
      error,
    );
  }
  return new PoolError("store_failed", `The store ${path} cannot be opened: ${error.message}`, { path }, error);
}

function readOnly(path: string, why: string, cause?: unknown): PoolError {
  return new PoolError(
    "store_read_only",
    `The store ${path} cannot be written: ${why}. Mend its permissions, or name another with \`--store\`.`,
    { path },
    cause,
  );
}
