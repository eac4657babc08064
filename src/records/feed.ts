/**
 * Events to those who follow, in order and without gaps.
 *
 * F1. What this process committed comes from memory when it continues a follower's cursor; everything else is read.
 * F2. Others' commits are noticed by the connection's data version, asked by a timer that exists only while somebody
 *     follows or listens.
 */
import type { PoolEvent } from "../core/events.ts";
import type { Sql } from "../core/ports.ts";
import { eventsAfter, lastEventSeq } from "./query.ts";

export type EventsListener = (events: readonly PoolEvent[]) => void;

export interface Feed {
  follow(listener: EventsListener, after?: number): () => void;
  onForeignChange(listener: () => void): () => void;
  /** This process has committed these. */
  committed(events: readonly PoolEvent[]): void;
  /** Ends every follower and waits for reads under way. */
  close(): Promise<void>;
}

interface Follower {
  readonly listener: EventsListener;
  /** The last event it was given; undefined until the place from which it follows is known. */
  cursor: number | undefined;
  reading: Promise<void> | undefined;
  /** Something was committed while it read. */
  behind: boolean;
}

const readAtOnce = 500;

export function eventFeed(sql: Sql, pollMs: number): Feed {
  const followers = new Set<Follower>();
  const foreign = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let version = 0;

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
    for (const follower of followers) catchUp(follower);
    for (const listener of foreign) guarded(listener);
  }
  function catchUp(follower: Follower): void {
    if (follower.reading !== undefined) {
      follower.behind = true;
      return;
    }
    follower.reading = read(follower);
  }
  async function read(follower: Follower): Promise<void> {
    try {
      follower.cursor ??= await lastEventSeq(sql);
      do {
        follower.behind = false;
        for (;;) {
          const events = await eventsAfter(sql, follower.cursor, readAtOnce);
          if (!give(follower, events)) break;
        }
      } while (follower.behind && followers.has(follower));
    } catch (error) {
      if (followers.has(follower)) throwLater(error);
    }
    // Here and not in a `finally` of the promise: between the last look at `behind` and this no other code runs.
    follower.reading = undefined;
  }
  /** False: there is nothing, or nobody, to give. */
  function give(follower: Follower, events: readonly PoolEvent[]): boolean {
    const last = events.at(-1);
    if (last === undefined || !followers.has(follower)) return false;
    follower.cursor = last.seq;
    guarded(() => {
      follower.listener(events);
    });
    return true;
  }
  return {
    follow(listener, after) {
      const follower: Follower = { listener, cursor: after, reading: undefined, behind: false };
      followers.add(follower);
      arm();
      catchUp(follower);
      return () => {
        followers.delete(follower);
        arm();
      };
    },
    onForeignChange(listener) {
      foreign.add(listener);
      arm();
      return () => {
        foreign.delete(listener);
        arm();
      };
    },
    committed(events) {
      const [first] = events;
      if (first === undefined) return;
      for (const follower of followers) {
        if (follower.reading === undefined && follower.cursor === first.seq - 1) give(follower, events);
        else catchUp(follower);
      }
    },
    async close() {
      const reading = [...followers].map((follower) => follower.reading);
      followers.clear();
      foreign.clear();
      arm();
      await Promise.all(reading);
    },
  };
}

/** A listener that throws must not stop the commit's other listeners, and must not go unnoticed. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    throwLater(error);
  }
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
