/** What of some work stands still until somebody decides: whoever waits for it here may be the one. */
import type { Pool } from "../pool.ts";

export interface Undecided {
  /** Tasks, or chains of which a step, asks for permission or has put a question. */
  readonly asking: readonly string[];
  /** Tasks of steps that want a review before their chain goes on. */
  readonly reviews: readonly string[];
}

export async function undecided(pool: Pool, ids: readonly string[]): Promise<Undecided> {
  const records = await Promise.all(ids.map((id) => pool.get(id)));
  const chains = records.filter(({ kind, state }) => kind === "chain" && state === "running");
  const progress = await Promise.all(chains.map(({ id }) => pool.chainProgress(id)));
  const steps = progress.flatMap((chain) => chain.steps.filter((step) => step.state === "pending_review"));
  return {
    asking: records.filter(({ waitsFor }) => waitsFor !== undefined).map(({ id }) => id),
    reviews: steps.flatMap(({ taskId }) => (taskId === undefined ? [] : [taskId])),
  };
}
