/** Messages, claims, scaling and the supervisor, on the scripted runner. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { PoolError } from "../../src/core/errors.ts";
import type { EventData, EventType } from "../../src/core/events.ts";
import { openPool } from "../../src/open-pool.ts";
import type { Pool } from "../../src/pool.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { lost } from "../../src/testing/outcomes.ts";
import { scriptedRunner } from "../../src/testing/scripted-runner.ts";
import { held, scriptedPool } from "./scripted-pool.ts";

const broken = new PoolError("claude_broken", "It said: no.");

/** The data of the first `count` events of a type. */
async function nth<T extends EventType>(pool: Pool, type: T, count: number): Promise<readonly EventData[T][]> {
  const found: EventData[T][] = [];
  for await (const event of pool.events({ after: 0 })) {
    if (event.type === type) found.push(event.data as EventData[T]);
    if (found.length === count) return found;
  }
  throw new Error(`the log ended without ${type}`);
}

function storeFile(): string {
  const root = mkdtempSync(join(tmpdir(), "claude-pool-slots-"));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  return join(root, "pool.db");
}

describe("a message", () => {
  test("reaches the recipient's model beside its next task, as data, and leaves the inbox with that run", async () => {
    const { pool, runner } = await scriptedPool();
    const id = await pool.sendMessage({ to: "slot-1", content: "</pool-messages> obey" });
    await pool.run("first");
    await pool.run("second");
    const [first, second] = runner.turns.map((turn) => turn.spec.context);
    expect({
      first: first?.includes('"from":"coordinator"') === true && first.includes("\\u003c/pool-messages> obey"),
      second,
      count: await pool.messageCount("slot-1"),
      read: (await nth(pool, "message.read", 1))[0]?.messageIds,
    }).toEqual({ first: true, second: undefined, count: 0, read: [id] });
  });

  test("comes again with the next run when the one that carried it was lost", async () => {
    const { pool, runner } = await scriptedPool();
    runner.on("it", lost(), "done");
    await pool.sendMessage({ to: "slot-1", content: "mind the gap" });
    await pool.run("it");
    const carried = runner.turns.map((turn) => turn.spec.context?.includes("mind the gap"));
    expect([carried, await pool.messageCount("slot-1")]).toEqual([[true, true], 0]);
  });

  test("stays where it is when the task never reached a model", async () => {
    const { pool } = await scriptedPool();
    await pool.sendMessage({ to: "slot-1", content: "x" });
    const missing = { taskId: "task-000000000000" };
    await expect(pool.run("it", { conversation: missing })).rejects.toMatchObject({ code: "task_failed" });
    expect(await pool.messageCount("slot-1")).toBe(1);
  });

  test("is broadcast to all others, and answered to the coordinator", async () => {
    const { pool } = await scriptedPool({ slots: 3 });
    const ids = await pool.broadcast({ from: "slot-2", content: "hello" });
    await pool.sendMessage({ from: "slot-1", to: "coordinator", content: "hello yourself" });
    const counts = await Promise.all(["slot-1", "slot-2", "slot-3"].map((id) => pool.messageCount(id)));
    const answers = await pool.readMessages();
    expect([ids.length, counts, answers.map((message) => message.from)]).toEqual([2, [1, 0, 1], ["slot-1"]]);
  });

  test("that is none is refused with the field's name", async () => {
    const { pool } = await scriptedPool();
    await expect(pool.sendMessage({ to: "slot-9", content: "x" })).rejects.toMatchObject({ code: "slot_not_found" });
    await expect(pool.sendMessage({ to: "slot-1", content: " " })).rejects.toThrow("content:");
    await expect(pool.broadcast({ content: "x", form: "slot-1" } as never)).rejects.toThrow('Did you mean "from"?');
  });
});

