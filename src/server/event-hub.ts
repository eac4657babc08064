/**
 * One follower of the log for every stream.
 *
 * H1. The newest events are kept once, in a ring; a stream has nothing but its cursor, so a slow client costs no memory.
 * H2. A cursor within the ring is served from it; an older one reads the log page by page until it has caught up.
 * H3. An event is made into JSON once, whoever is told.
 */
import type { PoolEvent } from "../core/events.ts";
import { toWire } from "../core/wire.ts";
import type { Pool } from "../pool.ts";

/** An event as every stream writes it. */
export interface HubEvent {
  readonly event: PoolEvent;
  /** In wire names, on one line. */
  readonly wire: Readonly<Record<string, unknown>>;
  /** The whole text of an SSE message under the event's own name. */
  readonly text: string;
}

/** Whose events are read where the past is; nobody named: all. */
export interface Subject {
  readonly taskId?: string;
  /** It is a chain, and its steps belong to it. */
  readonly withSteps?: boolean;
}

export interface EventHub {
  /** The newest event that was heard. */
  readonly newest: number;
  /** What comes after a cursor, at once: undefined if it is older than the ring and must be read. */
  recent(after: number): readonly HubEvent[] | undefined;
  /** A page of the log, of one task or chain alone if it is named; nothing of it lies between its last event and `upTo`. */
  read(after: number, of: Subject): Promise<{ readonly events: readonly HubEvent[]; readonly upTo: number }>;
  /** Calls back whenever there is something new, until the function returned is called. */
  onNews(listener: () => void): () => void;
  close(): void;
}

const kept = 4_096;
/** Of the ring's text, in characters. */
const keptCharacters = 16 * 1024 * 1024;
const page = 500;

/** Follows from now on. */
export async function eventHub(pool: Pool): Promise<EventHub> {
  let newest = await pool.lastEventSeq();
  let ring: HubEvent[] = [];
  let size = 0;
  const listeners = new Set<() => void>();

  /** To half of what it may hold at most, so that it is not done at every event. */
  function trim(): void {
    let from = Math.max(0, ring.length - kept);
    for (const { text } of ring.slice(0, from)) size -= text.length;
    for (; size > keptCharacters; from += 1) size -= ring[from]?.text.length ?? 0;
    ring = ring.slice(from);
  }
  const stop = pool.follow((events) => {
    for (const event of events) {
      const heard = hubEvent(event);
      ring.push(heard);
      size += heard.text.length;
    }
    newest = events.at(-1)?.seq ?? newest;
    if (ring.length > 2 * kept || size > 2 * keptCharacters) trim();
    for (const listener of listeners) listener();
  }, newest);
  return {
    get newest() {
      return newest;
    },
    recent(after) {
      if (after >= newest) return [];
      const first = ring[0];
      if (first === undefined || first.event.seq > after + 1) return undefined;
      return ring.slice(after + 1 - first.event.seq);
    },
    async read(after, { taskId, withSteps }) {
      const heard = newest; // what was heard is in the log, so the page has all of it
      const events = (await pool.eventsAfter(after, page, taskId, withSteps)).map(hubEvent);
      const last = events.at(-1)?.event.seq ?? after;
      return { events, upTo: events.length < page ? Math.max(heard, last) : last };
    },
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: stop,
  };
}

export function hubEvent(event: PoolEvent): HubEvent {
  const wire = toWire(event) as Readonly<Record<string, unknown>>;
  return { event, wire, text: message(event.type, wire, event.seq) };
}

/** An SSE message. JSON has no line breaks of its own, so it is one `data` line. */
export function message(name: string, data: unknown, seq?: number): string {
  return `${seq === undefined ? "" : `id: ${String(seq)}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
