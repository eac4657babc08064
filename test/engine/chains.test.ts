import { describe, expect, test } from "vitest";
import { completed, failed } from "../../src/testing/outcomes.ts";
import { eventOf, held, scriptedPool } from "./scripted-pool.ts";

describe("a chain", () => {
  test("runs its steps one after the other, each with the answer of the one before, and costs what they cost", async () => {
    const { pool, runner } = await scriptedPool({}, (turn) => completed(`<${turn.prompt}>`));
    const result = await pool.runChain([
      { name: "plan", prompt: "think" },
      { name: "build", prompt: "do {previous_output} and {steps.plan.output}" },
    ]);
    const [chain] = await pool.listChains();
    expect({ result, prompts: runner.turns.map((turn) => turn.spec.prompt), status: chain?.status }).toEqual({
      result: {
        taskId: chain?.taskId,
        steps: [
          { name: "plan", output: "<think>", success: true, costMicrodollars: 1_000, retriesUsed: 0, skipped: false },
          {
            name: "build",
            output: "<do <think> and <think>>",
            success: true,
            costMicrodollars: 1_000,
            retriesUsed: 0,
            skipped: false,
          },
        ],
        finalOutput: "<do <think> and <think>>",
        totalCostMicrodollars: 2_000,
        success: true,
      },
      prompts: ["think", "do <think> and <think>"],
      status: "completed",
    });
  });
});
