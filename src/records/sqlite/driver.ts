/**
 * The `Sql` port on Node's own SQLite.
 *
 * D1. Statements of a transaction and those outside it take turns by one lock (S1), since both use one connection. All
 *     connections of this process to one file share it: SQLite waits for a lock without giving up the event loop, so one
 *     connection would wait for a transaction of another that can only go on when the wait is over.
 * D2. A file that is not the pool's, or a newer version's, is closed again before anything in it has changed.
 * D3. A file that was removed or replaced while it is open takes nothing more, since nobody would ever find that again.
 */
import { realpathSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { PoolError } from "../../core/errors.ts";
import type { Sql, SqlRow, SqlTx } from "../../core/ports.ts";
import { applicationId, latestVersion } from "../migrations.ts";
import { storeFailure } from "./failure.ts";
import { prepareFile, requireSqlite } from "./ground.ts";

export interface SqliteOptions {
  /** How long a transaction waits for another process's, in milliseconds. Default 10,000. */
  readonly busyTimeoutMs?: number;
  /** The most pages of 4 KB that the file may have; then `store_full`. */
  readonly maxPageCount?: number;
}

/**
 * Opens the database of a store, and creates it if it is not there; `:memory:` lives as long as the connection.
 *
 * @throws {PoolError} `sqlite_too_old`, `store_read_only`, `store_not_database`, `store_newer`, `store_busy`, `store_failed`.
 * @example const sql = await openSqlite(":memory:");
 */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<Sql> {
  requireSqlite(process.versions.sqlite ?? "0");
  if (path !== ":memory:") prepareFile(path);
  const lock = path === ":memory:" ? turns() : turnsOf(realpathSync(path));
  return lock(() => open(path, options, lock));
}

async function open(path: string, options: SqliteOptions, lock: Turns): Promise<Sql> {
  const busyTimeoutMs = options.busyTimeoutMs ?? 10_000;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    requireOurs(db, path);
    await useWal(db, busyTimeoutMs);
    db.exec("PRAGMA synchronous = FULL");
    // 16 MB between checkpoints instead of 4: each costs two syncs more, and a busy pool writes 4 MB in a fraction of a second.
    db.exec("PRAGMA wal_autocheckpoint = 4000");
    if (options.maxPageCount !== undefined) db.exec(`PRAGMA max_page_count = ${String(options.maxPageCount)}`);
  } catch (error) {
    db?.close();
    throw storeFailure(error, path);
  }
  return connection(db, path, lock);
}

/** D2. */
function requireOurs(db: DatabaseSync, path: string): void {
  // In this order: another process may make the tables between two of these looks, and its mark is then seen by the last.
  const version = pragma(db, "user_version");
  const isEmpty = version === 0 && db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  const application = pragma(db, "application_id");
  if (application !== applicationId) {
    if (isEmpty && application === 0) return;
    throw new PoolError(
      "store_not_database",
      `The file ${path} is an SQLite database of another program. Name another with \`--store\`; nothing in it was changed.`,
      { path },
    );
  }
  if (version > latestVersion) {
    throw new PoolError(
      "store_newer",
      `The store ${path} has version ${String(version)}, and this claude-pool knows ${String(latestVersion)}. ` +
        "Update claude-pool, or name another store with `--store`.",
      { path, version },
    );
  }
}

/** Two processes that switch a new file at once get SQLITE_BUSY without SQLite's own waiting, so the wait is here. */
async function useWal(db: DatabaseSync, busyTimeoutMs: number): Promise<void> {
  const end = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      db.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      const mapped = storeFailure(error, "");
      const isBusy = mapped instanceof PoolError && mapped.code === "store_busy";
      if (!isBusy || performance.now() > end) throw error;
      await pause(5);
    }
  }
}

/** Undefined: there is no such file, or it is none. */
function inodeOf(path: string): number | undefined {
  return path === ":memory:" ? undefined : statSync(path, { throwIfNoEntry: false })?.ino;
}

function removed(path: string): PoolError {
  return new PoolError(
    "store_failed",
    `The store ${path} was removed or replaced while it was open, so nothing more is written to it. Put it back, or stop this process and start it anew.`,
    { path },
  );
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function connection(db: DatabaseSync, path: string, lock: Turns): Sql {
  const statements = statementsOf(db, path);
  const dataVersion = db.prepare("PRAGMA data_version");
  let closed = false;

  const opened = inodeOf(path);

  async function transaction<T>(body: (sql: SqlTx) => Promise<T>): Promise<T> {
    if (inodeOf(path) !== opened) throw removed(path); // D3
    try {
      db.exec("BEGIN IMMEDIATE");
      const value = await body(statements);
      db.exec("COMMIT");
      return value;
    } catch (error) {
      // A full disk and some other failures have rolled back already.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw storeFailure(error, path);
    }
  }
  function requireOpen(): void {
    if (closed)
      throw new PoolError("pool_closed", `The store ${path} is closed. Open the pool again with \`openPool\`.`, {
        path,
      });
  }

  return {
    async all(query, params) {
      requireOpen();
      return lock(() => statements.all(query, params));
    },
    async tx(body) {
      requireOpen();
      return lock(() => transaction(body));
    },
    version() {
      requireOpen();
      return Number(dataVersion.get()?.data_version);
    },
    async close() {
      if (closed) return;
      closed = true;
      await lock(() => {
        db.close();
        return Promise.resolve();
      });
    },
  };
}

/** Runs statements, each prepared once for its text. */
function statementsOf(db: DatabaseSync, path: string): SqlTx {
  const known = new Map<string, StatementSync>();
  function prepared(query: string): StatementSync {
    let statement = known.get(query);
    if (statement === undefined) {
      statement = db.prepare(query);
      known.set(query, statement);
    }
    return statement;
  }
  // Not async functions: those would cost each of a commit's many statements two more turns of the microtask queue.
  return {
    all(query, params = []) {
      try {
        return Promise.resolve(prepared(query).all(...params) as SqlRow[]);
      } catch (error) {
        return failed(storeFailure(error, path));
      }
    },
    run(query, params = []) {
      try {
        return Promise.resolve(Number(prepared(query).run(...params).changes));
      } catch (error) {
        return failed(storeFailure(error, path));
      }
    },
  };
}

type Turns = <T>(job: () => Promise<T>) => Promise<T>;

/** D1. A file's lock is a few bytes and stays for the life of the process. */
const fileTurns = new Map<string, Turns>();

function turnsOf(file: string): Turns {
  const known = fileTurns.get(file) ?? turns();
  fileTurns.set(file, known);
  return known;
}

/** Runs one job at a time, in the order asked. */
function turns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (job) => {
    const before = last;
    const isFree = waiting === 0;
    waiting += 1;
    const turn = isFree ? job() : before.then(job, job);
    last = turn;
    try {
      return await turn;
    } finally {
      waiting -= 1;
    }
  };
}

function failed(error: unknown): Promise<never> {
  return Promise.reject(error instanceof Error ? error : new Error(String(error)));
}
