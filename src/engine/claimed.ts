/** Leases that another process made for a slot of this host. */
import type { Finish, Lease, Records } from "../core/records.ts";

/** The lease as the records have it; undefined: it is over, or another host's. */
export async function claimedLease(
  records: Records,
  hostId: string,
  taskId: string,
  runId: string,
): Promise<Lease | undefined> {
  const task = await records.get(taskId);
  if (task?.slotId === undefined || task.state !== "running" || task.runId !== runId || task.hostId !== hostId) {
    return undefined;
  }
  const run = (await records.runs(taskId)).find((one) => one.runId === runId);
  if (run === undefined) return undefined;
  const { reservedMicrodollars } = run;
  return {
    task,
    runId,
    slotId: task.slotId,
    reservedMicrodollars,
    context: await records.context(),
    messagesWait: true,
  };
}

/** The end of a lease that was never begun: the task goes back to the queue, and nothing was spent. */
export function untouched({ task, runId }: Lease): Finish {
  const result = { output: "", success: false, costMicrodollars: 0, turnsUsed: 0, elapsedMs: 0 };
  return {
    taskId: task.id,
    runId,
    cwd: task.cwd ?? "",
    countsAsLost: false,
    outcome: { kind: "lost", result: { ...result, reason: "lost", error: "Its slot could not begin it." } },
  };
}
