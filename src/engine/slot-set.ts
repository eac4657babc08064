/**
 * The slots of one host: which is free, which fits a task, which leaves.
 *
 * Owns: the slots and their rows. Never touches: tasks.
 */
import { isolationOf } from "../core/config.ts";
import type { SlotConfig, TaskRecord } from "../core/task.ts";
import { launchKey, launchOf, placeOf } from "./launch.ts";
import type { EngineParts } from "./parts.ts";
import { Slot } from "./slot.ts";
import { StartGuard } from "./start-guard.ts";
import type { Supervisor } from "./supervisor.ts";

export class SlotSet {
  readonly #parts: EngineParts;
  readonly #slots = new Map<string, Slot>();
  readonly #supervisor: Supervisor;
  readonly #guard: StartGuard;
  #closed = false;
  /** A slot was not offered because others open their processes first. */
  #isWithheld = false;

  /** `onRoom` is called when a slot that was not offered can be. */
  constructor(parts: EngineParts, supervisor: Supervisor, onRoom: () => void) {
    this.#parts = parts;
    this.#supervisor = supervisor;
    this.#guard = new StartGuard(parts, () => {
      if (this.#isWithheld) onRoom();
    });
  }

  async add(hostId: string, configs: readonly SlotConfig[]): Promise<void> {
    for (const record of await this.#parts.records.addSlots(hostId, configs)) {
      const slot = new Slot(this.#parts, this.#guard, record);
      slot.freeSince = this.#parts.clock.monotonic();
      this.#slots.set(slot.id, slot);
    }
  }

  get(id: string): Slot | undefined {
    return this.#slots.get(id);
  }

  all(): readonly Slot[] {
    return [...this.#slots.values()];
  }

  /** Is one errored? Then another slot would most likely be, too. */
  get hasErrored(): boolean {
    return this.all().some((slot) => slot.error !== undefined);
  }

  /** How many there are but for those that leave. */
  get present(): number {
    return this.all().filter((slot) => !slot.draining).length;
  }

  /** Ids of the free ones that take work by themselves, the longest idle first; of those without a process, what may open. */
  free(): readonly string[] {
    const idle = this.#idle();
    this.#isWithheld = false;
    if (idle.every((slot) => slot.isWarm)) return idle.map((slot) => slot.id);
    const opening = this.all().filter((slot) => !slot.free && !slot.isWarm).length;
    let room = this.#guard.room(opening);
    const free = idle.filter((slot) => slot.isWarm || room-- > 0);
    this.#isWithheld = free.length < idle.length;
    return free.map((slot) => slot.id);
  }

  /** Does a free slot wait for memory to open its process? */
  get isStarved(): boolean {
    return this.#idle().some((slot) => !slot.isWarm) && this.#guard.isLow;
  }

  #idle(): readonly Slot[] {
    const idle = this.all().filter((slot) => slot.isIdle && slot.config.pull !== true);
    return idle.sort((a, b) => a.freeSince - b.freeSince);
  }

  /** One whose open process serves the task as it is, else the first. */
  best(task: TaskRecord, free: readonly string[]): string {
    const [first] = free;
    if (first === undefined) throw new Error("a slot was asked for where none is free");
    if (free.length === 1) return first;
    const inItsWork = task.workspace && free.find((id) => this.#worksIn(id, task) === task.workspace?.cwd);
    if (inItsWork !== undefined) return inItsWork;
    const warm = free.find((id) => {
      const slot = this.#slots.get(id);
      const cwd = this.#worksIn(id, task);
      return slot !== undefined && cwd !== undefined && slot.isWarmFor(this.#launchKey(slot, task, cwd));
    });
    return warm ?? first;
  }

  /** Why no slot will take a task, if none will for long or ever. */
  get hopeless(): string | undefined {
    const slots = this.all();
    return slots.every((slot) => this.#supervisor.isHopeless(slot)) ? slots[0]?.error : undefined;
  }

  /** How many have been idle for so long and have no settings of their own, which nobody would give a new one. */
  plainIdleFor(ms: number): number {
    const since = this.#parts.clock.monotonic() - ms;
    return this.all().filter((slot) => slot.isIdle && slot.isPlain && slot.freeSince <= since).length;
  }

  /** Opens the processes of free slots ahead of their first task; one after the other, since each is heavy. */
  async warm(): Promise<void> {
    if (this.#parts.config.slotMode === "ephemeral") return;
    for (const slot of this.#slots.values()) {
      if (this.#closed || !slot.free || this.#guard.isLow) continue;
      // Its first task makes the directory that its process stands in.
      if (isolationOf(this.#parts.config, slot.config, {}) !== "none") continue;
      const place = placeOf(this.#parts, slot.id, this.#parts.cwd);
      const launch = launchOf(this.#parts, slot.config, { kind: "task" }, place);
      await slot
        .warm(launch)
        .catch((error: unknown) =>
          this.#closed
            ? undefined
            : this.#supervisor.failed(slot, error instanceof Error ? error.message : String(error)),
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
    // Idle ones go first, those without settings of their own before others; a busy one finishes its task.
    const leaving = active
      .sort((a, b) => Number(b.free) - Number(a.free) || Number(b.isPlain) - Number(a.isPlain))
      .slice(0, active.length - target);
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
    this.#supervisor.forget();
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

  #launchKey(slot: Slot, task: TaskRecord, cwd: string): string {
    const place = placeOf(this.#parts, slot.id, cwd, task.cwd);
    return launchKey(launchOf(this.#parts, slot.config, task, place));
  }

  /** Where a slot would work on this task; undefined: in a directory that it has yet to make. */
  #worksIn(slotId: string, task: TaskRecord): string | undefined {
    const slot = this.#slots.get(slotId);
    const own = task.cwd ?? this.#parts.cwd;
    if (slot === undefined || isolationOf(this.#parts.config, slot.config, task) === "none") return own;
    return slot.workplaceOf(task.chainId ?? own);
  }
}
