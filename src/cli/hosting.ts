/** Who carries tasks out: this call's own slots, and the hosts there are. */
import type { OpenPoolOptions } from "../core/api.ts";
import { invalidOptions } from "../core/errors.ts";
import { isHostAlive } from "../ground.ts";
import type { Pool } from "../pool.ts";

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

/** Is a live process hosting slots that take any task? An attached run takes only its own. */
export async function hasServingHost(pool: Pool): Promise<boolean> {
  const hosts = await pool.hosts();
  return hosts.some((host) => host.kind !== "attached" && host.targetSlots > 0 && isHostAlive(host));
}
