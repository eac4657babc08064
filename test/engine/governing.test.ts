/** The governor at work: hosts, the scripted runner and a clock in the test's hands. */
import { expect, describe, test } from "vitest";
import type { Processes } from "../../src/core/ports.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { completed, limited } from "../../src/testing/outcomes.ts";
import { manualClock, type ManualClock } from "../../src/testing/manual-clock.ts";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import type { Pool } from "../../src/pool.ts";
import { eventOf, held, scriptedPool } from "./scripted-pool.ts";

describe("a usage limit", () => {
  test("is learned by those that run, keeps the rest from starting, and ends with one probe and a ramp", async () => {
    const clock = manualClock();
    const resetsAtMs = clock.now() + 3_600_000;
    const gate = held<undefined>();
    const script: RunnerScript = async (turn) => {
      if (clock.now() >= resetsAtMs) return completed(turn.prompt);
      await gate.promise;
      return limited(resetsAtMs);
    };
    const { pool, runner } = await scriptedPool({ clock, slots: 3, maxOpening: 3 }, script);
    const tasks = await pool.submitMany(Array.from({ length: 8 }, (_, index) => `task ${String(index)}`));
    await runner.waitForTurn("task 2");
    gate.release(undefined);
    await requeued(pool, 3);
    const parked = { turns: runner.turns.length, status: await pool.status(), last: await tasks[7]?.get() };
    clock.advance(3_599_000);
    const before = runner.turns.length;
    await advanceUntilDone(clock, pool, 8);
    const runs = await Promise.all(tasks.map((task) => pool.runs(task.id)));
    expect({
      turns: parked.turns,
      heldBack: parked.status.heldBack,
      pending: parked.status.pendingTasks,
      hold: parked.last?.hold,
      before,
      outcomes: runs.map((attempts) => attempts.map((run) => run.outcome)),
    }).toEqual({
      turns: 3,
      heldBack: { reason: "limit", untilMs: resetsAtMs },
      pending: 8,
      hold: { reason: "limit", untilMs: resetsAtMs },
      before: 3,
      outcomes: [
        ...Array.from({ length: 3 }, () => ["limited", "completed"]),
        ...Array.from({ length: 5 }, () => ["completed"]),
      ],
    });
  });

  test("lets a probe's first answer open the pool, and not only its end", async () => {
    const clock = manualClock();
    const resetsAtMs = clock.now() + 1_000;
    const endless = held<string>();
    const { pool, runner } = await scriptedPool({ clock, slots: 2 }, (turn, _launch, playing) => {
      if (clock.now() < resetsAtMs) return limited(resetsAtMs);
      if (turn.prompt !== "first") return "ok";
      playing.emit({ type: "usage_limit", status: "allowed", utilization: 0.1 });
      return endless.promise.then((output) => completed(output));
    });
    const [first, second] = await pool.submitMany(["first", "second"]);
    await eventOf(pool, "task.requeued");
    await advanceUntilDone(clock, pool, 1);
    const states = [(await first?.get())?.state, (await second?.get())?.state];
    endless.release("at last");
    await first?.outcome();
    expect({ states, turns: runner.turns.length >= 3 }).toEqual({ states: ["running", "completed"], turns: true });
  });

  test("goes on in the conversation that holds the prompt", async () => {
    const clock = manualClock();
    const resetsAtMs = clock.now() + 1_000;
    const { pool, runner } = await scriptedPool(
      { clock },
      () => (clock.now() < resetsAtMs ? limited(resetsAtMs) : "ok"),
      { remains: () => ({ sessionId: "conversation-1" }) },
    );
    const task = await pool.submit("long work");
    await eventOf(pool, "task.requeued");
    await advanceUntilDone(clock, pool, 1);
    const outcome = await task.outcome();
    const last = runner.processes.at(-1);
    expect([outcome.state, last?.resumed, last?.turns[0]?.spec.prompt]).toEqual([
      "completed",
      "conversation-1",
      expect.stringContaining("cut off by a crash or a usage limit"),
    ]);
  });

  test("is named when a task has waited too long behind it", async () => {
    const clock = manualClock();
    const { pool } = await scriptedPool({ clock }, () => limited(clock.now() + 3_600_000));
    const task = await pool.submit("it", { queueTimeoutMs: 1_000 });
    await eventOf(pool, "task.requeued");
    clock.advance(1_000);
    const { result } = await task.outcome();
    expect([result?.reason, result?.error]).toEqual([
      "no_slot_available",
      "No slot took the task within 1000 ms: the whole queue is held back (limit). `claude-pool governor` says until when.",
    ]);
  });

  test("is over at once when somebody says so", async () => {
    const clock = manualClock();
    let isLimited = true;
    const { pool } = await scriptedPool({ clock }, () => (isLimited ? limited(clock.now() + 3_600_000) : "ok"));
    const task = await pool.submit("it");
    await eventOf(pool, "task.requeued");
    isLimited = false;
    await pool.governor.release();
    expect([(await task.outcome()).state, await pool.governor.show()]).toEqual(["completed", {}]);
  });
});

