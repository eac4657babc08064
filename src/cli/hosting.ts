/** Who carries tasks out: this call's own slots, and the hosts there are. */
import type { OpenPoolOptions } from "../core/api.ts";
import { invalidOptions } from "../core/errors.ts";
import { isHostAlive } from "../ground.ts";
import type { Pool } from "../pool.ts";
import type { Call } from "./call.ts";

/**
 * The slots of a call that hosts some: no more than it has tasks for.
 *
 * @throws {PoolError} `invalid_options` for none: its tasks would wait for ever.
 */
export function ownSlots(
  chosen: OpenPoolOptions["slots"],
  fallback: number,
  tasks: number,
): NonNullable<OpenPoolOptions["slots"]> {
  const slots = chosen ?? fallback;
  if (slots === 0 || (typeof slots === "object" && slots.length === 0)) {
    throw invalidOptions("--slots: expected at least one slot, got none: nobody would do the work.", "--slots");
  }
  return typeof slots === "number" ? Math.min(slots, tasks) : slots.slice(0, tasks);
}

/** A pool of a call that waits for what it hands over, on slots that take nothing else. */
export function attachedOptions<T extends OpenPoolOptions>(
  call: Call,
  flags: Parameters<Call["directory"]>[0],
  chosen: T,
  slots: NonNullable<OpenPoolOptions["slots"]>,
) {
  return {
    ...chosen,
    slots,
    cwd: call.directory(flags),
    store: call.storeOf(chosen, flags),
    kind: "attached",
  } as const;
}

/** Is a live process hosting slots that take any task? An attached run takes only its own. */
export async function hasServingHost(pool: Pool): Promise<boolean> {
  const hosts = await pool.hosts();
  return hosts.some((host) => host.kind !== "attached" && host.targetSlots > 0 && isHostAlive(host));
}
