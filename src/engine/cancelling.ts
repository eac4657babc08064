/**
 * Cancels a task wherever it runs.
 *
 * P4 of design: when this resolves, no process of the task is alive. The host that runs it obeys the request; if that
 * host is dead, it is recovered from here.
 */
import type { TaskRecord } from "../core/task.ts";
import type { Waiting } from "./waiting.ts";
import { aborted } from "./waiting.ts";
import type { EngineParts } from "./parts.ts";

/** How often the host of a task that does not end is looked at. */
const lookMs = 1_000;

/** Resolves to the record once the task is in a state it cannot leave, or was in one already. */
export async function cancelTask(
  parts: EngineParts,
  waiting: Waiting,
  id: string,
  options: { readonly signal?: AbortSignal; readonly recoverDeadHosts: () => Promise<unknown> },
): Promise<TaskRecord> {
  let record = await parts.records.cancel(id);
  // A merge under way may land before it hears of it: its end says what the task is.
  while (record.state === "running" || record.mergeId !== undefined) {
    if (options.signal?.aborted === true) throw aborted(options.signal);
    const answer = await waiting.wait([id], {
      timeoutMs: lookMs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (answer.timedOut) await options.recoverDeadHosts();
    // A run may have gone back to the queue just before the request: then this cancels it there.
    record = await parts.records.cancel(id);
  }
  return record;
}
