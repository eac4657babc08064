/** One who follows the events: what it was given last, and reading on when that is not what comes next. */
import type { PoolEvent } from "../core/events.ts";
import type { Sql } from "../core/ports.ts";
import { eventsAfter, lastEventSeq } from "./query.ts";

export type EventsListener = (events: readonly PoolEvent[]) => void;

export interface Follower {
  /** Takes events just committed, from memory if they are the next ones. */
  readonly offer: (events: readonly PoolEvent[]) => void;
  /** Reads on from where it is. */
  readonly catchUp: () => void;
  /** Gives it nothing more; resolves when no read is under way. */
  readonly stop: () => Promise<void>;
}

const readAtOnce = 500;

/** Without `after` it follows from the last event there is when it is first asked to catch up. */
export function follower(sql: Sql, listener: EventsListener, after: number | undefined): Follower {
  let cursor = after;
  let reading: Promise<void> | undefined;
  /** Something was committed while it read. */
  let isBehind = false;
  let isStopped = false;

  async function read(): Promise<void> {
    try {
      cursor ??= await lastEventSeq(sql);
      do {
        isBehind = false;
        while (give(await eventsAfter(sql, cursor, readAtOnce)));
      } while (mustGoOn());
    } catch (error) {
      if (!isStopped) throwLater(error);
    }
    // Here and not in a `finally` of the promise: between the last look at `isBehind` and this no other code runs.
    reading = undefined;
  }
  function mustGoOn(): boolean {
    return isBehind && !isStopped;
  }
  /** False: there is nothing, or nobody, to give. */
  function give(events: readonly PoolEvent[]): boolean {
    const last = events.at(-1);
    if (last === undefined || isStopped) return false;
    cursor = last.seq;
    guarded(() => {
      listener(events);
    });
    return true;
  }
  function catchUp(): void {
    if (reading === undefined) reading = read();
    else isBehind = true;
  }
  return {
    offer(events) {
      const isNext = reading === undefined && cursor !== undefined && events[0]?.seq === cursor + 1;
      if (isNext) give(events);
      else catchUp();
    },
    catchUp,
    async stop() {
      isStopped = true;
      await reading;
    },
  };
}

/** A listener that throws must not stop the commit's other listeners, and must not go unnoticed. */
export function guarded(call: () => void): void {
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
