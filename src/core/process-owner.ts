/** A process as the store knows it where it holds something, and whether it is still there. */
import type { Processes } from "./ports.ts";

export interface ProcessOwner {
  readonly pid: number;
  /** The system's own start time of the pid, since the system uses pids again. */
  readonly startTime: string;
  readonly bootId: string;
  readonly hostname: string;
}

/** This process, as others will know it. */
export function ownerOf(processes: Processes, machine: Pick<ProcessOwner, "bootId" | "hostname">): ProcessOwner {
  const { pid, startTime } = processes.self;
  return { pid, startTime, bootId: machine.bootId, hostname: machine.hostname };
}

/** True only where it is certain: of a process of another machine nothing can be told. */
export function isOwnerGone(
  owner: ProcessOwner,
  processes: Processes,
  machine: Pick<ProcessOwner, "bootId" | "hostname">,
): boolean {
  if (owner.hostname !== machine.hostname) return false;
  return owner.bootId !== machine.bootId || !processes.isAlive(owner);
}
