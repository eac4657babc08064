import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { PoolError } from "../../src/core/errors.ts";
import type { Processes } from "../../src/core/ports.ts";
import { openPool } from "../../src/open-pool.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { completed } from "../../src/testing/outcomes.ts";
import { scriptedRunner } from "../../src/testing/scripted-runner.ts";
import { eventOf, held, scriptedPool } from "./scripted-pool.ts";

function storeFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "claude-pool-test-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, "pool.db");
}

describe("cancel", () => {
  test("of a pending task takes it out of the queue for good", async () => {
    const { pool, runner } = await scriptedPool({ slots: 1 }, () => new Promise(() => undefined));
    await pool.submit("first");
    await runner.waitForTurn("first");
    const task = await pool.submit("second");
    const record = await pool.cancel(task.id);
    expect([record.state, runner.turns.length]).toEqual(["cancelled", 1]);
  });

  test("of a running task resolves only when its turn has ended, and keeps what it cost", async () => {
    const { pool, runner } = await scriptedPool({}, () => new Promise(() => undefined));
    const task = await pool.submit("it");
    const turn = await runner.waitForTurn("it");
    const record = await pool.cancel(task.id);
    expect([turn.signal.reason, record.state, record.result?.reason, record.result?.costMicrodollars]).toEqual([
      "cancel",
      "cancelled",
      "cancelled",
      1_000,
    ]);
  });

  test("of a finished task changes nothing", async () => {
    const { pool } = await scriptedPool();
    const task = await pool.submit("it");
    await task.outcome();
    expect((await pool.cancel(task.id)).state).toBe("completed");
  });

  test("through a signal cancels the task and rejects the run", async () => {
    const { pool, runner } = await scriptedPool({}, () => new Promise(() => undefined));
    const controller = new AbortController();
    const run = pool.run("it", { signal: controller.signal });
    await runner.waitForTurn("it");
    controller.abort();
    await expect(run).rejects.toMatchObject({ details: { outcome: { state: "cancelled" } } });
  });

  test("of an unknown task is an error that names it", async () => {
    const { pool } = await scriptedPool();
    await expect(pool.cancel("task-0000000000zz")).rejects.toMatchObject({ code: "task_not_found" });
  });
});

describe("fan-out", () => {
  test("gives every settled result in the order of the inputs, whatever ended first", async () => {
    const gate = held<string>();
    const { pool, runner } = await scriptedPool({ slots: 3 });
    runner
      .on("slow", () => gate.promise)
      .on("bad", () => {
        gate.release("slow one");
        throw new Error("broken");
      });
    const settled = await pool.fanOut(["slow", { prompt: "bad", tags: ["x"] }, "fine"]);
    expect(settled.map((one) => (one.status === "fulfilled" ? one.result.output : one.error.message))).toEqual([
      "slow one",
      expect.stringContaining("broken"),
      "ok",
    ]);
  });

  test("runs no more at once than its concurrency, though there are more slots", async () => {
    let now = 0;
    let most = 0;
    const { pool } = await scriptedPool({ slots: 4 }, async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise(setImmediate);
      now -= 1;
      return "ok";
    });
    const settled = await pool.fanOut(["a", "b", "c", "d", "e"], { concurrency: 2 });
    expect([settled.length, most]).toEqual([5, 2]);
  });

  test("of nothing is nothing", async () => {
    const { pool } = await scriptedPool();
    expect(await pool.fanOut([])).toEqual([]);
  });

  test("that is aborted cancels what runs and does not begin the rest", async () => {
    const { pool, runner } = await scriptedPool({ slots: 1 }, () => new Promise(() => undefined));
    const controller = new AbortController();
    const all = pool.fanOut(["a", "b", "c"], { signal: controller.signal, concurrency: 1 });
    await runner.waitForTurn("a");
    controller.abort();
    expect([(await all).map((one) => one.status), runner.turns.length]).toEqual([
      ["rejected", "rejected", "rejected"],
      1,
    ]);
  });
});

