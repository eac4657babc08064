/** What holds work together beyond one task, on the real CLI: several chains, slots that come by themselves, money, memory. */
import { describe, expect, it } from "vitest";
import type { Processes } from "../../src/core/ports.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { apiError, gate, text } from "../../src/testing/index.ts";
import { place, realPool } from "./real-pool.ts";

describe("work on the real CLI", () => {
  it("fans out chains: each result in its place, with a failure in its own", async () => {
    const here = await place();
    here.api.on("plan one", text("the plan")).on("Do: the plan", text("built")).on("plan two", apiError(400));
    const pool = await realPool(here, { slots: 2 });
    const settled = await pool.fanOutChains([
      [
        { name: "plan", prompt: "plan one" },
        { name: "build", prompt: "Do: {previous_output}" },
      ],
      [{ name: "plan", prompt: "plan two" }],
    ]);
    expect(settled.map((one) => (one.status === "fulfilled" ? one.result.finalOutput : "rejected"))).toEqual([
      "built",
      "rejected",
    ]);
  });

  it("gets a second slot when a task has waited for the first", async () => {
    const here = await place();
    const [first, second] = [gate(text("1")), gate(text("2"))];
    here.api.on("first", first).on("second", second);
    const pool = await realPool(here, { slots: 1, scaling: { minSlots: 1, maxSlots: 2, auto: true, upDelayMs: 1 } });
    const tasks = await pool.submitMany(["first", "second"]);
    await Promise.all([first.reached, second.reached]);
    const busy = (await pool.findSlots({ state: "busy" })).length;
    first.release();
    second.release();
    const outcomes = await Promise.all(tasks.map((task) => task.outcome()));
    expect([busy, outcomes.map((outcome) => outcome.result?.output)]).toEqual([2, ["1", "2"]]);
  });

  it("spends no more on a tag than its budget, and on others as before", async () => {
    const here = await place();
    here.api.otherwise(text("done", { usage: { inputTokens: 100_000, outputTokens: 1_000 } }));
    const pool = await realPool(here);
    await pool.budget.setScope({ tag: "nightly" }, 0.01);
    await pool.run("one", { tags: ["nightly"] });
    const refused = await pool
      .submit("two", { tags: ["nightly"] })
      .catch((error: unknown) => (error as { code: string }).code);
    const other = await pool.run("three");
    const [scope] = await pool.budget.scopes();
    expect([refused, other.success, scope?.scope, (scope?.spentMicrodollars ?? 0) >= 10_000]).toEqual([
      "budget_exhausted",
      true,
      "tag:nightly",
      true,
    ]);
  });

  it("says what more of the same will cost, from what it cost, and asks no model for that", async () => {
    const here = await place();
    const pool = await realPool(here);
    const results = await pool.fanOut(["1", "2", "3", "4", "5"]);
    const asked = here.api.requests.length;
    const estimate = await pool.estimate("6");
    const paid = results.map((one) => (one.status === "fulfilled" ? one.result.costMicrodollars : 0));
    expect([estimate.known && estimate.costMicrodollars.typical, here.api.requests.length]).toEqual([paid[0], asked]);
  });

  it("opens no process while the machine is short of memory, and does the task when it is not", async () => {
    const here = await place();
    let free = 1;
    const processes: Processes = { ...systemProcesses(), freeMemoryBytes: () => free };
    const pool = await realPool(here, { processes });
    const task = await pool.submit("it");
    for await (const event of pool.events({ after: 0 })) if (event.type === "governor.changed") break;
    const waiting = await task.get();
    free = Number.MAX_SAFE_INTEGER;
    expect([waiting.state, waiting.hold?.reason, (await task.outcome()).state]).toEqual([
      "pending",
      "memory",
      "completed",
    ]);
  });
});
