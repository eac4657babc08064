/** Who would take a task that is submitted now. */
import type { Pool } from "../pool.ts";

/** Is a live process hosting slots that take any task? An attached run takes only its own. */
export async function hasServingHost(pool: Pool): Promise<boolean> {
  const now = Date.now();
  const hosts = await pool.hosts();
  return hosts.some(
    (host) => host.kind !== "attached" && host.state === "alive" && host.targetSlots > 0 && host.leaseUntilMs > now,
  );
}
