/**
 * Delivers: makes deliveries of events, and sends those that are due. One process of the pool at a time does.
 *
 * V1. The right to deliver is a lease in the store; whoever has it reads the log from the stored cursor on. That of a dead
 *     process is taken over at once, that of one which hangs when its time is over.
 * V2. Nothing is kept in memory that the store does not have: `kill -9` at any time costs a delivery sent twice, at most,
 *     under the same id.
 */
import type { PoolEvent } from "../core/events.ts";
import type { Clock } from "../core/ports.ts";
import type { Records } from "../core/records.ts";
import { toWire } from "../core/wire.ts";
import { retryAtMs, webhookEventOf, type Attempt, type Delivery, type Notice } from "../core/webhook.ts";
import { send } from "./send.ts";

export interface CourierParts {
  readonly records: Records;
  readonly clock: Clock;
  readonly holder: string;
  /** Is the process of this holder dead? Otherwise it keeps the right until its time is over. */
  readonly isGone: (holder: string) => boolean;
  readonly report: (error: unknown) => void;
  /** The longest that an address may take to answer. Default 10,000. */
  readonly timeoutMs?: number;
}

const leaseMs = 30_000;
const renewMs = 10_000;
/** While another delivers: how often it is looked whether that one is dead, or has left. */
const lookMs = 2_000;
const page = 500;
const atOnce = 16;
/** The cursor is written at least after so many events that concerned nobody. */
const mostUnwritten = 5_000;

/** Starts delivering, once it can; the function returned stops it and resolves when nothing is under way. */
export function startCourier(parts: CourierParts): () => Promise<void> {
  const courier = new Courier(parts);
  const done = courier.run().catch(parts.report);
  return async () => {
    courier.stop();
    await done;
  };
}

class Courier {
  readonly #parts: CourierParts;
  /** Undefined: another has the right, or nobody needs it. */
  #cursor: number | undefined;
  #written = 0;
  #renewAtMs = 0;
  /** False: nobody is to be told, so nothing is read and no right is held. */
  #hasWebhooks = false;
  #mustLook = true;
  #isStopped = false;
  #hasNews = false;
  #wake: () => void = () => undefined;

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { records, holder } = this.#parts;
    const unfollow = records.follow((events) => this.#hear(events));
    try {
      while (!this.#isStopped) await this.#round();
      if (this.#cursor !== undefined) {
        await records.writeDeliveries(holder, this.#cursor, []);
        await records.leaveCourier(holder);
      }
    } finally {
      unfollow();
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#rouse();
  }

  #hear(events: readonly PoolEvent[]): void {
    if (events.some(({ type }) => type === "webhook.added" || type === "webhook.removed")) this.#mustLook = true;
    if (this.#mustLook || (this.#hasWebhooks && events.some((event) => webhookEventOf(event) !== undefined)))
      this.#rouse();
  }

  async #look(): Promise<void> {
    const { records, holder } = this.#parts;
    this.#mustLook = false;
    this.#hasWebhooks = (await records.webhooks()).length > 0;
    if (this.#hasWebhooks || this.#cursor === undefined) return;
    await records.leaveCourier(holder);
    this.#cursor = undefined;
  }

  async #round(): Promise<void> {
    if (this.#mustLook) await this.#look();
    if (!this.#hasWebhooks) return this.#news(undefined);
    if (!(await this.#hold())) return this.#news(lookMs);
    await this.#read();
    const sent = await this.#sendDue();
    if (sent > 0) return;
    const { clock, records } = this.#parts;
    const due = await records.nextDeliveryMs();
    await this.#news(Math.min(renewMs, Math.max(0, (due ?? Infinity) - clock.now())));
  }

  /** V1 */
  async #hold(): Promise<boolean> {
    const { records, clock, holder, isGone } = this.#parts;
    const now = clock.now();
    if (this.#cursor !== undefined && now < this.#renewAtMs) return true;
    const cursor = await records.holdCourier(holder, now + leaseMs, isGone);
    if (cursor === undefined) this.#cursor = undefined;
    else if (this.#cursor === undefined) this.#written = this.#cursor = cursor;
    this.#renewAtMs = now + renewMs;
    return this.#cursor !== undefined;
  }

  /** Deliveries of what came since. */
  async #read(): Promise<void> {
    const { records, holder } = this.#parts;
    for (;;) {
      if (this.#cursor === undefined || this.#isStopped) return;
      const events = await records.events(this.#cursor, page);
      const last = events.at(-1);
      if (last === undefined) return;
      const notices = events.flatMap(noticeOf);
      if (notices.length > 0 || last.seq - this.#written > mostUnwritten) {
        const isOurs = await records.writeDeliveries(holder, last.seq, notices);
        if (!isOurs) {
          this.#cursor = undefined;
          return;
        }
        this.#written = last.seq;
      }
      this.#cursor = last.seq;
    }
  }

  async #sendDue(): Promise<number> {
    const { records } = this.#parts;
    if (this.#cursor === undefined) return 0;
    const due = await records.dueDeliveries(atOnce);
    if (due.length > 0) await records.noteAttempts(await Promise.all(due.map((delivery) => this.#attempt(delivery))));
    return due.length;
  }

  async #attempt({ id, payload, attempts, webhook }: Delivery): Promise<Attempt> {
    const { clock, timeoutMs = 10_000 } = this.#parts;
    const error = await send(webhook, { id, payload, nowMs: clock.now(), timeoutMs }).then(
      (status) => (status >= 200 && status < 300 ? undefined : `answered ${String(status)}`),
      (failure: unknown) => (failure instanceof Error ? failure.message : String(failure)),
    );
    if (error === undefined) return { deliveryId: id };
    const retry = retryAtMs(attempts + 1, clock.now(), Math.random());
    return { deliveryId: id, error, ...(retry === undefined ? {} : { retryAtMs: retry }) };
  }

  /** Resolves at something new, or after a time. */
  async #news(ms: number | undefined): Promise<void> {
    if (!this.#hasNews && !this.#isStopped) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const cancel = ms === undefined ? undefined : this.#parts.clock.after(ms, () => this.#wake());
      await woken;
      cancel?.();
    }
    this.#hasNews = false;
  }

  #rouse(): void {
    this.#hasNews = true;
    this.#wake();
  }
}

function noticeOf(event: PoolEvent): readonly Notice[] {
  const name = webhookEventOf(event);
  if (name === undefined) return [];
  const { seq, atMs, taskId } = event;
  const data = { ...(taskId === undefined ? {} : { taskId }), ...event.data };
  return [{ seq, event: name, payload: JSON.stringify(toWire({ event: name, timestampMs: atMs, seq, data })) }];
}
