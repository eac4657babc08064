/**
 * The one way to write: C1 and C2 of core/records.ts are kept here.
 *
 * G1. A flush takes what is queued when it begins; what is asked for meanwhile waits for the next one, which follows at once.
 * G2. A write that can never be done, whatever becomes of the store, fails alone: the others are done in the next flush.
 * G3. After the commit, in this order: promises resolve, the hook hears of its leases, followers get the events.
 */
import { canHeal, PoolError } from "../core/errors.ts";
import type { PoolEvent } from "../core/events.ts";
import type { GovernorSettings } from "../core/governor.ts";
import type { Clock, Sql } from "../core/ports.ts";
import type { Lease } from "../core/records.ts";
import { beginChange, type Change } from "./change.ts";

/** One write: reads and checks first, throws its refusal before it changes anything (C2), then changes. */
export type Write<T> = (change: Change) => T | Promise<T>;

export interface GroupCommit {
  write<T>(body: Write<T>): Promise<T>;
  /** Resolves when everything asked for so far is committed or rejected. */
  settled(): Promise<void>;
}

export interface GroupCommitParts {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly governor: GovernorSettings;
  /** Runs first in every transaction. */
  readonly before: (change: Change) => Promise<void>;
  /** Runs after every write, and after the leases: what follows of it. True if there was anything. */
  readonly follow: (change: Change) => Promise<boolean>;
  /** Runs last in every transaction: the leases of what runs next. */
  readonly lease: (change: Change) => Promise<readonly Lease[]>;
  readonly leased: (leases: readonly Lease[]) => void;
  readonly committed: (events: readonly PoolEvent[]) => void;
}

export function groupCommit(parts: GroupCommitParts): GroupCommit {
  let queue: Queued[] = [];
  let flushing: Promise<void> | undefined;

  async function flushAll(): Promise<void> {
    while (queue.length > 0) {
      await turnOfTheLoop();
      const batch = queue;
      queue = [];
      queue.unshift(...(await flush(parts, batch)));
    }
    flushing = undefined;
  }
  return {
    write<T>(body: Write<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        queue.push({ body, resolve: resolve as (value: unknown) => void, reject });
        flushing ??= flushAll();
      });
    },
    async settled() {
      await flushing;
    },
  };
}

interface Queued {
  readonly body: Write<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks for another transaction and nothing else. */
const nothing: Queued = { body: () => undefined, resolve: () => undefined, reject: () => undefined };

/** Resolves to what another transaction should do at once. */
async function flush(parts: GroupCommitParts, batch: readonly Queued[]): Promise<readonly Queued[]> {
  const failed: Queued[] = [];
  let commit;
  try {
    commit = await parts.sql.tx(async (sql) => {
      const change = await beginChange(sql, parts.clock.now(), parts.governor);
      await parts.before(change);
      const settle: (() => void)[] = [];
      for (const queued of batch) {
        const attempted = attempt(change, queued, parts.follow);
        settle.push(
          await attempted.catch((error: unknown) => {
            failed.push(queued);
            throw error;
          }),
        );
      }
      const leases = await parts.lease(change);
      const isOpen = await parts.follow(change);
      return { settle, leases, isOpen, events: await change.finish() };
    });
  } catch (error) {
    const isAlone = failed.length > 0 && !canHeal(error); // G2
    for (const { reject } of isAlone ? failed : batch) reject(error);
    return isAlone ? batch.filter((queued) => !failed.includes(queued)) : [];
  }
  for (const done of commit.settle) done();
  if (commit.leases.length > 0) parts.leased(commit.leases);
  parts.committed(commit.events);
  // What followed of the leases may itself be leased: in the next transaction, since this one has looked at its slots.
  return commit.isOpen ? [nothing] : [];
}

/** Runs one write; what to tell its caller once the transaction is committed. */
async function attempt(
  change: Change,
  { body, resolve, reject }: Queued,
  follow: GroupCommitParts["follow"],
): Promise<() => void> {
  try {
    const value = await body(change);
    await follow(change);
    return () => {
      resolve(value);
    };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return () => {
      reject(error);
    };
  }
}

/** C2: an error of the store itself is no refusal, since nobody knows what it left half done. */
function isRefusal(error: unknown): boolean {
  return error instanceof PoolError && !error.code.startsWith("store_");
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
