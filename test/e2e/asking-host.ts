/**
 * A process that hosts a task until it is killed, or until its parent disconnects, and then leaves nothing: gets the pool's
 * options and a prompt as a message, sends the task's id.
 */
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { openPool } from "../../src/open-pool.ts";

process.once("message", ([options, prompt]: readonly [OpenPoolOptions, string]) => {
  void host(options, prompt);
});

async function host(options: OpenPoolOptions, prompt: string): Promise<void> {
  const pool = await openPool(options);
  process.once("disconnect", () => void pool.close());
  const task = await pool.submit(prompt);
  process.send?.(task.id);
}
