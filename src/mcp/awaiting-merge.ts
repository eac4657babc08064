/**
 * Waiting for a merge inside a call that may not take for ever.
 *
 * The merge is in the queue before anybody waits for it, so a call that ends early loses nothing (A1 to A3 of awaiting.ts); a
 * client's cancellation takes it out of the queue, as long as nobody has begun it.
 */
import { PoolError } from "../core/errors.ts";
import type { MergeRecord } from "../core/merge.ts";
import type { ToolCall } from "./tool-call.ts";

/** Resolves to the merge at its end, or as it stands when the call's time is over. @throws {PoolError} `aborted`. */
export async function awaitMerge(call: ToolCall, mergeId: string): Promise<MergeRecord> {
  const { pool, signal, answerWithinMs } = call;
  const over = new AbortController();
  const telling = tell(call, mergeId, over.signal);
  try {
    return await pool.merges.wait(mergeId, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]) });
  } catch (error) {
    if (!(error instanceof PoolError) || error.code !== "aborted") throw error;
    if (signal.aborted && call.isCancelled()) await takeBack(call, mergeId);
    return await pool.merges.show(mergeId);
  } finally {
    over.abort();
    await telling;
  }
}

/** One that has begun comes to its end. */
async function takeBack({ pool }: ToolCall, mergeId: string): Promise<void> {
  try {
    await pool.merges.cancel(mergeId);
  } catch (error) {
    if (!(error instanceof PoolError) || error.code !== "invalid_transition") throw error;
  }
}

/** Reports, for clients that asked: that it waits, that it is under way, and how it ended. */
async function tell({ pool, report }: ToolCall, mergeId: string, over: AbortSignal): Promise<void> {
  if (report === undefined) return;
  let progress = 0;
  const say = (message: string): void => report({ progress: (progress += 1), total: 3, message });
  say(`${mergeId} is in the queue`);
  try {
    for await (const { type, data } of pool.events({ signal: over })) {
      if (type === "merge.started" && data.mergeId === mergeId) say(`merging into ${data.target}`);
    }
  } catch {
    // Reports are a courtesy: what is wrong with the log, the wait itself says.
  }
}