describe("money", () => {
  test("admits nothing at the cap, and names both figures", async () => {
    const { pool } = await scriptedPool({ budgetUsd: 0.002 }, () => completed("x", { costMicrodollars: 2_500 }));
    await pool.run("it");
    await expect(pool.submit("more")).rejects.toMatchObject({
      code: "budget_exhausted",
      details: { spentMicrodollars: 2_500, limitMicrodollars: 2_000 },
    });
  });

  test("stops a run that reaches what is left of the pool's cap", async () => {
    const { pool } = await scriptedPool({ budgetUsd: 0.5 }, (_turn, _launch, { emit, signal }) => {
      const wait = new Promise<string>((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(new Error("stopped"));
        });
      });
      const spend = async (): Promise<void> => {
        for (let cost = 50_000; !signal.aborted; cost += 50_000) {
          emit({ type: "cost", costMicrodollars: cost });
          await new Promise(setImmediate);
        }
      };
      void spend();
      return wait;
    });
    await expect(pool.run("it")).rejects.toMatchObject({
      details: { outcome: { state: "failed", result: { reason: "budget", budgetExceeded: true } } },
    });
  });

  test("stops a run that began without a cap when one is set under way", async () => {
    const { pool, runner } = await scriptedPool({}, async (_turn, _launch, { emit, signal }) => {
      for (let cost = 50_000; !signal.aborted; cost += 50_000) {
        emit({ type: "cost", costMicrodollars: cost });
        await new Promise(setImmediate);
      }
      return new Promise(() => undefined);
    });
    const task = await pool.submit("it");
    await runner.waitForTurn("it");
    await pool.budget.set({ usd: 0.5 });
    const outcome = await task.outcome();
    expect([outcome.state, outcome.result?.reason]).toEqual(["failed", "budget"]);
  });

  test("goes on renewing as it did when the pool is opened with the same cap alone", async () => {
    const store = storeFile();
    const first = await scriptedPool({ store, slots: 0, budgetUsd: 3, budgetRenews: "day" });
    const second = await scriptedPool({ store, slots: 0, budgetUsd: 3 });
    expect([(await first.pool.budget.show()).renews, (await second.pool.budget.show()).renews]).toEqual(["day", "day"]);
  });

  test("fails what an attached fan-out cannot afford any more, instead of waiting for ever", async () => {
    const { pool } = await scriptedPool({ budgetUsd: 0.01, slots: 1, kind: "attached" }, () =>
      completed("x", { costMicrodollars: 6_000 }),
    );
    const settled = await pool.fanOut(["a", "b", "c", "d"]);
    expect(settled.map((one) => (one.status === "fulfilled" ? "done" : one.outcome?.result?.reason))).toEqual([
      "done",
      "done",
      "budget",
      "budget",
    ]);
  });
});

describe("waiting", () => {
  test("for any ends with the first; for all with a time limit says what is left", async () => {
    const { pool, runner } = await scriptedPool({ slots: 2 });
    runner.on("never", () => new Promise(() => undefined));
    const [quick, never] = await pool.submitMany(["quick", "never"]);
    const ids = [quick?.id ?? "", never?.id ?? ""];
    const any = await pool.wait(ids, { mode: "any" });
    const all = await pool.wait(ids, { timeoutMs: 1 });
    expect([any.done.map((one) => one.taskId), any.timedOut, all.pending, all.timedOut]).toEqual([
      [ids[0]],
      false,
      [ids[1]],
      true,
    ]);
  });
});

describe("drain", () => {
  test("cancels what is pending, lets what runs end, refuses more, and says what it did", async () => {
    const gate = held<string>();
    const { pool, runner } = await scriptedPool({ slots: 1 });
    runner.on("runs", () => gate.promise);
    const [runs, waits] = await pool.submitMany(["runs", "waits"]);
    await runner.waitForTurn("runs");
    const draining = pool.drain({ graceMs: 60_000 });
    await eventOf(pool, "pool.draining");
    const refused = await pool.submit("more").catch((error: unknown) => (error as { code: string }).code);
    gate.release("done");
    expect([await draining, refused, (await pool.get(runs?.id ?? "")).state]).toEqual([
      { totalCostMicrodollars: 1_000, totalTasksCompleted: 1, cancelledPending: [waits?.id], cancelledRunning: [] },
      "pool_shutdown",
      "completed",
    ]);
  });

  test("keeps what is pending if asked to, also what went back to the queue meanwhile", async () => {
    const { pool, runner } = await scriptedPool({ slots: 1 }, () => new Promise(() => undefined));
    const tasks = await pool.submitMany(["runs", "waits"]);
    const turn = await runner.waitForTurn("runs");
    const draining = pool.drain({ graceMs: 100, keepPending: true });
    await eventOf(pool, "pool.draining");
    turn.process.lose();
    const { cancelledPending, cancelledRunning } = await draining;
    expect({
      cancelledPending,
      cancelledRunning,
      states: await Promise.all(tasks.map(async (task) => (await task.get()).state)),
    }).toEqual({ cancelledPending: [], cancelledRunning: [], states: ["pending", "pending"] });
  });

  test("stops what still runs when the grace is over", async () => {
    const { pool, runner } = await scriptedPool({ slots: 1 }, () => new Promise(() => undefined));
    const task = await pool.submit("it");
    await runner.waitForTurn("it");
    const summary = await pool.drain({ graceMs: 1 });
    expect([summary.cancelledRunning, (await task.get()).state]).toEqual([[task.id], "cancelled"]);
  });
});

