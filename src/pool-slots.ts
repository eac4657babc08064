/** The verbs of a pool that are about its slots: to find, set up, claim for, restart and scale them, and to write to them. */
import type { MessageSpec, SlotFilter, SupervisorHandle, SupervisorOptions } from "./core/api.ts";
import { invalidOptions, PoolError, slotNotFound } from "./core/errors.ts";
import { coordinator, type PoolMessage } from "./core/message.ts";
import type { Records } from "./core/records.ts";
import type { HostRecord, SlotConfig, SlotRecord } from "./core/task.ts";
import type { Host } from "./engine/host.ts";
import type { EngineParts } from "./engine/parts.ts";
import { scaleTo } from "./engine/scaling.ts";
import { parseBroadcast, parseMessage, parseSupervisorOptions } from "./schema/parse-requests.ts";
import { checkContextEntry, parseSlotFilter } from "./schema/calls.ts";
import { parseSlotConfig, refuseBypass } from "./schema/parse.ts";
import { wholeNumber } from "./schema/whole-number.ts";

/** A part of {@link Pool}. */
export abstract class PoolSlots {
  readonly #parts: EngineParts;
  readonly #records: Records;
  /** This process's, once it has one. */
  protected host: Host | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#records = parts.records;
  }

  /** The id of this process's host; undefined while it contributes no slots. */
  get hostId(): string | undefined {
    return this.host?.id;
  }

  /** The processes that contribute or contributed slots and have not ended. */
  hosts(): Promise<readonly HostRecord[]> {
    return this.#records.hosts();
  }

  /** Slots that match all that is given; stopped ones only if asked for. */
  async findSlots(given: SlotFilter = {}): Promise<readonly SlotRecord[]> {
    const filter = parseSlotFilter(given);
    return (await this.#records.slots(filter.state === "stopped" ? "all" : undefined)).filter(
      (slot) =>
        (filter.state === undefined || slot.state === filter.state) &&
        (filter.name === undefined || slot.config.name === filter.name) &&
        (filter.role === undefined || slot.config.role === filter.role),
    );
  }

  /** Changes a slot's settings, from its next task on; what is not given stays. @throws {PoolError} `slot_not_found`. */
  async configureSlot(id: string, config: SlotConfig): Promise<SlotRecord> {
    const given = parseSlotConfig(config);
    refuseBypass(given.permissionMode, this.#parts.config.allowBypassPermissions);
    if (!(await this.#records.slots()).some((one) => one.id === id)) throw slotNotFound(id);
    return this.#records.updateSlot(id, { config: given });
  }

  /**
   * Makes a slot with `pull` take the next pending task, as any other dispatch would; resolves to the task's id, or to
   * undefined if nothing waits that it could take. The slot may be another process's.
   *
   * @throws {PoolError} `slot_not_found`, `slot_state` if it is not idle, `invalid_options` without `pull`, `pool_shutdown`.
   */
  async claim(slotId: string): Promise<string | undefined> {
    return (await this.#records.claim(slotId))?.task.id;
  }

  /** Makes an errored slot, of any process, take work again. @throws {PoolError} `slot_not_found`, `slot_state`. */
  restartSlot(id: string): Promise<SlotRecord> {
    return this.#records.restartSlot(id, "hand");
  }

  /** Restarts, now, this process's errored slots that have not failed too often; resolves to their ids. @throws {PoolError} `no_host`. */
  async checkSlots(): Promise<readonly string[]> {
    return this.#ownHost().checkSlots();
  }

  /**
   * Has this process's errored slots restarted from now on, where the settings have no supervisor, or with another longest
   * pause (default `supervisorIntervalSecs`); ends with the handle or the pool. @throws {PoolError} `no_host`, `invalid_options`.
   */
  startSupervisor(options: SupervisorOptions = {}): SupervisorHandle {
    const { intervalSecs = this.#parts.config.supervisorIntervalSecs } = parseSupervisorOptions(options);
    return { stop: this.#ownHost().supervise(intervalSecs * 1_000) };
  }

  /**
   * Puts a message into the inbox of a slot or of the `coordinator`; resolves to its id. A slot's model reads it beside
   * its next task.
   *
   * @throws {PoolError} `slot_not_found`, `invalid_options`, `inbox_full`.
   */
  async sendMessage(message: MessageSpec): Promise<string> {
    const { from, to, content } = parseMessage(message);
    const [id] = await this.#records.sendMessage(from ?? coordinator, [to], content);
    if (id === undefined) throw new Error("a message was sent and has no id");
    return id;
  }

  /** Sends to every live slot but the sender, all or none; resolves to the ids in the order of the slots. @throws as `sendMessage`. */
  async broadcast(message: Omit<MessageSpec, "to">): Promise<readonly string[]> {
    const { from, content } = parseBroadcast(message);
    return this.#records.sendMessage(from ?? coordinator, "slots", content);
  }

  /** What waits in an inbox, in order; it is empty then, or has what is beyond the limit. @throws {PoolError} `slot_not_found`. */
  async readMessages(
    recipient: string = coordinator,
    { limit }: { readonly limit?: number } = {},
  ): Promise<readonly PoolMessage[]> {
    return this.#records.readMessages(recipient, "read", limit === undefined ? undefined : wholeNumber(limit, "limit"));
  }

  /** What waits in an inbox, in order; it stays there. @throws {PoolError} `slot_not_found`. */
  peekMessages(recipient: string = coordinator): Promise<readonly PoolMessage[]> {
    return this.#records.readMessages(recipient, "peek");
  }

  /** How many messages wait in an inbox. @throws {PoolError} `slot_not_found`. */
  messageCount(recipient: string = coordinator): Promise<number> {
    return this.#records.countMessages(recipient);
  }

  /** Sets a value that every slot sees from its next task on. */
  async setContext(key: string, value: string): Promise<void> {
    checkContextEntry(key, value);
    if (key.trim() === "") throw invalidOptions("A context key must not be blank.", "key");
    await this.#records.setContext(key, value);
  }

  /** A value of the shared context, or undefined. */
  async getContext(key: string): Promise<string | undefined> {
    return (await this.#records.context()).get(key);
  }

  /** Removes a value; false if there was none. */
  deleteContext(key: string): Promise<boolean> {
    return this.#records.deleteContext(key);
  }

  /** The whole shared context. */
  async listContext(): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries(await this.#records.context());
  }

  /** Adds slots to this process's host, or to the first live one; resolves to the new number. @throws {PoolError} `scaling_out_of_bounds`, `no_host`. */
  scaleUp(count: number): Promise<number> {
    return scaleTo(this.#parts, this.hostId, (present) => present + wholeNumber(count, "count"));
  }

  /** Takes slots away: idle ones first, a busy one when its task has ended. @throws {PoolError} `scaling_out_of_bounds`, `no_host`. */
  scaleDown(count: number): Promise<number> {
    return scaleTo(this.#parts, this.hostId, (present) => present - wholeNumber(count, "count"));
  }

  /** Sets the number of slots. @throws {PoolError} `scaling_out_of_bounds`, `no_host`. */
  setTargetSlots(target: number): Promise<number> {
    return scaleTo(this.#parts, this.hostId, () => wholeNumber(target, "target"));
  }

  #ownHost(): Host {
    if (this.host !== undefined) return this.host;
    throw new PoolError(
      "no_host",
      "This process contributes no slots: open the pool with `slots`, or ask where they are.",
    );
  }
}
