/**
 * A host with the scripted runner that is about to be killed. It opens the pool when it is told the keys of chains to submit,
 * which are no harm if they are known; then it works until it is told to close.
 */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { openPool, type StepSpec } from "../../../src/index.ts";
import { completed, failed, limited, scriptedRunner } from "../../../src/testing/index.ts";
import { random } from "../random.ts";

export interface ChainHostOrder {
  readonly store: string;
  readonly cwd: string;
  readonly slots: number;
  readonly seed: number;
}

const longestTurnMs = 60;

process.once("disconnect", () => process.exit(1));
const order = JSON.parse(process.argv[2] ?? "") as ChainHostOrder;
const chance = random(order.seed);

const runner = scriptedRunner(async (turn, _launch, { signal }) => {
  const [kind, costMicrodollars] = [chance.next(), 1 + chance.below(5_000)];
  await pause(longestTurnMs * chance.next() ** 2, undefined, { signal });
  if (kind < 0.15) return failed("error", { costMicrodollars });
  if (kind < 0.17) return limited(Date.now() + 50, { costMicrodollars });
  return completed(JSON.stringify({ id: turn.prompt.length }), { costMicrodollars });
});

/** Two in a row, two beside each other, one after both: with retries, a reviewed step, a variable and a step that may fail. */
function stepsOf(key: string): readonly StepSpec[] {
  return [
    { name: "one", prompt: `${key} one`, retries: 3, outputVars: { id: "id" } },
    { name: "two", prompt: `${key} two {steps.one.id}`, retries: 2, review: key.length % 2 === 0, maxRejections: 2 },
    {
      name: "left",
      prompt: `${key} left {previous_output}`,
      needs: ["two"],
      retries: 1,
      recoveryPrompt: "mend {error}",
    },
    { name: "right", prompt: `${key} right`, needs: ["two"], continueOnError: true },
    { name: "last", prompt: `${key} last {steps.left.output}`, needs: ["left", "right"], retries: 3 },
  ];
}

const [keys] = (await once(process, "message")) as [string];
const pool = await openPool({ cwd: order.cwd, store: order.store, slots: order.slots, runner });
process.send?.("ready");
for (const key of JSON.parse(keys) as readonly string[])
  await pool.submitChain(stepsOf(key), { key, priority: key.length % 3 });
process.send?.("submitted");
process.once("message", () => void pool.close().then(() => process.disconnect()));
