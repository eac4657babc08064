/** Changes the number of slots: of this process's own host, or by request of the first live host that has any. */
import { PoolError } from "../core/errors.ts";
import type { HostRecord } from "../core/task.ts";
import type { EngineParts } from "./parts.ts";

/**
 * Asks a host for another number of slots; resolves to the number asked for once the request is written.
 *
 * @throws {PoolError} `scaling_out_of_bounds`, `no_host`.
 */
export async function scaleTo(
  parts: EngineParts,
  ownHostId: string | undefined,
  target: (present: number) => number,
): Promise<number> {
  const host = await hostToScale(parts, ownHostId);
  const { minSlots, maxSlots } = parts.config.scaling;
  // From the number as it is when the request is written: two that come at once add up.
  return parts.records.setTargetSlots(host.id, (present) => {
    const wanted = target(present);
    if (wanted >= minSlots && wanted <= maxSlots) return wanted;
    throw new PoolError(
      "scaling_out_of_bounds",
      `Cannot scale to ${String(wanted)} slots: the bounds are ${String(minSlots)} to ${String(maxSlots)}. ` +
        "Set `scaling.min_slots` and `scaling.max_slots` to move them.",
      { wanted, minSlots, maxSlots },
    );
  });
}

async function hostToScale(parts: EngineParts, ownHostId: string | undefined): Promise<HostRecord> {
  const hosts = (await parts.records.hosts()).filter((host) => host.state === "alive");
  const own = hosts.find((host) => host.id === ownHostId);
  const host = own ?? hosts.find((other) => other.kind !== "attached" && other.targetSlots > 0);
  if (host !== undefined) return host;
  throw new PoolError("no_host", "No process is hosting slots in this pool. Start one with `claude-pool serve`.");
}