describe("an API with too much to do", () => {
  test("gets fewer runs at once, and one more with each quiet step", async () => {
    const clock = manualClock();
    const gates = new Map<string, () => void>();
    const { pool, runner } = await scriptedPool({ clock, slots: 4, maxOpening: 4 }, (turn, _launch, playing) => {
      if (turn.prompt === "0") playing.emit({ type: "api_retry", attempt: 1, status: 529 });
      return new Promise((resolve) => gates.set(turn.prompt, () => resolve("ok")));
    });
    await pool.submitMany(Array.from({ length: 10 }, (_, index) => String(index)));
    await runner.waitForTurn("3");
    await eventOf(pool, "governor.changed");
    const finished = finishedCount(pool, 3);
    for (const prompt of ["0", "1", "2"]) gates.get(prompt)?.();
    await finished;
    const lowered = await pool.status();
    clock.advance(5_000);
    await runner.waitForTurn("5");
    const raised = await pool.status();
    expect({ lowered: [lowered.runningTasks, lowered.heldBack?.reason], raised: raised.runningTasks }).toEqual({
      lowered: [2, "overload"],
      raised: 3,
    });
  });
});

describe("the share of the window that is kept back", () => {
  test("slows the pool to a run a minute", async () => {
    const clock = manualClock();
    const windowMs = clock.now() + 3_600_000;
    const { pool, runner } = await scriptedPool({ clock, limitReserve: 0.2 }, (_turn, _launch, playing) => {
      playing.emit({ type: "usage_limit", status: "allowed_warning", utilization: 0.8, resetsAtMs: windowMs });
      return "ok";
    });
    await pool.submit("0");
    await eventOf(pool, "governor.changed");
    const finished = finishedCount(pool, 3);
    await pool.submitMany(["1", "2"]);
    await runner.waitForTurn("1");
    const waiting = (await pool.list({ state: "pending" })).tasks.map((task) => task.hold?.reason);
    clock.advance(60_000);
    await finished;
    expect([waiting, runner.turns.length]).toEqual([["reserve"], 3]);
  });
});

describe("opening processes", () => {
  test("happens a few at a time, while the tasks that no slot can begin stay in the queue", async () => {
    const gates: (() => void)[] = [];
    let [opening, most] = [0, 0];
    const { pool, runner } = await scriptedPool({ slots: 5, maxOpening: 2, store: ":memory:" });
    const open = runner.open.bind(runner);
    runner.open = async (...args) => {
      opening += 1;
      most = Math.max(most, opening);
      await new Promise<void>((resolve) => gates.push(resolve));
      opening -= 1;
      return open(...args);
    };
    const tasks = await pool.submitMany(["a", "b", "c", "d", "e"]);
    const running = (await pool.status()).runningTasks;
    const done = pool.wait(tasks.map((task) => task.id));
    const pump = (async () => {
      while ((await pool.status()).completedTasks < 5) {
        gates.shift()?.();
        await turnOfTheLoop();
      }
    })();
    await Promise.all([done, pump]);
    expect({ running, most, completed: (await pool.status()).completedTasks }).toEqual({
      running: 2,
      most: 2,
      completed: 5,
    });
  });

  test("waits for memory, which is said of the task, while a slot with an open process works on", async () => {
    const clock = manualClock();
    const real = systemProcesses();
    let free = 1_000_000_000;
    const processes: Processes = { ...real, freeMemoryBytes: () => free };
    const { pool, runner } = await scriptedPool({
      clock,
      processes,
      slots: 2,
      maxOpening: 1,
      minFreeMemoryBytes: 500_000_000,
    });
    await pool.run("warm up");
    const gate = held<string>();
    runner.on("long", () => gate.promise);
    free = 100_000_000;
    clock.advance(1_000);
    await eventOf(pool, "governor.changed");
    const long = await pool.submit("long");
    await runner.waitForTurn("long");
    const waits = await pool.submit("waits");
    const record = await waits.get();
    const { heldBack } = await pool.status();
    gate.release("done");
    await long.outcome();
    const done = (await waits.outcome()).state;
    free = 1_000_000_000;
    clock.advance(1_000);
    for await (const event of pool.events({ after: 0 })) {
      if (event.type === "governor.changed" && event.data.reason === undefined) break;
    }
    expect({
      hold: [record.state, record.hold],
      heldBack,
      done,
      processes: runner.processes.length,
      after: (await pool.status()).heldBack,
    }).toEqual({
      hold: ["pending", { reason: "memory" }],
      heldBack: { reason: "memory" },
      done: "completed",
      processes: 1,
      after: undefined,
    });
  });
});

