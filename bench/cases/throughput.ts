/** Durable tasks a second through Pool with a runner that answers at once: what queue, ledger, events and commits cost. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openPool } from "../../src/index.ts";
import { type Bench, median, timed } from "../figure.ts";
import { withFolder } from "../ground/folder.ts";
import { instantRunner } from "../ground/instant-runner.ts";

const batch = 1_000;
const prompt = "p".repeat(1_000);
const output = "o".repeat(2_000);
const pollMs = 5;

export const throughput: Bench = async ({ quick }) => {
  const rates: { readonly slots: number; readonly atLeast: number; readonly seen: number[] }[] = [
    { slots: 16, atLeast: 10_000, seen: [] },
    { slots: 1, atLeast: 3_000, seen: [] },
  ];
  const rounds = quick ? 3 : 7;
  for (let number = 0; number <= rounds; number += 1) {
    for (const { slots, seen } of rates) {
      const rate = await tasksPerSecond(slots, quick ? 10_000 : 20_000);
      if (number > 0) seen.push(rate); // the first round warms the code up
    }
  }
  return rates.map(({ slots, atLeast, seen }) => ({
    id: `durable_tasks_${String(slots)}_slots`,
    what: `durable tasks through \`Pool\`, ${String(slots)} slot${slots === 1 ? "" : "s"}, instant runner, submitted 1,000 at a time`,
    value: Math.round(median(seen)),
    unit: "tasks/s",
    target: { atLeast },
    details: { lowest: Math.round(Math.min(...seen)), highest: Math.round(Math.max(...seen)), rounds },
  }));
};

/** From the first submission until the pool counts all of them as completed. */
async function tasksPerSecond(slots: number, tasks: number): Promise<number> {
  return withFolder(async (folder) => {
    const runner = instantRunner(output);
    await using pool = await openPool({ cwd: folder, store: join(folder, "pool.db"), slots, runner });
    const ms = await timed(async () => {
      for (let submitted = 0; submitted < tasks; submitted += batch) {
        await pool.submitMany(Array.from({ length: batch }, (_, index) => `${String(submitted + index)} ${prompt}`));
      }
      while ((await pool.status()).completedTasks < tasks) await pause(pollMs);
    });
    return (1_000 * tasks) / ms;
  });
}
