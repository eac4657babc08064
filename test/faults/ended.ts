/** Waits until nothing is left to do, and says what hangs if that does not come. */
import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "../../src/index.ts";

/** How long nothing may end before something hangs; how long everything takes is the machine's business. */
const patienceMs = 120_000;

/** Resolves when so many tasks have ended. @throws with the state of the pool when none ends any more. */
export async function ended(pool: Pool, tasks: number): Promise<void> {
  let [before, since] = [0, performance.now()];
  for (;;) {
    const status = await pool.status();
    const count = status.completedTasks + status.failedTasks + status.cancelledTasks;
    if (count >= tasks) return;
    if (count > before) [before, since] = [count, performance.now()];
    if (performance.now() - since > patienceMs) {
      const open = await pool.list({ state: ["pending", "running"], limit: 5 });
      throw new Error(
        `Not all tasks end: ${JSON.stringify({ status, hosts: await pool.hosts(), tasks: open.tasks }, null, 1)}`,
      );
    }
    await pause(50);
  }
}
