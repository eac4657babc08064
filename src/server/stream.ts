/**
 * One client's stream of events (SSE), from the log.
 *
 * T1. Its cursor moves only past what was handed to the socket, in order: nothing is missed and nothing comes twice, also
 *     over a restart of the server, since the cursor is the event's own place in the log and the client has it (`id:`).
 * T2. Nothing is written while the socket is full: what comes meanwhile waits in the log. A client that takes nothing for
 *     too long is dropped, and goes on from its last id.
 * T3. A comment every few seconds keeps proxies from closing it, and finds clients that are gone.
 */
import type { ServerResponse } from "node:http";
import type { EventHub, HubEvent, Subject } from "./event-hub.ts";

/** What of the log a client is told, and how. */
export interface View extends Subject {
  /** The text for an event, or undefined if it is none of the client's. */
  text(event: HubEvent): string | undefined;
  /** True: what was told last is the end. */
  readonly isOver: boolean;
}

export interface StreamOptions {
  readonly hub: EventHub;
  readonly view: View;
  /** The last event that the client has. */
  readonly after: number;
  /** Written first, without a place in the log. */
  readonly greeting: string;
  /** Written at most every two seconds after something happened; without a place in the log. */
  readonly summary?: () => Promise<string>;
  readonly heartbeatMs: number;
  readonly stalledMs: number;
  readonly signal: AbortSignal;
  readonly report: (error: unknown) => void;
  /** Of the page that was let in. */
  readonly origin?: string;
}

/** Most text that is handed to a socket at once. */
const mostAtOnce = 64 * 1024;
const summaryEveryMs = 2_000;

/** Writes until the client goes away, the view is over, or the signal fires; says why it ended. */
export async function stream(
  response: ServerResponse,
  options: StreamOptions,
): Promise<"over" | "gone" | "stalled" | "stopped"> {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    ...(options.origin === undefined ? {} : { "access-control-allow-origin": options.origin, vary: "origin" }),
  });
  const client = new Client(response, options);
  try {
    return await client.run();
  } catch (error) {
    if (!client.isGone) options.report(error);
    return "gone";
  } finally {
    client.end();
  }
}

class Client {
  readonly #response: ServerResponse;
  readonly #options: StreamOptions;
  #cursor: number;
  #wake: () => void = () => undefined;
  #hasNews = true;
  #isStalled = false;
  #summaryDue = 0;
  /** The cursor at the last summary; the greeting is the first. */
  #summarised: number;
  readonly #stops: (() => void)[] = [];

  constructor(response: ServerResponse, options: StreamOptions) {
    this.#response = response;
    this.#options = options;
    this.#cursor = options.after;
    this.#summarised = options.after;
    const wake = (): void => this.#rouse();
    const beat = setInterval(() => this.#beat(), options.heartbeatMs);
    this.#stops.push(
      options.hub.onNews(wake),
      () => clearInterval(beat),
      () => options.signal.removeEventListener("abort", wake),
    );
    options.signal.addEventListener("abort", wake, { once: true });
    response.on("close", wake).on("error", wake);
  }

  get isGone(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  async run(): Promise<"over" | "gone" | "stalled" | "stopped"> {
    await this.#write(this.#options.greeting);
    for (;;) {
      if (this.#isStalled) return "stalled";
      if (this.isGone) return "gone";
      if (this.#options.view.isOver) return "over";
      if (this.#options.signal.aborted) return "stopped";
      if (await this.#advance()) continue;
      if (await this.#summarise()) continue;
      await this.#news();
    }
  }

  end(): void {
    for (const stop of this.#stops) stop();
    if (this.#isStalled) this.#response.destroy();
    else this.#response.end();
  }

  /** Writes what comes after the cursor; false: there was nothing. */
  async #advance(): Promise<boolean> {
    const { hub, view } = this.#options;
    const recent = hub.recent(this.#cursor);
    const { events, upTo } =
      recent === undefined ? await hub.read(this.#cursor, view) : { events: recent, upTo: hub.newest };
    if (events.length === 0 && upTo <= this.#cursor) return false;
    let text = "";
    let cursor = upTo;
    for (const told of events) {
      text += view.text(told) ?? "";
      if (!view.isOver && text.length < mostAtOnce) continue;
      cursor = told.event.seq;
      break;
    }
    this.#cursor = cursor;
    if (text !== "") await this.#write(text);
    return true;
  }

  /** False: nothing has happened since the last one, or that was just now; then a heartbeat brings it. */
  async #summarise(): Promise<boolean> {
    const { summary } = this.#options;
    if (summary === undefined || this.#summarised === this.#cursor || performance.now() < this.#summaryDue)
      return false;
    this.#summarised = this.#cursor;
    this.#summaryDue = performance.now() + summaryEveryMs;
    await this.#write(await summary());
    return true;
  }

  /** T2: resolves when the socket takes more. */
  async #write(text: string): Promise<void> {
    if (this.isGone || this.#response.write(text)) return;
    const drop = setTimeout(() => {
      this.#isStalled = true;
      this.#rouse();
    }, this.#options.stalledMs);
    const drained = (): void => this.#rouse();
    this.#response.on("drain", drained);
    try {
      while (this.#mustWait()) await this.#news();
    } finally {
      clearTimeout(drop);
      this.#response.off("drain", drained);
    }
  }

  #mustWait(): boolean {
    return this.#response.writableNeedDrain && !this.isGone && !this.#isStalled && !this.#options.signal.aborted;
  }

  /** Resolves at what was new since it resolved last: news between two calls is not missed. */
  async #news(): Promise<void> {
    if (!this.#hasNews) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#hasNews = false;
  }

  #rouse(): void {
    this.#hasNews = true;
    this.#wake();
  }

  /** T3. A socket that is full is tested by what waits in it. */
  #beat(): void {
    if (!this.isGone && !this.#response.writableNeedDrain) this.#response.write(": \n\n");
    this.#rouse();
  }
}
