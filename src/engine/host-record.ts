/** How a host is known to others: enough to tell whether it lives, and to find what it left. */
import type { HostKind, HostRecord, SlotConfig } from "../core/task.ts";
import type { EngineParts } from "./parts.ts";

export interface HostOptions {
  readonly id: string;
  readonly kind: HostKind;
  readonly slots: readonly SlotConfig[];
}

/** The row that a host starts with. */
export function hostRecord(parts: EngineParts, options: HostOptions): HostRecord {
  const { clock, config, machine, processes } = parts;
  const nowMs = clock.now();
  return {
    id: options.id,
    kind: options.kind,
    pid: processes.self.pid,
    startTime: processes.self.startTime,
    bootId: machine.bootId,
    hostname: machine.hostname,
    startedAtMs: nowMs,
    leaseUntilMs: nowMs + config.leaseMs,
    state: "alive",
    targetSlots: options.slots.length,
  };
}
