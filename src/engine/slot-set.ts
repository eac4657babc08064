/**
 * The slots of one host: which is free, which fits a task, which rests because its Claude does not open, which leaves.
 *
 * Owns: the slots and their rows. Never touches: tasks.
 */
import { resolveSettings } from "../core/config.ts";
import type { SlotConfig, TaskRecord } from "../core/task.ts";
import { launchKey, launchSpec } from "./launch.ts";
import type { EngineParts } from "./parts.ts";
import { Slot } from "./slot.ts";

/** Between two tries of a slot whose process does not open, in milliseconds: doubled each time, up to the longest. */
const reopenMs = 500;
const longestReopenMs = 30_000;

export class SlotSet {
  readonly #parts: EngineParts;
  readonly #slots = new Map<string, Slot>();
  readonly #timers = new Set<() => void>();
  #closed = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async add(hostId: string, configs: readonly SlotConfig[]): Promise<void> {
    for (const record of await this.#parts.records.addSlots(hostId, configs)) {
      const slot = new Slot(this.#parts, record);
      slot.freeSince = this.#parts.clock.monotonic();
      this.#slots.set(slot.id, slot);
    }
  }

  get(id: string): Slot | undefined {
    return this.#slots.get(id);
  }

  /** Ids of the free ones, the longest idle first. */
  free(): readonly string[] {
    const free = [...this.#slots.values()].filter((slot) => slot.free && !slot.draining && slot.error === undefined);
    return free.sort((a, b) => a.freeSince - b.freeSince).map((slot) => slot.id);
  }

  /** One whose open process serves the task as it is, else the first. */
  best(task: TaskRecord, free: readonly string[]): string {
    const [first] = free;
    if (first === undefined) throw new Error("a slot was asked for where none is free");
    if (free.length === 1) return first;
    const warm = free.find((id) => {
      const slot = this.#slots.get(id);
      return slot?.isWarmFor(this.#launchKey(slot, task)) ?? false;
    });
    return warm ?? first;
  }

  /** A slot whose process does not open takes nothing for a while; resolves once that is on record. */
  async rest(slot: Slot, error: string): Promise<void> {
    slot.error = error;
    slot.launchFailures += 1;
    const pauseMs = Math.min(reopenMs * 2 ** (slot.launchFailures - 1), longestReopenMs);
    const cancel = this.#parts.clock.after(pauseMs, () => {
      this.#timers.delete(cancel);
      slot.error = undefined;
      this.#reopen(slot).catch(this.#parts.report);
    });
    this.#timers.add(cancel);
    await this.#parts.records.updateSlot(slot.id, { state: "errored", error });
  }

  /** Has every slot failed to open as often as the pool allows? */
  get isHopeless(): boolean {
    return [...this.#slots.values()].every((slot) => slot.launchFailures >= this.#parts.config.maxRestarts);
  }

  /** Opens the processes of free slots ahead of their first task; one after the other, since each is heavy. */
  async warm(): Promise<void> {
    if (this.#parts.config.slotMode === "ephemeral") return;
    for (const slot of this.#slots.values()) {
      if (this.#closed || !slot.free) continue;
      const launch = launchSpec(this.#parts.config, this.#settings(slot, {}), this.#parts.cwd);
      await slot
        .warm(launch)
        .catch((error: unknown) =>
          this.#closed ? undefined : this.rest(slot, error instanceof Error ? error.message : String(error)),
        );
    }
  }

  async scale(hostId: string, target: number): Promise<void> {
    const active = [...this.#slots.values()].filter((slot) => !slot.draining);
    if (target > active.length) {
      await this.add(
        hostId,
        Array.from({ length: target - active.length }, () => ({})),
      );
      await this.#parts.records.dispatch();
      return;
    }
    // Idle ones go first; a busy one finishes its task.
    const leaving = active.sort((a, b) => Number(b.free) - Number(a.free)).slice(0, active.length - target);
    await Promise.all(
      leaving.map(async (slot) => {
        slot.draining = true;
        await this.#parts.records.updateSlot(slot.id, { state: "draining" });
        if (slot.free) await this.retire(slot);
      }),
    );
  }

  /** Ends a slot that drains and is free. */
  async retire(slot: Slot): Promise<void> {
    slot.free = false;
    if (!this.#slots.delete(slot.id)) return;
    await slot.end();
    await this.#parts.records.updateSlot(slot.id, { state: "stopped", process: null });
  }

  /** Takes over settings that were changed in the records. */
  async reconfigure(): Promise<void> {
    for (const record of await this.#parts.records.slots()) {
      const slot = this.#slots.get(record.id);
      if (slot !== undefined) slot.config = record.config;
    }
  }

  /** Lets go of every slot; resolves to their settings once no process of them is alive. */
  async clear(): Promise<readonly SlotConfig[]> {
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    await Promise.all(slots.map((slot) => slot.end()));
    return slots.map((slot) => slot.config);
  }

  /** Opens nothing ahead of a task any more. */
  abandon(): void {
    this.#closed = true;
    for (const slot of this.#slots.values()) slot.abandon();
  }

  async close(): Promise<void> {
    this.abandon();
    await this.clear();
  }

  async #reopen(slot: Slot): Promise<void> {
    if (slot.draining) return;
    await this.#parts.records.updateSlot(slot.id, { state: "idle", error: null, restarted: true });
    await this.#parts.records.dispatch();
  }

  #settings(slot: Slot, task: Parameters<typeof resolveSettings>[2]): ReturnType<typeof resolveSettings> {
    return resolveSettings(this.#parts.config, slot.config, task);
  }

  #launchKey(slot: Slot, task: TaskRecord): string {
    return launchKey(launchSpec(this.#parts.config, this.#settings(slot, task), task.cwd ?? this.#parts.cwd));
  }
}
