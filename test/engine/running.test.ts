import { describe, expect, test } from "vitest";
import { PoolError } from "../../src/core/errors.ts";
import { completed, failed, limited, lost } from "../../src/testing/outcomes.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { eventOf, held, scriptedPool } from "./scripted-pool.ts";

describe("a run", () => {
  test("gives its result, and leaves a completed task with one ledger row of the same cost", async () => {
    const { pool } = await scriptedPool({}, (turn) => completed(`did ${turn.prompt}`, { costMicrodollars: 4_200 }));
    const result = await pool.run("it", { tags: ["a"] });
    const { tasks } = await pool.list();
    const runs = await pool.runs(tasks[0]?.id ?? "");
    expect({
      output: result.output,
      states: tasks.map((task) => [task.state, task.prompt, task.tags]),
      runs: runs.map((run) => [run.outcome, run.costMicrodollars, run.attempt]),
      spent: (await pool.status()).totalSpendMicrodollars,
    }).toEqual({
      output: "did it",
      states: [["completed", "it", ["a"]]],
      runs: [["completed", 4_200, 1]],
      spent: 4_200,
    });
  });

  test("that fails throws one error that carries the whole outcome", async () => {
    const { pool } = await scriptedPool({}, () => failed("max_turns", { output: "half", error: "Too many turns." }));
    await expect(pool.run("it")).rejects.toMatchObject({
      code: "task_failed",
      details: { outcome: { state: "failed", result: { reason: "max_turns", output: "half" } } },
    });
  });

  test("is told the settings of task, slot and pool in one", async () => {
    const { pool, runner } = await scriptedPool({
      model: "haiku",
      permissionMode: "acceptEdits",
      allowedTools: ["Read"],
      slots: [{ effort: "high", allowedTools: ["Edit"], name: "Ada" }],
    });
    await pool.setContext("rule", "be brief");
    await pool.run("it", { model: "opus", allowedTools: ["Bash"] });
    expect(runner.turns.map((turn) => turn.spec)).toEqual([
      expect.objectContaining({
        prompt: "it",
        model: "opus",
        effort: "high",
        permissionMode: "acceptEdits",
        allowedTools: ["Read", "Edit", "Bash"],
        context: expect.stringMatching(/^You are Ada\.\n\n<pool-context>[^]*- rule: be brief\n/) as string,
      }),
    ]);
  });

  test("that takes too long is timed out, and its reason says so", async () => {
    const clock = manualClock();
    const { pool, runner } = await scriptedPool({ clock }, () => new Promise(() => undefined));
    const task = await pool.submit("it", { timeoutMs: 5_000 });
    await runner.waitForTurn("it");
    const outcome = task.outcome();
    clock.advance(5_000);
    expect(await outcome).toMatchObject({ state: "failed", result: { reason: "timed_out" } });
  });

  test("whose process dies is done again, going on in the conversation that its transcript holds", async () => {
    const { pool, runner } = await scriptedPool();
    runner.on("it", lost({ sessionId: "s1" }), "done");
    const task = await pool.submit("it");
    const outcome = await task.outcome();
    const runs = await pool.runs(task.id);
    expect({
      outcome,
      runs: runs.map((run) => run.outcome),
      prompts: runner.turns.map((turn) => turn.spec.prompt),
    }).toEqual({
      outcome: { taskId: task.id, state: "completed", result: expect.objectContaining({ output: "done" }) as unknown },
      runs: ["lost", "completed"],
      prompts: ["it", "it"],
    });
  });

  test("whose process dies every time is failed as lost after three", async () => {
    const { pool } = await scriptedPool({}, () => lost());
    const task = await pool.submit("it");
    const outcome = await task.outcome();
    expect([outcome.state, outcome.result?.reason, (await pool.runs(task.id)).length]).toEqual(["failed", "lost", 3]);
  });

  test("that meets the usage limit waits, visibly, until the reset it names, and is then done", async () => {
    const clock = manualClock();
    const { pool, runner } = await scriptedPool({ clock });
    const resetsAtMs = clock.now() + 60_000;
    runner.on("it", limited(resetsAtMs), "done");
    const task = await pool.submit("it");
    await eventOf(pool, "task.requeued", task.id);
    const waiting = await task.get();
    const outcome = task.outcome();
    clock.advance(61_000);
    expect([waiting.state, waiting.hold, (await outcome).state]).toEqual([
      "pending",
      { reason: "limit", untilMs: resetsAtMs },
      "completed",
    ]);
  });

  test("of a higher priority goes first, equals in the order of submission", async () => {
    const first = held<string>();
    const { pool, runner } = await scriptedPool();
    runner.on("first", () => first.promise);
    const blocker = await pool.submit("first");
    await runner.waitForTurn("first");
    const tasks = await pool.submitMany(["b", { prompt: "c", priority: 1 }, { prompt: "a", priority: 5 }, "d"]);
    first.release("ok");
    await pool.wait([blocker.id, ...tasks.map((task) => task.id)]);
    expect(runner.turns.map((turn) => turn.spec.prompt)).toEqual(["first", "a", "c", "b", "d"]);
  });

  test("says its text in the event log, in order and before its end", async () => {
    const { pool } = await scriptedPool({}, (_turn, _launch, { emit }) => {
      emit({ type: "text", text: "one " });
      emit({ type: "tool", tool: "Read", summary: "a.ts" });
      return "two";
    });
    const task = await pool.submit("it");
    const events = await Array.fromAsync(task.events(), (event) => [
      event.type,
      "text" in event.data ? event.data.text : "",
    ]);
    expect(events).toEqual([
      ["task.submitted", ""],
      ["task.started", ""],
      ["task.output", "one "],
      ["task.tool", ""],
      ["task.output", "two"],
      ["task.finished", ""],
    ]);
  });
});

