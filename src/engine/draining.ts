/** Shuts the pool: no new work, pending work cancelled or kept, running work given until the grace ends. */
import type { DrainOptions, DrainSummary } from "../core/api.ts";
import type { EventData } from "../core/events.ts";
import type { EngineParts } from "./parts.ts";
import type { Waiting } from "./waiting.ts";

const defaultGraceMs = 30_000;
/** Tasks are looked up a page at a time; a pool runs as many as it has slots. */
const page = 500;

/**
 * Resolves when nothing of the pool runs any more; the pool refuses work until it is opened anew.
 *
 * D1. The flag is set first, so nothing is leased after the running tasks have been listed.
 * D2. A chain ends with its steps: one whose next step stays pending goes on when the pool is opened anew.
 * D3. What ran may have left something pending: a retry, the next step of a chain.
 */
export async function drainPool(
  parts: EngineParts,
  waiting: Waiting,
  cancel: (id: string) => Promise<unknown>,
  options: DrainOptions = {},
): Promise<DrainSummary> {
  const { records } = parts;
  await records.setShutdown(true); // D1
  const cancelledPending = options.keepPending === true ? [] : await records.cancelPending();
  const running = (await records.list({ state: "running", kind: ["task", "route"] }, { limit: page })).tasks.map(
    (task) => task.id,
  );
  const answer = await waiting.wait(running, { timeoutMs: options.graceMs ?? defaultGraceMs });
  const stopped = options.keepPending === true ? await stillRunning(parts, answer.pending) : answer.pending;
  await Promise.all(stopped.map(cancel));
  // D3
  const late = options.keepPending === true ? [] : await records.cancelPending();
  const status = await records.status();
  const summary = {
    totalCostMicrodollars: status.totalSpendMicrodollars,
    totalTasksCompleted: status.completedTasks,
    cancelledPending: [...cancelledPending, ...late],
    cancelledRunning: stopped,
  };
  await records.append([{ type: "pool.drained", data: inFigures(summary) }]);
  return summary;
}

/** As the event has it: ids could be a hundred thousand. */
function inFigures({ cancelledPending, cancelledRunning, ...figures }: DrainSummary): EventData["pool.drained"] {
  return { ...figures, cancelledPending: cancelledPending.length, cancelledRunning: cancelledRunning.length };
}

/** A run that was lost meanwhile is back in the queue: pending, and kept as what was pending before. */
async function stillRunning({ records }: EngineParts, ids: readonly string[]): Promise<readonly string[]> {
  return (await records.getMany(ids)).filter((task) => task.state === "running").map((task) => task.id);
}
