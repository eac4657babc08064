/** What an error of SQLite means to the pool. */
import type { ErrorCode } from "../../core/errors.ts";
import { PoolError } from "../../core/errors.ts";

/** The PoolError for whatever SQLite threw; a PoolError passes through unchanged (S3). */
export function storeFailure(error: unknown, path: string): unknown {
  if (error instanceof PoolError || !isSqliteError(error)) return error;
  // The low byte is the primary code; the rest says more precisely which kind of it.
  const code = error.errcode & 0xff;
  const known = codes.get(code);
  if (known === undefined) {
    return new PoolError(
      "store_failed",
      `The store ${path} failed: ${error.message}. \`claude-pool doctor\` checks it.`,
      { path, ...(ofValues.has(code) ? { isOfValue: true } : {}) },
      error,
    );
  }
  return new PoolError(known.code, `The store ${path} ${known.text}`, { path }, error);
}

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
}

const busy: Meaning = {
  code: "store_busy",
  text: "was locked by another process for longer than the busy timeout. Try again.",
};
const readOnly: Meaning = {
  code: "store_read_only",
  text: "cannot be written. Mend its permissions, or name another with `--store`.",
};
const notDatabase: Meaning = {
  code: "store_not_database",
  text: "is not an SQLite database, or a damaged one. Name another file with `--store`.",
};

const codes: ReadonlyMap<number, Meaning> = new Map([
  [5, busy], // SQLITE_BUSY
  [6, busy], // SQLITE_LOCKED
  [8, readOnly], // SQLITE_READONLY
  [11, notDatabase], // SQLITE_CORRUPT
  [
    13,
    {
      code: "store_full",
      text: "is full: free space, or `claude-pool prune --older-than 30d`. What was accepted is safe.",
    },
  ], // SQLITE_FULL
  [14, readOnly], // SQLITE_CANTOPEN
  [26, notDatabase], // SQLITE_NOTADB
]);

/** What SQLite says of a value, and not of the file: SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH and SQLITE_RANGE. */
const ofValues: ReadonlySet<number> = new Set([18, 19, 20, 25]);

function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number";
}
