/** One task at a time: from the call of `submit` until the runner has the prompt. */
import { join } from "node:path";
import { openPool } from "../../src/index.ts";
import { scriptedRunner } from "../../src/testing/index.ts";
import { type Bench, median, percentile, round } from "../figure.ts";
import { withFolder } from "../ground/folder.ts";

export const oneByOne: Bench = ({ quick }) =>
  withFolder(async (folder) => {
    let reached = Promise.withResolvers<number>();
    const runner = scriptedRunner(() => {
      reached.resolve(performance.now());
      return "ok";
    });
    await using pool = await openPool({ cwd: folder, store: join(folder, "pool.db"), runner });
    const waits: number[] = [];
    const warmUp = 50;
    for (let number = 0; number < (quick ? 300 : 1_000) + warmUp; number += 1) {
      reached = Promise.withResolvers<number>();
      const start = performance.now();
      const task = await pool.submit("one task");
      waits.push((await reached.promise) - start);
      await task.outcome();
    }
    const measured = waits.slice(warmUp);
    return [
      {
        id: "submit_to_runner",
        what: "one by one, `submit` until the runner has it, p50",
        value: round(median(measured)),
        unit: "ms",
        target: { atMost: 2 },
        details: {
          p95_ms: round(percentile(measured, 95)),
          p99_ms: round(percentile(measured, 99)),
          tasks: measured.length,
        },
      },
    ];
  });
