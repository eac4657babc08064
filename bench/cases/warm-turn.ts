/** `pool.run` on an idle warm slot against the same turn in an open process without a pool. */
import { setTimeout as pause } from "node:timers/promises";
import { openPool } from "../../src/index.ts";
import { type Bench, median, percentile, round, timed } from "../figure.ts";
import { openBareSession } from "../ground/bare.ts";
import { withModel } from "../ground/model.ts";

/** Between two measurements, so that both processes stand idle: the pool clears its conversation after a task, off the clock. */
const idleMs = 100;
const block = 10;

export const warmTurn: Bench = ({ quick }) =>
  withModel(async (model) => {
    await using pool = await openPool({ cwd: model.work, store: model.path("pool.db"), env: model.env("pool") });
    const bare = await openBareSession(model);
    const pooled: number[] = [];
    const alone: number[] = [];
    const sides = [
      async (prompt: string) => {
        pooled.push(await timed(() => pool.run(prompt)));
      },
      async (prompt: string) => {
        await bare.clear();
        await pause(idleMs);
        alone.push(await timed(() => bare.turn(prompt)));
      },
    ];
    // The sides take turns by blocks: within one, each process was cleared equally long ago when its turn begins, and
    // neither has been left alone while the other was measured.
    const blocks = quick ? 4 : 11;
    for (let number = 0; number < blocks; number += 1) {
      for (const side of number % 2 === 0 ? sides : sides.toReversed()) {
        for (let turn = 0; turn < block; turn += 1) {
          await side(`measured turn ${String(number * block + turn)}`);
          await pause(idleMs);
        }
      }
    }
    await bare.close();
    const [ours, theirs] = [pooled.slice(block), alone.slice(block)]; // the first block warms both up
    return [
      {
        id: "warm_run_to_bare_turn",
        what: "`pool.run` on an idle warm slot, against a bare SDK turn after `/clear`",
        value: round(median(ours) / median(theirs)),
        unit: "times",
        target: { atMost: 1.25 },
        details: {
          pool_ms: round(median(ours), 1),
          bare_ms: round(median(theirs), 1),
          pool_p95_ms: round(percentile(ours, 95), 1),
          bare_p95_ms: round(percentile(theirs, 95), 1),
          rounds: ours.length,
        },
      },
    ];
  });