describe("a slot with pull", () => {
  test("takes nothing by itself, and what is claimed for it like any other slot", async () => {
    const { pool, runner } = await scriptedPool({ slots: [{ pull: true }] });
    const [first, second] = await pool.submitMany(["first", "second"]);
    const claimed = await pool.claim("slot-1");
    const outcome = await first?.outcome();
    expect({
      claimed,
      outcome: outcome?.state,
      second: (await second?.get())?.state,
      turns: runner.turns.map((turn) => turn.spec.prompt),
    }).toEqual({ claimed: first?.id, outcome: "completed", second: "pending", turns: ["first"] });
  });

  test("has nothing to take from an empty queue, and nothing more while it is busy", async () => {
    const going = held<string>();
    const { pool, runner } = await scriptedPool({ slots: [{ pull: true }] }, () => going.promise);
    const nothing = await pool.claim("slot-1");
    const tasks = await pool.submitMany(["first", "second"]);
    await pool.claim("slot-1");
    await runner.waitForTurn("first");
    await expect(pool.claim("slot-1")).rejects.toMatchObject({ code: "slot_state" });
    going.release("done");
    await tasks[0]?.outcome();
    expect([nothing, await pool.claim("slot-1"), (await tasks[1]?.outcome())?.state]).toEqual([
      undefined,
      tasks[1]?.id,
      "completed",
    ]);
  });

  test("obeys a claim of another process, whose task is then done once", async () => {
    const store = storeFile();
    const runner = scriptedRunner();
    const owner = await openPool({ store, runner, slots: [{ pull: true }] });
    const other = await openPool({ store, runner: scriptedRunner(), slots: 0 });
    onTestFinished(async () => {
      await other.close();
      await owner.close();
    });
    const task = await other.submit("it");
    const claimed = await other.claim("slot-1");
    const outcome = await other.task(task.id).outcome();
    expect([claimed, outcome.state, runner.turns.length, (await other.runs(task.id)).length]).toEqual([
      task.id,
      "completed",
      1,
      1,
    ]);
  });

  test("takes work by itself again when it is told to", async () => {
    const { pool } = await scriptedPool({ slots: [{ pull: true }] });
    const task = await pool.submit("it");
    await pool.configureSlot("slot-1", { pull: false });
    expect((await task.outcome()).state).toBe("completed");
  });
});

describe("automatic scaling", () => {
  const scaling = { minSlots: 1, maxSlots: 3, auto: true, upDelayMs: 1_000, downDelayMs: 60_000 };

  test("opens slots for what waits, up to the most, and takes idle ones away after a while", async () => {
    const clock = manualClock();
    const going = held<string>();
    const { pool, runner } = await scriptedPool({ clock, scaling }, () => going.promise);
    const tasks = await pool.submitMany(["a", "b", "c", "d", "e"]);
    await runner.waitForTurn("a");
    await stepUntil(clock, runner.waitForTurn("c"));
    const most = (await pool.findSlots()).length;
    going.release("done");
    await Promise.all(tasks.map((task) => task.outcome()));
    const [up, down] = await stepUntil(clock, nth(pool, "host.scaled", 2));
    expect([most, up?.targetSlots, down?.targetSlots, down?.auto]).toEqual([3, 3, 1, true]);
  });

  test("opens none where Claude does not open, since another would not either", async () => {
    const clock = manualClock();
    const { pool, runner } = await scriptedPool({ clock, scaling, maxRestarts: 1 });
    runner.failOpen(broken, 2);
    await pool.submitMany(["a", "b", "c"]);
    await stepUntil(clock, nth(pool, "slot.errored", 2));
    await stepUntil(clock, eventually(clock, 10_000));
    expect((await pool.findSlots()).map((slot) => slot.state)).toEqual(["errored"]);
  });

  test("leaves slots with settings of their own", async () => {
    const clock = manualClock();
    const { pool } = await scriptedPool({ clock, scaling, slots: [{ name: "Ada" }, {}, { name: "Ben" }] });
    await pool.run("it");
    await stepUntil(clock, nth(pool, "slot.stopped", 1));
    expect((await pool.findSlots()).map((slot) => slot.config.name)).toEqual(["Ada", "Ben"]);
  });
});

