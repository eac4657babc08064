/** Tasks a second with four slots, against four `claude -p` at a time. */
import { openPool } from "../../src/index.ts";
import { type Bench, median, round, timed } from "../figure.ts";
import { claudePrint } from "../ground/bare.ts";
import { withModel } from "../ground/model.ts";

const lanes = 4;
const printed = 12;

export const fourSlots: Bench = ({ quick }) =>
  withModel(async (model) => {
    await using pool = await openPool({
      cwd: model.work,
      store: model.path("pool.db"),
      env: model.env("pool"),
      slots: lanes,
    });
    const prompts = Array.from({ length: quick ? 40 : 80 }, (_, index) => `task ${String(index)} of a batch`);
    const rates: Record<"pool" | "print", number[]> = { pool: [], print: [] };
    await pool.fanOut(prompts.slice(0, lanes));
    for (let number = 0; number < (quick ? 3 : 7); number += 1) {
      const pooled = await timed(() => pool.fanOut(prompts));
      const cold = await timed(() => inLanes(prompts.slice(0, printed), (prompt) => claudePrint(model, prompt)));
      rates.pool.push((1_000 * prompts.length) / pooled);
      rates.print.push((1_000 * printed) / cold);
    }
    return [
      {
        id: "four_slots_to_four_claude_p",
        what: "tasks/s with 4 slots, against 4 `claude -p` at a time",
        value: round(median(rates.pool) / median(rates.print)),
        unit: "times",
        target: { atLeast: 4 },
        details: {
          pool_tasks_a_second: round(median(rates.pool), 1),
          claude_p_tasks_a_second: round(median(rates.print), 1),
          rounds: rates.pool.length,
        },
      },
    ];
  });

async function inLanes(prompts: readonly string[], work: (prompt: string) => Promise<void>): Promise<void> {
  const left = [...prompts];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