test("the median of a pool's times lies between the shortest and the longest", async () => {
  const { pool } = await scriptedPool({}, () => completed("ok", { elapsedMs: 87 }));
  await pool.run("it");
  const { minElapsedMs, medianElapsedMs, maxElapsedMs } = await pool.sessionMetrics();
  expect([minElapsedMs, medianElapsedMs, maxElapsedMs]).toEqual([87, 87, 87]);
});

describe("a budget of a tag", () => {
  test("fails what a caller waits for and no run can make affordable", async () => {
    const { pool } = await scriptedPool({ slots: 1 }, () => completed("ok", { costMicrodollars: 60_000 }));
    await pool.budget.setScope({ tag: "nightly" }, 0.1);
    const settled = await pool.fanOut(["a", "b", "c", "d"], { tags: ["nightly"] });
    const [scope] = await pool.budget.scopes();
    expect({
      ends: settled.map((one) => (one.status === "fulfilled" ? "completed" : one.outcome?.result?.reason)),
      spent: [scope?.scope, scope?.spentMicrodollars, scope?.reservedMicrodollars],
    }).toEqual({ ends: ["completed", "completed", "budget", "budget"], spent: ["tag:nightly", 120_000, 0] });
  });

  test("stops a run that has used all that is left of it", async () => {
    const { pool } = await scriptedPool({}, (_turn, _launch, playing) => {
      playing.emit({ type: "cost", costMicrodollars: 100_000 });
      return new Promise(() => undefined);
    });
    await pool.budget.setScope({ day: true }, 0.1);
    const outcome = await (await pool.submit("dear")).outcome();
    expect([outcome.state, outcome.result?.reason]).toEqual(["failed", "budget"]);
  });

  test.each([
    [{ tga: "x" }, 'unknown field "tga". Did you mean "tag"?'],
    [{}, "expected either `tag` or `day`"],
    [{ tag: "" }, "tag: expected a tag"],
  ])("is refused for %o", async (scope, words) => {
    const { pool } = await scriptedPool();
    const refused = pool.budget.setScope(scope as { tag: string }, 1);
    await expect(refused).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining(words) as string,
    });
  });
});

describe("an estimate", () => {
  test("is of all the tasks together, bounded by their caps, with the time that so many slots take", async () => {
    const clock = manualClock();
    const { pool } = await scriptedPool({ clock }, () => {
      clock.advance(4_000);
      return completed("ok", { costMicrodollars: 50_000 });
    });
    const unknown = await pool.estimate("x");
    for (let index = 0; index < 5; index += 1) await pool.run("x", { tags: ["t"] });
    const estimate = await pool.estimate(["a", { prompt: "b", maxBudgetUsd: 0.02 }, "c", "d"], {
      tags: ["t"],
      slots: 2,
    });
    expect([unknown, estimate, (await pool.status()).pendingTasks]).toEqual([
      { tasks: 1, known: false, runs: 0 },
      {
        tasks: 4,
        known: true,
        runs: 5,
        basis: "tag",
        costMicrodollars: { low: 170_000, typical: 170_000, high: 170_000 },
        elapsedMs: { low: 8_000, typical: 8_000, high: 8_000 },
      },
      0,
    ]);
  });
});

/** Resolves when so many requeues are in the log. */
async function requeued(pool: Pool, count: number): Promise<void> {
  let seen = 0;
  for await (const event of pool.events({ after: 0 })) {
    if (event.type === "task.requeued" && ++seen === count) return;
  }
}

/** Resolves when so many more tasks have ended. */
async function finishedCount(pool: Pool, count: number): Promise<void> {
  let seen = 0;
  for await (const event of pool.events({ after: 0 })) {
    if (event.type === "task.finished" && ++seen === count) return;
  }
}

/** Lets time pass second by second, and the host do what it then does, until so many tasks are completed. */
async function advanceUntilDone(clock: ManualClock, pool: Pool, count: number): Promise<void> {
  for (let second = 0; second < 600; second += 1) {
    if ((await pool.status()).completedTasks >= count) return;
    clock.advance(1_000);
    for (let turn = 0; turn < 20; turn += 1) await turnOfTheLoop();
  }
  throw new Error("The tasks are not completed after ten minutes.");
}

/** What is under way goes on by as much as it can at once. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
