/** The event log as an async iterator, from a cursor on, without a gap between what was and what comes. */
import type { EventsOptions } from "./core/api.ts";
import type { PoolEvent } from "./core/events.ts";
import type { Records } from "./core/records.ts";

/** How many events are read from the log at once. */
const page = 500;

/**
 * Yields events in order until the signal fires or the caller stops; never the same twice.
 *
 * The follower only wakes the reader, which reads on from its own cursor: a slow reader costs no memory.
 */
export async function* eventStream(records: Records, options: EventsOptions): AsyncGenerator<PoolEvent> {
  let cursor = options.after ?? (await records.lastEventSeq());
  let wake: () => void = () => undefined;
  const onAbort = (): void => {
    wake();
  };
  let latest = 0;
  const stop = records.follow((events) => {
    latest = events.at(-1)?.seq ?? latest;
    wake();
  });
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const isOver = (): boolean => options.signal?.aborted === true;
  try {
    for (;;) {
      const seenUpTo = latest;
      const events = await records.events(cursor, page, options.taskId);
      for (const event of events) {
        if (isOver()) return;
        yield event;
        cursor = event.seq;
      }
      if (isOver()) return;
      if (options.follow === false && events.length < page) return;
      if (events.length === page || latest > seenUpTo) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (isOver() || latest > seenUpTo) resolve();
      });
    }
  } finally {
    stop();
    options.signal?.removeEventListener("abort", onAbort);
  }
}
