/**
 * Events to those who follow, in order and without gaps.
 *
 * F1. What this process committed comes from memory when it continues a follower's cursor; everything else is read.
 * F2. Others' commits are noticed by the connection's data version, asked by a timer that exists only while somebody
 *     follows or listens. It keeps the process alive: who waits for another process's events waits for something.
 * F3. Closed, it takes nobody any more: a timer that was started now would ask a store that is closed.
 */
import { poolClosed } from "../core/errors.ts";
import type { PoolEvent } from "../core/events.ts";
import type { Sql } from "../core/ports.ts";
import { type EventsListener, type Follower, follower, guarded } from "./follower.ts";

export interface Feed {
  /** @throws {PoolError} `pool_closed` (F3). */
  readonly follow: (listener: EventsListener, after?: number) => () => void;
  /** @throws {PoolError} `pool_closed` (F3). */
  readonly onForeignChange: (listener: () => void) => () => void;
  /** This process has committed these. */
  readonly committed: (events: readonly PoolEvent[]) => void;
  /** Ends every follower and waits for reads under way. */
  readonly close: () => Promise<void>;
}

export function eventFeed(sql: Sql, pollMs: number): Feed {
  const followers = new Set<Follower>();
  const foreign = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let version = 0;
  let isClosed = false;

  /** Starts or stops the timer, as somebody or nobody is left. */
  function arm(): void {
    const isWanted = followers.size + foreign.size > 0;
    if (isWanted && timer === undefined) {
      version = sql.version();
      timer = setInterval(poll, pollMs);
    } else if (!isWanted) {
      clearInterval(timer);
      timer = undefined;
    }
  }
  function poll(): void {
    const now = sql.version();
    if (now === version) return;
    version = now;
    for (const one of followers) one.catchUp();
    for (const listener of foreign) guarded(listener);
  }
  return {
    follow(listener, after) {
      if (isClosed) throw poolClosed();
      const one = follower(sql, listener, after);
      followers.add(one);
      arm();
      one.catchUp();
      return () => {
        void one.stop(); // never rejects; only `close` has to wait for its read
        followers.delete(one);
        arm();
      };
    },
    onForeignChange(listener) {
      if (isClosed) throw poolClosed();
      foreign.add(listener);
      arm();
      return () => {
        foreign.delete(listener);
        arm();
      };
    },
    committed(events) {
      if (events.length > 0) for (const one of followers) one.offer(events);
    },
    async close() {
      isClosed = true;
      const stopped = [...followers].map((one) => one.stop());
      followers.clear();
      foreign.clear();
      arm();
      await Promise.all(stopped);
    },
  };
}