describe("a warm slot", () => {
  test("uses one process for all tasks that can share it, cleared between them", async () => {
    const { pool, runner } = await scriptedPool();
    await pool.run("a");
    await pool.run("b", { model: "opus", effort: "low", permissionMode: "acceptEdits" });
    const [process, ...others] = runner.processes;
    expect([others.length, process?.turns.length, new Set(runner.turns.map((turn) => turn.sessionId)).size]).toEqual([
      0, 2, 2,
    ]);
  });

  test("opens another process for another launch spec, and closes the first", async () => {
    const { pool, runner } = await scriptedPool();
    await pool.run("a");
    await pool.run("b", { jsonSchema: { type: "object" } });
    expect(runner.processes.map((process) => [process.launch.jsonSchema, process.closed])).toEqual([
      [undefined, true],
      [{ type: "object" }, false],
    ]);
  });

  test("replaces a process that cannot be made clean", async () => {
    const { pool, runner } = await scriptedPool();
    runner.on("a", (_turn, _launch, { process }) => {
      process.canClear = false;
      return "ok";
    });
    await pool.run("a");
    await pool.run("b");
    expect(runner.processes.map((process) => [process.turns.map((turn) => turn.spec.prompt), process.closed])).toEqual([
      [["a"], true],
      [["b"], false],
    ]);
  });

  test("in ephemeral mode has no process between tasks", async () => {
    const { pool, runner } = await scriptedPool({ slotMode: "ephemeral" });
    await pool.run("a");
    await pool.run("b");
    expect(runner.processes.map((process) => process.turns.length)).toEqual([1, 1]);
  });

  test("goes on in its last conversation only when a task asks for it", async () => {
    const { pool, runner } = await scriptedPool();
    await pool.run("a");
    await pool.run("b", { conversation: "continue" });
    await pool.run("c");
    const [a, b, c] = runner.turns.map((turn) => turn.sessionId);
    expect([a === b, b === c]).toEqual([true, false]);
  });

  test("goes on in the conversation of a named task", async () => {
    const { pool, runner } = await scriptedPool({ slots: 1 });
    const first = await pool.submit("a");
    await first.outcome();
    await pool.run("b");
    await pool.run("c", { conversation: { taskId: first.id } });
    const [a, , c] = runner.turns.map((turn) => turn.sessionId);
    expect(c).toBe(a);
  });
});

describe("a Claude that does not open", () => {
  test("fails what somebody waits for, after the tries that the pool allows, and says why", async () => {
    const { pool, runner } = await scriptedPool({ maxRestarts: 2 });
    runner.failOpen(new PoolError("claude_broken", "It said: no."), 10);
    await expect(pool.run("it")).rejects.toMatchObject({
      details: { outcome: { state: "failed", result: { reason: "launch", error: "It said: no." } } },
    });
  });

  test("loses nothing that was submitted: it is done when Claude opens again", async () => {
    const { pool, runner } = await scriptedPool({ maxRestarts: 1 });
    runner.failOpen(new PoolError("claude_broken", "It said: no."), 1);
    const task = await pool.submit("it");
    expect((await task.outcome()).state).toBe("completed");
  });
});