describe("closing and opening", () => {
  test("puts what runs back into the queue, and the next opening does it", async () => {
    const store = storeFile();
    const first = await scriptedPool({ store }, () => new Promise(() => undefined));
    const task = await first.pool.submit("it");
    await first.runner.waitForTurn("it");
    await first.pool.close();
    const second = await scriptedPool({ store });
    const outcome = await second.pool.task(task.id).outcome();
    expect([outcome.state, (await second.pool.runs(task.id)).map((run) => run.outcome)]).toEqual([
      "completed",
      ["lost", "completed"],
    ]);
  });

  test("ends what somebody waits for in this process with an error, and the task lives on", async () => {
    const { pool, runner } = await scriptedPool({}, () => new Promise(() => undefined));
    const ended = Promise.allSettled([
      pool.run("a"),
      pool.runChain([{ name: "b", prompt: "b" }]),
      pool.submit("c").then((task) => task.outcome()),
    ]);
    await runner.waitForTurn("a");
    await eventOf(pool, "chain.submitted");
    await pool.close();
    expect((await ended).map((one) => (one.status === "rejected" ? (one.reason as PoolError).code : one))).toEqual([
      "pool_closed",
      "pool_closed",
      "pool_closed",
    ]);
  });

  test("works for two at once in one process, on a store that neither has made yet", async () => {
    const store = storeFile();
    const [first, second] = await Promise.all([scriptedPool({ store }), scriptedPool({ store })]);
    const results = await Promise.all([first.pool.run("a"), second.pool.run("b")]);
    expect([results.map((result) => result.output), (await first.pool.status()).completedTasks]).toEqual([
      ["ok", "ok"],
      2,
    ]);
  });

  test("gives what runs the grace that was asked for", async () => {
    const store = storeFile();
    const gate = held<string>();
    const { pool, runner } = await scriptedPool({ store }, () => gate.promise);
    const task = await pool.submit("it");
    await runner.waitForTurn("it");
    const closing = pool.close({ graceMs: 60_000 });
    gate.release("done");
    await closing;
    const later = await scriptedPool({ store, slots: 0 });
    expect((await later.pool.get(task.id)).state).toBe("completed");
  });

  test("takes over from a dead host: its processes are ended first, its runs are lost, its tasks are done", async () => {
    const store = storeFile();
    const real = systemProcesses();
    const dead: Processes = { ...real, self: { pid: 4_000_000, startTime: "1" } };
    const first = await scriptedPool({ store, processes: dead }, () => new Promise(() => undefined));
    const task = await first.pool.submit("it");
    await first.runner.waitForTurn("it");
    const runner = scriptedRunner(() => "done", { remains: () => ({ sessionId: "s1", costMicrodollars: 700 }) });
    const pool = await openPool({ store, runner });
    onTestFinished(() => pool.close());
    const outcome = await pool.task(task.id).outcome();
    const runs = await pool.runs(task.id);
    expect({
      outcome: [outcome.state, outcome.result?.output],
      runs: runs.map((run) => [run.outcome, run.costMicrodollars]),
      ended: runner.orphansEnded,
      prompt: runner.turns.map((turn) => [turn.process.resumed, turn.spec.prompt.includes("cut off")]),
    }).toEqual({
      outcome: ["completed", "done"],
      runs: [
        ["lost", 700],
        ["completed", 1_000],
      ],
      ended: [first.runner.processes[0]?.identity],
      prompt: [["s1", true]],
    });
  });

  test("a host that was taken for dead commits nothing, and its late end changes nothing", async () => {
    const store = storeFile();
    const real = systemProcesses();
    const dead: Processes = { ...real, self: { pid: 4_000_000, startTime: "1" } };
    const late = held<string>();
    const first = await scriptedPool({ store, processes: dead }, () => late.promise);
    const task = await first.pool.submit("it");
    await first.runner.waitForTurn("it");
    const second = await scriptedPool({ store }, () => "second");
    await second.pool.task(task.id).outcome();
    late.release("first, too late");
    await first.pool.close();
    const record = await second.pool.get(task.id);
    expect([record.state, record.result?.output, (await second.pool.runs(task.id)).length]).toEqual([
      "completed",
      "second",
      2,
    ]);
  });
});

