/** The end of a run that the store does not take as it is. */
import { expect, test } from "vitest";
import { completed } from "../../src/testing/outcomes.ts";
import type { TaskResult } from "../../src/core/task.ts";
import { scriptedPool } from "./scripted-pool.ts";

test.each([
  ["that cannot be bound", { model: {} }, 1, "Provided value cannot be bound"],
  ["of another type than its column", { turnsUsed: "many" }, 0, "cannot store TEXT value in INTEGER column"],
])("a run whose result holds a value %s fails, and its task says why", async (_what, wrong, turnsUsed, why) => {
  const { pool } = await scriptedPool({}, () => completed("did it", wrong as unknown as Partial<TaskResult>));
  const task = await pool.submit("it");
  const { state, result } = await task.outcome();
  const [run] = await pool.runs(task.id);
  expect({ state, result, run: run?.outcome }).toEqual({
    state: "failed",
    result: {
      output: "did it",
      success: false,
      reason: "error",
      error: expect.stringMatching(`^What came of its run could not be recorded: .*${why}`) as string,
      costMicrodollars: 1_000,
      turnsUsed,
      elapsedMs: 1,
    },
    run: "failed",
  });
});
