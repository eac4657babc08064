/** Tasks one after the other on one slot, against a bare turn and `/clear` for each, and against one `claude -p` for each. */
import { openPool } from "../../src/index.ts";
import { type Bench, median, round, timed } from "../figure.ts";
import { claudePrint, openBareSession } from "../ground/bare.ts";
import { withModel } from "../ground/model.ts";

const tasks = 10;
const printed = 3;

export const backToBack: Bench = ({ quick }) =>
  withModel(async (model) => {
    await using pool = await openPool({ cwd: model.work, store: model.path("pool.db"), env: model.env("pool") });
    const bare = await openBareSession(model);
    const prompts = Array.from({ length: tasks }, (_, index) => `task ${String(index)} of a batch`);
    const each: Record<"pool" | "bare" | "print", number[]> = { pool: [], bare: [], print: [] };
    await pool.run("opens the process");
    await bare.turn("opens the process");
    for (let number = 0; number < (quick ? 5 : 12); number += 1) {
      const pooled = await timed(async () => {
        const submitted = await pool.submitMany(prompts);
        await pool.wait(submitted.map((task) => task.id));
      });
      const alone = await timed(async () => {
        for (const prompt of prompts) {
          await bare.turn(prompt);
          await bare.clear();
        }
      });
      const cold = await timed(async () => {
        for (const prompt of prompts.slice(0, printed)) await claudePrint(model, prompt);
      });
      each.pool.push(pooled / tasks);
      each.bare.push(alone / tasks);
      each.print.push(cold / printed);
    }
    await bare.close();
    const [ours, theirs, cold] = [median(each.pool), median(each.bare), median(each.print)];
    const details = {
      pool_ms_a_task: round(ours, 1),
      bare_ms_a_task: round(theirs, 1),
      claude_p_ms_a_task: round(cold, 1),
      rounds: each.pool.length,
    };
    return [
      {
        id: "back_to_back_to_bare",
        what: "tasks back to back on one slot, against bare turn + `/clear`",
        value: round(ours / theirs),
        unit: "times",
        target: { atMost: 1.25 },
        details,
      },
      {
        id: "back_to_back_to_claude_p",
        what: "the same, faster than one `claude -p` per task",
        value: round(cold / ours),
        unit: "times",
        target: { atLeast: 5 },
        details,
      },
    ];
  });
