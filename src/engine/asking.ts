/**
 * What this host's runs ask of others: from the request to its answer, whoever gives it and in whatever process.
 *
 * Q1. A request is waited for by its id, from before it is written: an answer cannot come too early to be heard.
 * Q2. An answer is what the records hold. Where they cannot be read or written, the request counts as denied.
 */
import type { PoolEvent } from "../core/events.ts";
import { newRequestId } from "../core/ids.ts";
import { PoolError } from "../core/errors.ts";
import type { NewRequest, PoolRequest, RequestAnswer } from "../core/permission.ts";
import type { EngineParts } from "./parts.ts";

/** A request that has its id and its time from here. */
export type Ask = Omit<NewRequest, "id" | "expiresAtMs">;

export class Asking {
  readonly #parts: EngineParts;
  readonly #waiting = new Map<string, (answered: PoolRequest | undefined) => void>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /**
   * Resolves to the answered request; after `timeoutMs` it is answered as denied, and the signal closes it.
   *
   * @throws {PoolError} `run_over`, and what the store throws.
   */
  async ask(ask: Ask, timeoutMs: number, signal: AbortSignal): Promise<PoolRequest> {
    const { records, clock } = this.#parts;
    const id = newRequestId();
    const { promise, resolve } = Promise.withResolvers<PoolRequest | undefined>();
    this.#waiting.set(id, resolve); // Q1
    let cancelTimer: (() => void) | undefined;
    const abandon = (): void => {
      resolve(undefined);
      void this.#giveUp(id, { by: "end" });
    };
    try {
      const asked = await records.askRequest({ ...ask, id, expiresAtMs: clock.now() + timeoutMs });
      if (asked.state !== "open") return asked;
      cancelTimer = clock.after(timeoutMs, () => {
        void this.#giveUp(id, { by: "timeout", decision: "deny" });
      });
      signal.addEventListener("abort", abandon, { once: true });
      if (signal.aborted) abandon();
      return (await promise) ?? { ...asked, state: "closed", answeredBy: "end" };
    } finally {
      cancelTimer?.();
      signal.removeEventListener("abort", abandon);
      this.#waiting.delete(id);
    }
  }

  /** Takes an answer that was committed, here or elsewhere. */
  hear(event: PoolEvent): void {
    if (event.type !== "permission.answered" && event.type !== "question.answered") return;
    const { requestId } = event.data;
    const resolve = requestId === undefined ? undefined : this.#waiting.get(requestId);
    if (requestId === undefined || resolve === undefined) return;
    this.#parts.records.request(requestId).then(resolve, (error: unknown) => {
      this.#parts.report(error);
      resolve(undefined); // Q2
    });
  }

  async #giveUp(id: string, answer: RequestAnswer): Promise<void> {
    try {
      await this.#parts.records.answerRequest(id, answer); // heard as any other answer
    } catch (error) {
      // Somebody was faster, and is heard; or the host has ended, and whoever finds that closes the request.
      if (error instanceof PoolError && (error.code === "request_over" || error.code === "pool_closed")) return;
      this.#parts.report(error);
      this.#waiting.get(id)?.(undefined); // Q2
    }
  }
}