describe("a host that was taken for dead while it lived", () => {
  test("ends what it ran, registers anew, and goes on taking work", async () => {
    const store = storeFile();
    const clock = manualClock();
    const first = await scriptedPool({ store, clock, kind: "serve" }, (turn) =>
      turn.prompt === "slow" ? new Promise(() => undefined) : "by the first",
    );
    const slow = await first.pool.submit("slow");
    const turn = await first.runner.waitForTurn("slow");
    const real = systemProcesses();
    const others: Processes = { ...real, isAlive: () => false };
    const second = await scriptedPool({ store, processes: others }, () => "by the second");
    await second.pool.task(slow.id).outcome();
    await second.pool.close();
    const ended = new Promise((resolve) => {
      turn.signal.addEventListener("abort", resolve);
    });
    clock.advance(30_000);
    await ended;
    const later = await first.pool.submit("later");
    expect([(await later.outcome()).result?.output, (await first.pool.get(slow.id)).result?.output]).toEqual([
      "by the first",
      "by the second",
    ]);
  });
});

describe("scaling", () => {
  test("adds slots that take work, and takes idle ones away", async () => {
    const { pool, runner } = await scriptedPool({ slots: 1 }, () => new Promise(() => undefined));
    const up = await pool.scaleUp(1);
    await pool.submitMany(["a", "b"]);
    await Promise.all([runner.waitForTurn("a"), runner.waitForTurn("b")]);
    expect([up, (await pool.findSlots({ state: "busy" })).map((slot) => slot.id)]).toEqual([2, ["slot-1", "slot-2"]]);
  });

  test("asked for several times at once adds it all up, and what would pass the bounds is refused", async () => {
    const { pool } = await scriptedPool({ slots: 1, scaling: { minSlots: 1, maxSlots: 3 } });
    const answers = await Promise.allSettled([pool.scaleUp(1), pool.scaleUp(1), pool.scaleUp(1)]);
    const [host] = await pool.hosts();
    expect([answers.map((answer) => answer.status).sort(), host?.targetSlots]).toEqual([
      ["fulfilled", "fulfilled", "rejected"],
      3,
    ]);
  });

  test("past the bounds is refused with both", async () => {
    const { pool } = await scriptedPool({ scaling: { minSlots: 1, maxSlots: 2 } });
    await expect(pool.setTargetSlots(3)).rejects.toMatchObject({
      code: "scaling_out_of_bounds",
      details: { wanted: 3, minSlots: 1, maxSlots: 2 },
    });
  });

  test("down lets a busy slot finish its task, then stops it", async () => {
    const gate = held<string>();
    const { pool, runner } = await scriptedPool({ slots: 2 });
    runner.on("busy", () => gate.promise);
    const task = await pool.submit("busy");
    await runner.waitForTurn("busy");
    await pool.setTargetSlots(1);
    await eventOf(pool, "slot.stopped");
    gate.release("done");
    expect([(await task.outcome()).state, (await pool.findSlots()).length]).toEqual(["completed", 1]);
  });

  test("a slot that is configured twice at once has both", async () => {
    const { pool } = await scriptedPool({ slots: [{ role: "writer" }] });
    await Promise.all([pool.configureSlot("slot-1", { model: "opus" }), pool.configureSlot("slot-1", { name: "ann" })]);
    expect((await pool.findSlots()).map((slot) => slot.config)).toEqual([
      { role: "writer", model: "opus", name: "ann" },
    ]);
  });

  test("a configured slot has its new settings from its next task on", async () => {
    const { pool, runner } = await scriptedPool();
    await pool.run("a");
    await pool.configureSlot("slot-1", { model: "opus", role: "reviewer" });
    await eventOf(pool, "slot.configured");
    await pool.run("b");
    expect(runner.turns.map((turn) => turn.spec.model)).toEqual([undefined, "opus"]);
  });
});
