/**
 * Lets processes open a few at a time, and none while the machine is short of memory: an opening takes a core for a part of a
 * second and some 200 MB, and sixteen at once take them all.
 *
 * J1. Never more than `maxOpening` openings of this host are under way.
 * J2. A slot that has no open process is not offered a task that its opening would have to wait with: the task stays in
 *     the queue, where a slot with an open process may take it, and where people see why it waits.
 * J3. An opening that was begun all the same, because a slot was claimed by name, waits for the memory. One that takes the
 *     place of a process that was closed needs none that was not there before.
 */
import type { EngineParts } from "./parts.ts";

/** Free memory is asked for this rarely, in milliseconds: the answer is one file of the system's. */
const memoryAgeMs = 250;
/** Between two looks of an opening that waits for memory, in milliseconds. */
const memoryPauseMs = 1_000;

export class StartGuard {
  readonly #parts: EngineParts;
  readonly #onRoom: () => void;
  #opening = 0;
  #waiting: (() => void)[] = [];
  #isLow = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** `onRoom` is called when an opening is over. */
  constructor(parts: EngineParts, onRoom: () => void) {
    this.#parts = parts;
    this.#onRoom = onRoom;
  }

  /** Opens when it is this one's turn (J1). @throws the signal's reason, and what `open` throws. */
  async open<T>(
    open: () => Promise<T>,
    options: { readonly replaces: boolean; readonly signal?: AbortSignal },
  ): Promise<T> {
    await this.#turn(options.signal);
    try {
      while (!options.replaces && this.isLow) await this.#pause(options.signal); // J3
      return await open();
    } finally {
      this.#opening -= 1;
      this.#waiting.shift()?.();
      this.#onRoom();
    }
  }

  /** How many openings may begin now, if so many slots wait for theirs already (J2). */
  room(slotsOpening: number): number {
    if (this.isLow) return 0;
    return Math.max(0, this.#parts.config.maxOpening - Math.max(this.#opening, slotsOpening));
  }

  /** Is there less memory free than the pool's floor? */
  get isLow(): boolean {
    const now = this.#parts.clock.monotonic();
    if (now - this.#askedAt < memoryAgeMs) return this.#isLow;
    this.#askedAt = now;
    const free = this.#parts.processes.freeMemoryBytes();
    this.#isLow = free !== undefined && free < this.#parts.config.minFreeMemoryBytes;
    return this.#isLow;
  }

  #pause(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const leave = (): void => {
        cancel();
        reject(signal?.reason as Error);
      };
      const cancel = this.#parts.clock.after(memoryPauseMs, () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      });
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    while (this.#opening >= this.#parts.config.maxOpening) {
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => {
          this.#waiting = this.#waiting.filter((waiting) => waiting !== go);
          reject(signal?.reason as Error);
        };
        const go = (): void => {
          signal?.removeEventListener("abort", leave);
          resolve();
        };
        signal?.throwIfAborted();
        signal?.addEventListener("abort", leave, { once: true });
        this.#waiting.push(go);
      });
    }
    this.#opening += 1;
  }
}
