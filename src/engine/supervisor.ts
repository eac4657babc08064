/**
 * What becomes of a host's slots whose Claude does not open, or dies in run after run: they are errored, and tried again
 * after a pause that grows, so often in a row and no more.
 *
 * V1. A slot takes nothing from its failure until a restart is in the records, whoever asked for that.
 * V2. Failures count in a row: a process that lived through a run makes them nothing again, and so does a restart by hand.
 */
import { PoolError } from "../core/errors.ts";
import type { EngineParts } from "./parts.ts";
import type { Slot } from "./slot.ts";

/** Before the first restart, in milliseconds; each later pause is this many times the one before, up to the interval. */
const firstPauseMs = 500;
const pauseGrowth = 6;

export class Supervisor {
  readonly #parts: EngineParts;
  readonly #planned = new Map<Slot, () => void>();
  /** The longest pause; undefined: it is off, and what is errored stays so. */
  #intervalMs: number | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { supervisorEnabled, supervisorIntervalSecs } = parts.config;
    if (supervisorEnabled) this.#intervalMs = supervisorIntervalSecs * 1_000;
  }

  /** Begins to restart, with these slots if they are errored. */
  start(intervalMs: number, slots: readonly Slot[]): void {
    this.stop();
    this.#intervalMs = intervalMs;
    for (const slot of slots) if (slot.error !== undefined) this.#plan(slot);
  }

  /** Restarts nothing from now on. */
  stop(): void {
    this.#intervalMs = undefined;
    this.forget();
  }

  /** Lets go of what was planned. */
  forget(): void {
    for (const cancel of this.#planned.values()) cancel();
    this.#planned.clear();
  }

  /** A slot failed: it is errored once this resolves, and what can be done is planned. */
  async failed(slot: Slot, error: string): Promise<void> {
    slot.error = error; // V1
    slot.failures += 1;
    slot.deaths = [];
    const restartAtMs = this.#plan(slot);
    const stays = `It failed ${times(slot.failures)} and stays errored until \`claude-pool slots restart ${slot.id}\`.`;
    await this.#parts.records.updateSlot(slot.id, {
      state: "errored",
      error: restartAtMs === undefined ? `${error} ${stays}` : error,
      failures: slot.failures,
      ...(restartAtMs === undefined ? {} : { restartAtMs }),
    });
  }

  /** Will nobody try this slot again, or has it failed as often as the pool thinks worth waiting for? */
  isHopeless(slot: Slot): boolean {
    if (slot.error === undefined) return false;
    return this.#intervalMs === undefined || slot.failures >= this.#parts.config.maxRestarts;
  }

  /** Restarts, now, what is errored and has not failed too often; resolves to the ids. */
  async check(slots: readonly Slot[]): Promise<readonly string[]> {
    const due = slots.filter((slot) => slot.error !== undefined && this.#mayRestart(slot));
    const restarted = await Promise.all(due.map(async (slot) => ((await this.#restart(slot)) ? [slot.id] : [])));
    return restarted.flat();
  }

  #mayRestart(slot: Slot): boolean {
    return slot.failures <= this.#parts.config.maxRestarts;
  }

  /** When it will be tried again; undefined: not at all. */
  #plan(slot: Slot): number | undefined {
    if (this.#intervalMs === undefined || !this.#mayRestart(slot)) return undefined;
    const { clock } = this.#parts;
    const pauseMs = Math.min(this.#intervalMs, firstPauseMs * pauseGrowth ** (slot.failures - 1));
    this.#planned.get(slot)?.();
    const cancel = clock.after(pauseMs, () => {
      this.#restart(slot).catch(this.#parts.report);
    });
    this.#planned.set(slot, cancel);
    return clock.now() + pauseMs;
  }

  /** Its host hears of it as of any other request, and gives it work again. */
  async #restart(slot: Slot): Promise<boolean> {
    this.#planned.get(slot)?.();
    this.#planned.delete(slot);
    if (slot.draining) return false;
    try {
      await this.#parts.records.restartSlot(slot.id, "supervisor");
      return true;
    } catch (error) {
      // Somebody restarted it by hand, or it is stopped: nothing is left to do.
      if (error instanceof PoolError && error.code === "slot_state") return false;
      throw error;
    }
  }
}

function times(failures: number): string {
  return failures === 1 ? "once" : `${String(failures)} times in a row`;
}
