import { describe, expect, test } from "vitest";
import type { ChainProgress } from "../../src/core/chain.ts";
import { completed, failed, limited, lost } from "../../src/testing/outcomes.ts";
import type { TurnAnswer } from "../../src/testing/scripted-process.ts";
import type { ScriptedRunner } from "../../src/testing/scripted-runner.ts";
import { eventOf, held, scriptedPool } from "./scripted-pool.ts";

function prompts(runner: ScriptedRunner): readonly string[] {
  return runner.turns.map((turn) => turn.spec.prompt);
}

/** Each step as one word of its name and its state. */
function states(progress: ChainProgress): readonly string[] {
  return progress.steps.map((step) => `${step.name} ${step.state}`);
}

describe("a chain", () => {
  test("runs its steps one after the other, each with the answer of the one before, and costs what they cost", async () => {
    const { pool, runner } = await scriptedPool({}, (turn) => completed(`<${turn.prompt}>`));
    const result = await pool.runChain([
      { name: "plan", prompt: "think" },
      { name: "build", prompt: "do {previous_output} and {steps.plan.output}" },
    ]);
    const [chain] = await pool.listChains();
    const figures = { success: true, costMicrodollars: 1_000, retriesUsed: 0, skipped: false };
    expect({ result, prompts: prompts(runner), status: chain?.status }).toEqual({
      result: {
        taskId: chain?.taskId,
        steps: [
          { name: "plan", output: "<think>", ...figures },
          { name: "build", output: "<do <think> and <think>>", ...figures },
        ],
        finalOutput: "<do <think> and <think>>",
        totalCostMicrodollars: 2_000,
        success: true,
      },
      prompts: ["think", "do <think> and <think>"],
      status: "completed",
    });
  });

  test("puts hostile text of an answer into the next prompt as it is", async () => {
    const hostile = "{steps.a.output} {previous_output} `rm -rf ~` $1 $& {{x}} {error}";
    const { pool, runner } = await scriptedPool();
    runner.on("first", completed(hostile));
    await pool.runChain([
      { name: "a", prompt: "first" },
      { name: "b", prompt: "second: {previous_output} {{previous_output}}" },
    ]);
    expect(prompts(runner)[1]).toBe(`second: ${hostile} {previous_output}`);
  });

  test("runs independent steps at the same time, and what needs both when both are done", async () => {
    const gate = held<string>();
    const { pool, runner } = await scriptedPool({ slots: 2 });
    runner.on("left", () => gate.promise).on("right", () => gate.promise);
    const chain = await pool.submitChain([
      { name: "left", prompt: "left", needs: [] },
      { name: "right", prompt: "right", needs: [] },
      { name: "join", prompt: "{steps.left.output}+{steps.right.output}", needs: ["left", "right"] },
    ]);
    await Promise.all([runner.waitForTurn("left"), runner.waitForTurn("right")]);
    const { runningSteps } = await pool.chainProgress(chain.id);
    gate.release("done");
    await chain.outcome();
    expect([runningSteps, prompts(runner).at(-1)]).toEqual([["left", "right"], "done+done"]);
  });

  test("is a task that result and wait take, but status counts its steps alone", async () => {
    const { pool } = await scriptedPool();
    const chain = await pool.submitChain([
      { name: "a", prompt: "1" },
      { name: "b", prompt: "2" },
    ]);
    const { done } = await pool.wait(chain.id);
    const record = await chain.get();
    const status = await pool.status();
    expect({
      done: done.map((outcome) => [outcome.taskId, outcome.state]),
      output: JSON.parse(record.result?.output ?? "") as unknown,
      kinds: (await pool.list()).tasks.map((task) => task.kind),
      tasksOnly: (await pool.list({ kind: "task" })).tasks.length,
      counts: [status.completedTasks, status.runningTasks, status.pendingTasks],
    }).toEqual({
      done: [[chain.id, "completed"]],
      output: expect.objectContaining({
        task_id: chain.id,
        final_output: "ok",
        total_cost_microdollars: 2_000,
      }) as unknown,
      kinds: ["task", "task", "chain"],
      tasksOnly: 2,
      counts: [2, 0, 0],
    });
  });

  test("ends failed with the step that failed, and lists those that it never came to", async () => {
    const { pool, runner } = await scriptedPool();
    runner.on("break", failed("error", { error: "no luck" }));
    const chain = await pool.submitChain([
      { name: "a", prompt: "fine" },
      { name: "b", prompt: "break" },
      { name: "c", prompt: "never" },
    ]);
    const outcome = await chain.outcome();
    const progress = await pool.chainProgress(chain.id);
    expect({
      state: outcome.state,
      reason: outcome.result?.reason,
      error: outcome.result?.error,
      cost: outcome.result?.costMicrodollars,
      states: states(progress),
      skipped: progress.completedSteps.map((step) => step.skipped),
    }).toEqual({
      state: "failed",
      reason: "error",
      error: "Step b failed: no luck",
      cost: 2_000,
      states: ["a completed", "b failed", "c cancelled"],
      skipped: [false, false, true],
    });
  });

  test("goes on after a step that may fail", async () => {
    const { pool, runner } = await scriptedPool();
    runner.on("break", failed("error"));
    const result = await pool.runChain([
      { name: "a", prompt: "break", continueOnError: true },
      { name: "b", prompt: "after [{previous_output}]" },
    ]);
    expect([result.success, result.steps.map((step) => step.success), prompts(runner)]).toEqual([
      true,
      [false, true],
      ["break", "after []"],
    ]);
  });

  test("lets what runs end when a step fails, cancels what waits, and starts nothing more", async () => {
    const gate = held<string>();
    const { pool, runner } = await scriptedPool({ slots: 2 });
    runner.on("slow", () => gate.promise).on("break", failed("error"));
    const chain = await pool.submitChain([
      { name: "slow", prompt: "slow", needs: [] },
      { name: "break", prompt: "break", needs: [] },
      { name: "waits", prompt: "waits", needs: [], retryDelayMs: 5 },
      { name: "next", prompt: "next", needs: ["slow"] },
    ]);
    await runner.waitForTurn("slow");
    for await (const event of pool.events({ after: 0 })) {
      if (event.type === "chain.step_finished" && event.data.step === "break") break;
    }
    const under = await pool.chainProgress(chain.id);
    gate.release("slow one");
    const outcome = await chain.outcome();
    expect([under.status, outcome.state, states(await pool.chainProgress(chain.id))]).toEqual([
      "running",
      "failed",
      ["slow completed", "break failed", expect.stringMatching(/waits (cancelled|completed)/), "next cancelled"],
    ]);
  });

  test.each([
    ["meets the usage limit", (): TurnAnswer => limited(Date.now() + 3_600_000)],
    ["is lost", (): TurnAnswer => lost()],
  ])("that a step has failed does not run another again whose run %s", async (_what, answer) => {
    const gate = held<TurnAnswer>();
    const { pool, runner } = await scriptedPool({ slots: 2 });
    runner.on("slow", () => gate.promise).on("break", failed("error"));
    const chain = await pool.submitChain([
      { name: "slow", prompt: "slow", needs: [] },
      { name: "break", prompt: "break", needs: [] },
    ]);
    await runner.waitForTurn("slow");
    for await (const event of pool.events({ after: 0 })) {
      if (event.type === "chain.step_finished" && event.data.step === "break") break;
    }
    gate.release(answer());
    const { state, result } = await chain.outcome();
    expect([
      state,
      result?.costMicrodollars,
      states(await pool.chainProgress(chain.id)),
      prompts(runner).length,
    ]).toEqual(["failed", 2_000, ["slow cancelled", "break failed"], 2]);
  });

  test("skips a step whose condition does not hold, and what needs it goes on without its output", async () => {
    const { pool, runner } = await scriptedPool();
    runner.on("look", completed('Here: ```json\n{"count": 0, "files": ["a.ts"]}\n```'));
    const chain = await pool.submitChain([
      { name: "look", prompt: "look", outputVars: { count: "count", file: "files[0]" } },
      { name: "mend", prompt: "mend", when: { variable: "steps.look.count", notEquals: 0 } },
      { name: "tell", prompt: "tell {steps.look.file} [{previous_output}]" },
    ]);
    await chain.outcome();
    expect([prompts(runner), states(await pool.chainProgress(chain.id))]).toEqual([
      ["look", "tell a.ts []"],
      ["look completed", "mend skipped", "tell completed"],
    ]);
  });

  test("fails a step whose answer lacks a variable, unless that may be empty", async () => {
    const { pool } = await scriptedPool();
    const lacking = { name: "a", prompt: "x", outputVars: { id: "id" } };
    const strict = await (await pool.submitChain([lacking])).outcome();
    const lenient = await pool.runChain([
      { ...lacking, missingVars: "empty" },
      { name: "b", prompt: "<{steps.a.id}>" },
    ]);
    const [first] = (await pool.list({ kind: "task", order: "oldest" })).tasks;
    expect([strict.state, strict.result?.reason, first?.state, lenient.success]).toEqual([
      "failed",
      "schema",
      "failed",
      true,
    ]);
  });

  test("tries a step again and shows the model what went wrong, then recovers once", async () => {
    const { pool, runner } = await scriptedPool();
    runner
      .on(/^mend/, completed("mended"))
      .on("break", failed("error", { error: "first" }), failed("error", { error: "second" }));
    const result = await pool.runChain([
      { name: "a", prompt: "break", retries: 1, recoveryPrompt: "mend: {error}" },
      { name: "b", prompt: "b:{previous_output}" },
    ]);
    const [chain] = await pool.listChains();
    expect({ prompts: prompts(runner), step: result.steps[0], cost: chain?.totalCostMicrodollars }).toEqual({
      prompts: ["break", "break\n\n--- The attempt before this one failed ---\nfirst", "mend: second", "b:mended"],
      step: {
        name: "a",
        output: "mended",
        success: true,
        costMicrodollars: 3_000,
        retriesUsed: 2,
        skipped: false,
        error: "second",
        recovered: true,
      },
      cost: 4_000,
    });
  });

  test.each([
    ["a budget", failed("budget")],
    ["a wrong key", failed("api", { apiStatus: 401 })],
    ["a refusal", failed("refused")],
  ])("does not try again after %s", async (_what, outcome) => {
    const { pool, runner } = await scriptedPool();
    runner.on("it", outcome);
    await (await pool.submit("it", { retries: 3 })).outcome();
    expect(runner.turns.length).toBe(1);
  });

  test("cancelled in the middle stops what runs and ends cancelled with what is done", async () => {
    const { pool, runner } = await scriptedPool({}, (turn) =>
      turn.prompt === "b" ? new Promise(() => undefined) : "done",
    );
    const chain = await pool.submitChain([
      { name: "a", prompt: "a" },
      { name: "b", prompt: "b" },
      { name: "c", prompt: "c" },
    ]);
    const turn = await runner.waitForTurn(/^b$/);
    const record = await pool.cancelChain(chain.id);
    const progress = await pool.chainProgress(chain.id);
    expect([turn.signal.reason, record.state, record.result?.reason, progress.status, states(progress)]).toEqual([
      "cancel",
      "cancelled",
      "cancelled",
      "cancelled",
      ["a completed", "b cancelled", "c cancelled"],
    ]);
  });

  test("ends cancelled when its step is cancelled by itself", async () => {
    const { pool, runner } = await scriptedPool({}, () => new Promise(() => undefined));
    const chain = await pool.submitChain([
      { name: "a", prompt: "a" },
      { name: "b", prompt: "b" },
    ]);
    await runner.waitForTurn("a");
    const { steps } = await pool.chainProgress(chain.id);
    await pool.cancel(steps[0]?.taskId ?? "");
    expect((await chain.outcome()).state).toBe("cancelled");
  });

  test("through a signal cancels the chain and rejects the run", async () => {
    const { pool, runner } = await scriptedPool({}, () => new Promise(() => undefined));
    const controller = new AbortController();
    const run = pool.runChain([{ name: "a", prompt: "a" }], { signal: controller.signal });
    await runner.waitForTurn("a");
    controller.abort();
    await expect(run).rejects.toMatchObject({ code: "task_failed", details: { outcome: { state: "cancelled" } } });
  });

  test("shows the running step's text so far, of its present attempt only", async () => {
    const gate = held<string>();
    const { pool, runner } = await scriptedPool();
    runner.on(
      "talk",
      (_turn, _launch, playing) => {
        playing.emit({ type: "text", text: "wasted" });
        return failed("error");
      },
      (_turn, _launch, playing) => {
        playing.emit({ type: "text", text: "half of it" });
        return gate.promise;
      },
    );
    const chain = await pool.submitChain([{ name: "talk", prompt: "talk", retries: 1 }]);
    for await (const event of pool.events({ after: 0 })) {
      if (event.type === "task.output" && event.data.text === "half of it") break;
    }
    const progress = await pool.chainProgress(chain.id);
    gate.release("all of it");
    await chain.outcome();
    expect([
      progress.currentStep,
      progress.currentStepName,
      progress.currentStepPartialOutput,
      progress.steps[0]?.retriesUsed,
      progress.totalCostMicrodollars,
    ]).toEqual([0, "talk", "half of it", 1, 1_000]);
  });

  test("resumed after a failure runs only what did not complete, in a new chain", async () => {
    const { pool, runner } = await scriptedPool();
    runner.on("second", failed("error"), "second at last");
    const first = await pool.submitChain([
      { name: "a", prompt: "first" },
      { name: "b", prompt: "second {previous_output}" },
      { name: "c", prompt: "third {steps.a.output} {previous_output}" },
    ]);
    await first.outcome();
    const second = await pool.resumeChain(first.id);
    await second.outcome();
    const progress = await pool.chainProgress(second.id);
    expect({
      prompts: prompts(runner),
      from: progress.resumedFrom,
      states: states(progress),
      cost: progress.totalCostMicrodollars,
      before: (await pool.chainProgress(first.id)).status,
    }).toEqual({
      prompts: ["first", "second ok", "second ok", "third ok second at last"],
      from: first.id,
      states: ["a completed", "b completed", "c completed"],
      cost: 2_000,
      before: "failed",
    });
  });

  test("resumed from a step runs that and what follows of it again", async () => {
    const { pool, runner } = await scriptedPool();
    const first = await pool.submitChain([
      { name: "a", prompt: "1" },
      { name: "b", prompt: "2" },
      { name: "aside", prompt: "3", needs: ["a"] },
    ]);
    await first.outcome();
    const second = await pool.resumeChain(first.id, { from: "b" });
    await second.outcome();
    expect(prompts(runner).slice(3)).toEqual(["2"]);
  });

  test("gives the same chain for the same key, and refuses the key for another", async () => {
    const { pool } = await scriptedPool();
    const steps = [{ name: "a", prompt: "a" }];
    const first = await pool.submitChain(steps, { key: "k" });
    const again = await pool.submitChain(steps, { key: "k" });
    const other = pool.submitChain([{ name: "a", prompt: "b" }], { key: "k" });
    await expect(other).rejects.toMatchObject({ code: "key_conflict" });
    expect(again.id).toBe(first.id);
  });

  test("gives its steps its own priority, tags and directory, and each its own settings", async () => {
    const { pool, runner } = await scriptedPool({ cwd: "/tmp" });
    await pool.runChain([{ name: "a", prompt: "a", model: "opus", timeoutMs: 60_000 }], {
      priority: 7,
      tags: ["x"],
      cwd: "/",
    });
    const [task] = (await pool.list({ tags: ["x"], kind: "task" })).tasks;
    expect([task?.priority, task?.tags, task?.cwd, task?.timeoutMs, task?.step, runner.turns[0]?.spec.model]).toEqual([
      7,
      ["x"],
      "/",
      60_000,
      0,
      "opus",
    ]);
  });

  test("stops at its own budget: a step that cannot be paid for fails with it", async () => {
    const { pool } = await scriptedPool({}, () => completed("dear", { costMicrodollars: 60_000 }));
    const chain = await pool.submitChain(
      [
        { name: "a", prompt: "a" },
        { name: "b", prompt: "b" },
        { name: "c", prompt: "c" },
      ],
      { maxBudgetUsd: 0.1 },
    );
    const outcome = await chain.outcome();
    expect([outcome.state, outcome.result?.reason, states(await pool.chainProgress(chain.id))]).toEqual([
      "failed",
      "budget",
      ["a completed", "b completed", "c failed"],
    ]);
  });

  test.each([
    ["a pause before a retry", failed("error"), { reason: "retry", untilMs: expect.any(Number) as number }],
    ["a usage limit", limited(Date.now() + 3_600_000), { reason: "limit", untilMs: expect.any(Number) as number }],
  ])("shows of a step that waits for %s what it waits for", async (_what, outcome, hold) => {
    const { pool } = await scriptedPool({}, () => outcome);
    const { id } = await pool.submitChain([{ name: "a", prompt: "a", retries: 1, retryDelayMs: 60_000 }]);
    for await (const { type } of pool.events({ after: 0 })) {
      if (type === "task.retried" || type === "task.requeued") break;
    }
    const { steps } = await pool.chainProgress(id);
    expect(steps.map((step) => [step.state, step.hold])).toEqual([["running", hold]]);
  });

  test("is refused with a step that may cost more than the whole chain, before anything of it is paid", async () => {
    const { pool } = await scriptedPool();
    const steps = [
      { name: "a", prompt: "a" },
      { name: "b", prompt: "b", maxBudgetUsd: 2 },
    ];
    await expect(pool.submitChain(steps, { maxBudgetUsd: 1 })).rejects.toMatchObject({
      code: "invalid_options",
      message: "Step 2 (b): it may cost $2.0000, but the whole chain only $1.0000.",
    });
  });

  test("waits for a reviewer at a step that asks for it, without a slot, and goes on when it is approved", async () => {
    const { pool, runner } = await scriptedPool();
    const chain = await pool.submitChain([
      { name: "a", prompt: "a", review: true },
      { name: "b", prompt: "b" },
    ]);
    await eventOf(pool, "task.finished");
    const [waiting] = (await pool.listReviews()).tasks;
    const other = await pool.run("other work");
    const under = await pool.chainProgress(chain.id);
    const rejected = await pool.reject(waiting?.id ?? "", "more");
    await runner.waitForTurn("Rejection feedback");
    await pool.wait(waiting?.id ?? "");
    await pool.approve(waiting?.id ?? "");
    const outcome = await chain.outcome();
    expect([other.output, states(under), rejected.state, outcome.state]).toEqual([
      "ok",
      ["a pending_review", "b waiting"],
      "pending",
      "completed",
    ]);
  });

  test("that is refused says which step, and nothing of it is kept", async () => {
    const { pool } = await scriptedPool();
    const refused = [
      pool.submitChain([
        { name: "a", prompt: "a", needs: ["b"] },
        { name: "b", prompt: "b", needs: ["a"] },
      ]),
      pool.submitChain([{ name: "a", prompt: "{steps.b.output}" }]),
      pool.submitChain([{ name: "a", skill: "no-such-skill" }]),
      pool.submitChain([{ name: "a", prompt: "a", checks: [{ command: "make" }] }], { isolation: "none" }),
      pool.submitChain([]),
    ];
    const codes = (await Promise.allSettled(refused)).map((one) =>
      one.status === "rejected" ? (one.reason as { code: string }).code : "kept",
    );
    expect([codes.slice(0, 2), codes[3], codes[4], (await pool.list()).tasks]).toEqual([
      ["invalid_options", "invalid_options"],
      "invalid_options",
      "invalid_options",
      [],
    ]);
  });

  test("fans out: every chain has its place, whatever became of the others", async () => {
    const { pool, runner } = await scriptedPool({ slots: 3 });
    runner.on("break", failed("error"));
    const settled = await pool.fanOutChains([
      [{ name: "a", prompt: "fine" }],
      [{ name: "a", prompt: "break" }],
      [{ name: "a", prompt: "{steps.z.output}" }],
    ]);
    expect(settled.map((one) => [one.status, one.taskId !== undefined])).toEqual([
      ["fulfilled", true],
      ["rejected", true],
      ["rejected", false],
    ]);
  });

  test("is cancelled by a drain with what it had done, what its running step would have started included", async () => {
    const gate = held<string>();
    const { pool, runner } = await scriptedPool();
    runner.on("first", () => gate.promise);
    const chain = await pool.submitChain([
      { name: "a", prompt: "first" },
      { name: "b", prompt: "second" },
    ]);
    await runner.waitForTurn("first");
    const draining = pool.drain();
    await eventOf(pool, "pool.draining");
    gate.release("done");
    const { cancelledPending } = await draining;
    const { status, steps } = await pool.chainProgress(chain.id);
    expect([status, steps.map((step) => step.state), cancelledPending]).toEqual([
      "cancelled",
      ["completed", "cancelled"],
      [steps[1]?.taskId],
    ]);
  });

  test("waits out a drain that keeps what is pending, and goes on after it", async () => {
    const gate = held<string>();
    const { pool, runner } = await scriptedPool();
    runner.on("first", () => gate.promise);
    const chain = await pool.submitChain([
      { name: "a", prompt: "first" },
      { name: "b", prompt: "second" },
    ]);
    await runner.waitForTurn("first");
    const draining = pool.drain({ keepPending: true });
    await eventOf(pool, "pool.draining");
    gate.release("done");
    await draining;
    const { status, steps } = await pool.chainProgress(chain.id);
    const second = await pool.get(steps[1]?.taskId ?? "");
    expect([status, steps.map((step) => step.state), second.state]).toEqual([
      "running",
      ["completed", "running"],
      "pending",
    ]);
  });
});
