/** Gives a host more slots while tasks wait for one, and takes idle ones away, if the pool's settings ask for it. */
import { heldBack } from "../core/governor.ts";
import { automaticTarget, defaultDownDelayMs } from "../core/scaling.ts";
import type { EngineParts } from "./parts.ts";
import type { SlotSet } from "./slot-set.ts";

export class Autoscaler {
  readonly #parts: EngineParts;
  readonly #slots: SlotSet;
  #waitingSince: number | undefined;

  constructor(parts: EngineParts, slots: SlotSet) {
    this.#parts = parts;
    this.#slots = slots;
  }

  /** One look; called in every round of the host. */
  async step(hostId: string): Promise<void> {
    const { records, clock, config } = this.#parts;
    if (config.scaling.auto !== true) return;
    const now = clock.monotonic();
    const { pendingTasks, heldTasks } = await records.status();
    const waiting = pendingTasks - heldTasks;
    const free = this.#slots.free().length;
    const isShort = waiting > 0 && free === 0 && !this.#slots.hasErrored && !(await this.#isHeldBack());
    this.#waitingSince = isShort ? (this.#waitingSince ?? now) : undefined;
    const present = this.#slots.present;
    const target = automaticTarget(config.scaling, {
      target: present,
      waiting,
      free,
      waitingForMs: this.#waitingSince === undefined ? undefined : now - this.#waitingSince,
      longIdle: this.#slots.plainIdleFor(config.scaling.downDelayMs ?? defaultDownDelayMs),
    });
    if (target !== present) await records.setTargetSlots(hostId, () => target, "auto");
  }

  /** More slots help nobody while the pool keeps to a limit: what waits does not wait for a slot. */
  async #isHeldBack(): Promise<boolean> {
    const { records, clock, config } = this.#parts;
    return heldBack(await records.governor(), clock.now(), config) !== undefined;
  }
}
