/** Many tasks at once: every result, in the order of the inputs, whatever became of the others. */
import type { FanOutOptions, Settled } from "../core/api.ts";
import { PoolError } from "../core/errors.ts";
import type { TaskOutcome } from "../core/outcome.ts";
import type { TaskSpec } from "../core/task.ts";
import { aborted } from "./waiting.ts";

/** What a fan-out needs of the pool. */
export interface FanOutPort {
  submit(specs: readonly TaskSpec[]): Promise<readonly string[]>;
  /** Resolves when the task has ended. */
  outcome(id: string): Promise<TaskOutcome>;
  cancel(id: string): Promise<unknown>;
}

/** Never rejects because of a task: each input has its place in the answer. */
export async function fanOut(
  port: FanOutPort,
  specs: readonly TaskSpec[],
  options: Pick<FanOutOptions, "concurrency" | "signal" | "onSettled"> & {
    /** Called with the id as soon as the input has one. */
    readonly onSubmitted?: (id: string, index: number) => void;
  },
): Promise<readonly Settled[]> {
  const results: Settled[] = [];
  const running = new Set<string>();
  const onAbort = (): void => {
    for (const id of running) port.cancel(id).catch(() => undefined); // its own outcome tells what became of it
  };
  options.signal?.addEventListener("abort", onAbort, { once: true });

  const settle = (index: number, settled: Settled): void => {
    results[index] = settled;
    options.onSettled?.(settled, index);
  };
  const follow = async (id: string, index: number): Promise<void> => {
    running.add(id);
    options.onSubmitted?.(id, index);
    settle(index, settledOf(await port.outcome(id)));
    running.delete(id);
  };
  const one = async (index: number): Promise<void> => {
    const spec = specs[index];
    if (spec === undefined) return;
    if (options.signal?.aborted === true) {
      settle(index, { status: "rejected", error: aborted(options.signal) });
      return;
    }
    try {
      const [id] = await port.submit([spec]);
      if (id !== undefined) await follow(id, index);
    } catch (error) {
      settle(index, { status: "rejected", error: error instanceof Error ? error : new Error(String(error)) });
    }
  };

  try {
    if (options.concurrency === undefined) {
      // All are durable before the first runs; the slots are the limit.
      const ids = await port.submit(specs);
      await Promise.all(ids.map(follow));
    } else {
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < specs.length) {
          const index = next;
          next += 1;
          await one(index);
        }
      };
      await Promise.all(Array.from({ length: Math.min(options.concurrency, specs.length) }, lane));
    }
    return results;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
  }
}

function settledOf(outcome: TaskOutcome): Settled {
  const { taskId, result } = outcome;
  if (outcome.state !== "failed" && outcome.state !== "cancelled" && result !== undefined) {
    return { status: "fulfilled", taskId, result };
  }
  return { status: "rejected", taskId, outcome, error: taskFailed(outcome) };
}

/** The error that a caller who waited for success gets; `details.outcome` has everything. */
function taskFailed(outcome: TaskOutcome): PoolError {
  const { taskId, state, result } = outcome;
  const why = result?.error ?? result?.reason ?? "it left no result";
  return new PoolError("task_failed", `Task ${taskId} ${state === "cancelled" ? "was cancelled" : "failed"}: ${why}`, {
    taskId,
    outcome,
  });
}
