/** A host with the scripted runner that is about to be killed: submits what it is told to, and works. */
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { openPool } from "../../../src/index.ts";
import { completed, failed, limited, scriptedRunner } from "../../../src/testing/index.ts";
import { random } from "../random.ts";

export interface ScriptedHostOrder {
  readonly store: string;
  readonly cwd: string;
  /** Where each turn leaves a line when it begins and when it ends. */
  readonly log: string;
  readonly slots: number;
  readonly seed: number;
  /** Keys of tasks to submit; known ones are no harm. */
  readonly keys: readonly string[];
}

/** A line of the log; `at` in milliseconds since the epoch, comparable between the processes of one machine. */
export interface TurnLine {
  readonly what: "begin" | "end";
  readonly at: number;
  readonly pid: number;
  readonly runId: string;
  readonly task: string;
  readonly costMicrodollars?: number;
}

const longestTurnMs = 300;

process.once("disconnect", () => process.exit(1));
const order = JSON.parse(process.argv[2] ?? "") as ScriptedHostOrder;
const chance = random(order.seed);

const runner = scriptedRunner(async (turn, _launch, { signal }) => {
  const note = (what: TurnLine["what"], costMicrodollars?: number): void => {
    const line = { what, at: Date.now(), pid: process.pid, runId: turn.runId, task: turn.prompt, costMicrodollars };
    appendFileSync(order.log, `${JSON.stringify(line)}\n`);
  };
  note("begin");
  signal.addEventListener("abort", () => note("end"), { once: true });
  const [kind, costMicrodollars] = [chance.next(), 1 + chance.below(5_000)];
  await pause(longestTurnMs * chance.next() ** 2, undefined, { signal });
  note("end", costMicrodollars);
  if (kind < 0.05) return failed("error", { costMicrodollars });
  if (kind < 0.06) return limited(Date.now() + 50, { costMicrodollars });
  return completed(`did ${turn.prompt}`, { costMicrodollars });
});

const pool = await openPool({ cwd: order.cwd, store: order.store, slots: order.slots, runner });
process.send?.("ready");
const specs = order.keys.map((key) => ({ prompt: key, key, priority: key.length % 3 }));
if (specs.length > 0) await pool.submitMany(specs);
process.send?.("submitted");
process.once("message", () => void pool.close().then(() => process.disconnect()));