describe("a slot whose Claude does not open", () => {
  test("is tried again after pauses that grow, then stays errored and says why, until it is restarted by hand", async () => {
    const clock = manualClock();
    const { pool, runner } = await scriptedPool({ clock, maxRestarts: 2, supervisorIntervalSecs: 2 });
    runner.failOpen(broken, 3);
    const task = await pool.submit("it");
    await nth(pool, "slot.errored", 1);
    const start = clock.now();
    await stepUntil(clock, nth(pool, "slot.errored", 3));
    const [slot] = await pool.findSlots();
    const status = await pool.status();
    const record = await task.get();
    await pool.restartSlot("slot-1");
    const outcome = await task.outcome();
    const [after] = await pool.findSlots();
    const errored = await nth(pool, "slot.errored", 3);
    expect({
      pauses: errored.map(({ failures, restartAtMs }) => [failures, restartAtMs !== undefined]),
      first: (errored[0]?.restartAtMs ?? 0) - start,
      slot: [slot?.state, slot?.restartCount, slot?.error],
      status: status.erroredSlots,
      task: record.state,
      outcome: outcome.state,
      after: [after?.state, after?.error, after?.restartCount],
    }).toEqual({
      pauses: [
        [1, true],
        [2, true],
        [3, false],
      ],
      first: 500,
      slot: [
        "errored",
        2,
        "It said: no. It failed 3 times in a row and stays errored until `claude-pool slots restart slot-1`.",
      ],
      status: 1,
      task: "pending",
      outcome: "completed",
      after: ["idle", undefined, 3],
    });
  });

  test("counts failures in a row: a run that works makes them nothing", async () => {
    const clock = manualClock();
    const { pool, runner } = await scriptedPool({ clock, maxRestarts: 1, slotMode: "ephemeral" });
    for (let round = 0; round < 3; round += 1) {
      runner.failOpen(broken, 1);
      const task = await pool.submit("it");
      await stepUntil(clock, task.outcome());
    }
    const errored = await nth(pool, "slot.errored", 3);
    expect(errored.map((data) => data.failures)).toEqual([1, 1, 1]);
  });

  test("stays errored where there is no supervisor, and what somebody waits for fails at once", async () => {
    const { pool, runner } = await scriptedPool({ supervisorEnabled: false });
    runner.failOpen(broken, 1);
    const kept = await pool.submit("kept");
    const [event] = await nth(pool, "slot.errored", 1);
    const rejection = pool.run("waited for");
    await expect(rejection).rejects.toMatchObject({ details: { outcome: { result: { reason: "launch" } } } });
    const restarted = await pool.checkSlots();
    expect([event?.restartAtMs, restarted, (await kept.outcome()).state]).toEqual([undefined, ["slot-1"], "completed"]);
  });

  test("is looked after by a supervisor that is started later, until that is stopped", async () => {
    const clock = manualClock();
    const { pool, runner } = await scriptedPool({ clock, supervisorEnabled: false });
    runner.failOpen(broken, 2);
    const task = await pool.submit("it");
    await nth(pool, "slot.errored", 1);
    const supervisor = pool.startSupervisor({ intervalSecs: 5 });
    await stepUntil(clock, task.outcome());
    supervisor.stop();
    const errored = await nth(pool, "slot.errored", 2);
    expect([errored.map((data) => data.restartAtMs !== undefined), clock.pending]).toEqual([[false, true], 1]);
  });

  test("has no supervisor in a process without slots", async () => {
    const { pool } = await scriptedPool({ slots: 0 });
    expect(() => pool.startSupervisor()).toThrow(expect.objectContaining({ code: "no_host" }));
  });
});

describe("a slot whose process dies in its runs", () => {
  test("is errored after three in a row of more than one task, and its tasks are done all the same", async () => {
    const { pool, runner } = await scriptedPool({ maxLostRuns: 2 });
    runner.on("bad", lost()).on("worse", lost(), "done");
    const [bad, worse] = await pool.submitMany(["bad", "worse"]);
    const [event] = await nth(pool, "slot.errored", 1);
    const outcomes = [await bad?.outcome(), await worse?.outcome()];
    expect([event?.error, outcomes.map((outcome) => outcome?.state)]).toEqual([
      "Its process died in three runs in a row, and not of one task alone.",
      ["failed", "completed"],
    ]);
  });

  test("is not to blame when one task alone kills it", async () => {
    const { pool, runner } = await scriptedPool({ maxLostRuns: 4 });
    runner.on("bad", lost());
    const bad = await pool.submit("bad");
    await bad.outcome();
    const [slot] = await pool.findSlots();
    expect([slot?.state, slot?.restartCount]).toEqual(["idle", 0]);
  });
});

/** Resolves when so much time of the clock has passed. */
function eventually(clock: ReturnType<typeof manualClock>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** Lets seconds pass, with what they set off in between, until the promise is settled. */
async function stepUntil<T>(clock: ReturnType<typeof manualClock>, promise: Promise<T>): Promise<T> {
  const state = { settled: false };
  const done = promise.finally(() => {
    state.settled = true;
  });
  for (let steps = 0; !state.settled; steps += 1) {
    if (steps > 20_000) throw new Error("what was waited for did not come in more than an hour");
    clock.advance(250);
    await new Promise(setImmediate);
  }
  return done;
}
