/** What this process knows of its own leases: the hook, and which slots wait for the end of a run to be written. */
import type { Finish, Lease } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";
import type { Change } from "./change.ts";
import { type Dispatcher, leaseTasks } from "./lease.ts";

export interface Dispatching {
  readonly set: (dispatcher: Dispatcher | undefined) => void;
  readonly lease: (change: Change) => Promise<readonly Lease[]>;
  readonly leased: (leases: readonly Lease[]) => void;
  /** A run's end was asked to be written. */
  readonly finishing: (end: Finish) => void;
  /** It is about to be written. Gives the task as it was leased, if this process did that. */
  readonly finished: (end: Finish) => TaskRecord | undefined;
}

export function dispatching(): Dispatching {
  let dispatcher: Dispatcher | undefined;
  const leaseOf = new Map<string, Lease>();
  const leaving = new Set<string>();
  return {
    set(next) {
      dispatcher = next;
    },
    async lease(change) {
      if (dispatcher === undefined) return [];
      // A host calls a slot free when it hands in its run; while that waits for the next transaction, the slot does too.
      const free = dispatcher.hook.freeSlots().filter((id) => !leaving.has(id));
      return leaseTasks(change, dispatcher, free);
    },
    leased(leases) {
      for (const lease of leases) leaseOf.set(lease.runId, lease);
      dispatcher?.hook.leased(leases);
    },
    finishing({ runId }) {
      const lease = leaseOf.get(runId);
      if (lease !== undefined) leaving.add(lease.slotId);
    },
    finished({ runId, taskId }) {
      const lease = leaseOf.get(runId);
      if (lease === undefined) return undefined;
      leaving.delete(lease.slotId);
      leaseOf.delete(runId);
      return lease.task.id === taskId ? lease.task : undefined;
    },
  };
}
