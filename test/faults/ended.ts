/** Waits until nothing is left to do, and says what hangs if that does not come. */
import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "../../src/index.ts";

const patienceMs = 120_000;

/** Resolves when so many tasks have ended. @throws with the state of the pool when that takes too long. */
export async function ended(pool: Pool, tasks: number): Promise<void> {
  const start = performance.now();
  for (;;) {
    const status = await pool.status();
    if (status.completedTasks + status.failedTasks + status.cancelledTasks >= tasks) return;
    if (performance.now() - start > patienceMs) {
      const open = await pool.list({ state: ["pending", "running"], limit: 5 });
      throw new Error(
        `Not all tasks end: ${JSON.stringify({ status, hosts: await pool.hosts(), tasks: open.tasks }, null, 1)}`,
      );
    }
    await pause(50);
  }
}
