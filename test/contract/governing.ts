/** What every implementation of the `Records` port keeps of the governor, of scopes of money and of the metrics. */
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
import type { Records } from "../../src/core/records.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import { submitAll, type TestHost, testHost } from "../records/temp-store.ts";
import { openedRecords, type OpenedRecords, type StartRecords } from "./opened-records.ts";

type Opened = () => Promise<OpenedRecords>;

export function governingContract(name: string, start: StartRecords): void {
  const opened = (): Promise<OpenedRecords> => openedRecords(start);
  describe(`Records: ${name}`, () => {
    describe("a usage limit", () => {
      usageLimit(opened);
    });
    describe("what else holds back", () => {
      holdingBack(opened);
    });
    describe("budgets of tags and of the day", () => {
      scopes(opened);
    });
    describe("metrics", () => {
      metrics(opened);
    });
    describe("an export and an import", () => {
      moving(opened);
    });
    describe("a forecast", () => {
      forecasts(opened);
    });
  });
}

function usageLimit(opened: Opened): void {
  it("parks the pool at the first rejection: no host is given anything, and every pending task says why", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 2);
    const tasks = await submitAll(records, {}, {}, {});
    const resetsAtMs = clock.now() + 60_000;
    await limit(records, host, resetsAtMs);
    const status = await records.status();
    expect({
      leased: host.leases.length,
      holds: (await records.getMany(tasks.map((task) => task.id))).map((task) => [task.state, task.hold]),
      listed: (await records.list({ state: "pending" }, { limit: 9 })).tasks.map((task) => task.hold?.reason),
      heldBack: status.heldBack,
      heldTasks: status.heldTasks,
      deadline: await records.nextDeadlineMs(),
    }).toEqual({
      leased: 2,
      holds: [
        ["pending", { reason: "limit", untilMs: resetsAtMs }],
        ["running", undefined],
        ["pending", { reason: "limit", untilMs: resetsAtMs }],
      ],
      listed: ["limit", "limit"],
      heldBack: { reason: "limit", untilMs: resetsAtMs },
      heldTasks: 0,
      deadline: resetsAtMs,
    });
  });

  it("lets one probe go at the reset, then two, then one more with each quiet step, until all slots work", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 5);
    await submitAll(records, ...Array.from({ length: 20 }, () => ({})));
    for (let index = 0; index < 5; index += 1) await limit(records, host, clock.now() + 1_000);
    const running: number[] = [await runningNow(records)];
    clock.advance(1_000);
    await records.sweep();
    running.push(await runningNow(records));
    await records.noteAnswer(host.open[0]?.runId ?? "");
    running.push(await runningNow(records));
    for (let step = 0; step < 4; step += 1) {
      clock.advance(5_000);
      await records.sweep();
      running.push(await runningNow(records));
    }
    expect({
      running,
      probes: host.leases.map((lease) => lease.isProbe).filter(Boolean),
      left: await records.governor(),
    }).toEqual({
      running: [0, 1, 2, 3, 4, 5, 5],
      probes: [true],
      left: {},
    });
  });

  it("parks again when the probe meets the limit too", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 2);
    await submitAll(records, {}, {}, {});
    await limit(records, host, clock.now() + 1_000);
    await limit(records, host, clock.now() + 1_000);
    clock.advance(1_000);
    await records.sweep();
    await limit(records, host, clock.now() + 9_000);
    expect({ running: await runningNow(records), heldBack: (await records.status()).heldBack }).toEqual({
      running: 0,
      heldBack: { reason: "limit", untilMs: clock.now() + 9_000 },
    });
  });

  it("gives up a probe that is lost with its host, so that another host probes", async () => {
    const { records, clock } = await opened();
    const dead = await testHost(records, 1, { id: "host-dead" });
    await submitAll(records, {}, {});
    await limit(records, dead, clock.now() + 1_000);
    clock.advance(1_000);
    await records.sweep();
    const probing = (await records.governor()).probeRunId;
    const host = await testHost(records, 2, { id: "host-b" });
    await records.dispatch();
    const beside = host.leases.length;
    await records.claimRecovery("host-dead", "host-b");
    await records.recoverRun(probing ?? "", {}, 10);
    expect({
      probing: probing === dead.open[0]?.runId,
      beside,
      probes: host.leases.map((lease) => lease.isProbe),
    }).toEqual({
      probing: true,
      beside: 0,
      probes: [true],
    });
  });

  it("gives up a probe that ends before it has asked the API anything", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    await submitAll(records, {}, {}, {});
    await limit(records, host, clock.now() + 1_000);
    clock.advance(1_000);
    await records.sweep();
    await host.finish({ kind: "failed", reason: "launch", costMicrodollars: 0, turnsUsed: 0 });
    const second = host.open[0];
    await host.finish({ kind: "failed", reason: "error" });
    expect([second?.isProbe, (await records.governor()).parkedUntilMs, (await records.governor()).ceiling]).toEqual([
      true,
      undefined,
      2,
    ]);
  });

  it("keeps the conversation of a limited task, and cancels one that somebody asked to cancel", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 2);
    const [kept, cancelled] = await submitAll(records, {}, {});
    await records.cancel(cancelled?.id ?? "");
    const ended = [
      await limit(records, host, clock.now() + 1_000, { resumeSessionId: "c-1" }),
      await limit(records, host, clock.now() + 1_000),
    ];
    expect(ended.map((task) => [task?.id, task?.state, task?.resumeSessionId])).toEqual([
      [kept?.id, "pending", "c-1"],
      [cancelled?.id, "cancelled", undefined],
    ]);
  });

  it("tells the log what changed, and not what did not", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 3);
    await submitAll(records, {}, {}, {});
    const parkedUntil = clock.now() + 1_000;
    for (let index = 0; index < 3; index += 1) await limit(records, host, parkedUntil);
    clock.advance(1_000);
    await records.sweep();
    await host.finish();
    await records.releaseGovernor();
    const events = await records.events(0, 1_000);
    expect(events.filter((event) => event.type === "governor.changed").map((event) => event.data)).toEqual([
      { reason: "limit", untilMs: parkedUntil },
      { reason: "limit", ceiling: 2, untilMs: clock.now() + 5_000 },
      {},
    ]);
  });
}

function holdingBack(opened: Opened): void {
  it("lowers the number at work at 429 and 529, over all hosts, and says so", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 4);
    await submitAll(records, ...Array.from({ length: 9 }, () => ({})));
    await records.noteOverload();
    await host.finish();
    await host.finish();
    const lowered = await runningNow(records);
    await host.finish();
    const kept = await runningNow(records);
    const { heldBack } = await records.status();
    clock.advance(5_000);
    await records.sweep();
    expect({ lowered, kept, heldBack, raised: await runningNow(records) }).toEqual({
      lowered: 2,
      kept: 2,
      heldBack: { reason: "overload", ceiling: 2, untilMs: clock.now() },
      raised: 3,
    });
  });

  it("counts how often and how long each reason held the queue back", async () => {
    const { records, clock } = await opened();
    await testHost(records, 1);
    for (const ms of [2_000, 3_000]) {
      await records.noteOverload();
      clock.advance(ms);
      await records.releaseGovernor();
      clock.advance(500);
    }
    await records.noteMemory("host-a", true);
    clock.advance(700);
    expect((await records.metrics(0, {})).heldBack).toEqual([
      { reason: "memory", times: 1, totalMs: 700 },
      { reason: "overload", times: 2, totalMs: 5_000 },
    ]);
  });

  it("shows want of memory until the host has some, or has ended", async () => {
    const { records } = await opened();
    await testHost(records, 0);
    const [task] = await submitAll(records, {});
    await records.noteMemory("host-a", true);
    const waiting = [(await records.status()).heldBack, (await records.get(task?.id ?? ""))?.hold];
    await records.endHost("host-a");
    await records.noteMemory("host-a", true);
    expect([...waiting, (await records.status()).heldBack]).toEqual([
      { reason: "memory" },
      { reason: "memory" },
      undefined,
    ]);
  });
}

function scopes(opened: Opened): void {
  it("binds a task by every capped tag that it has, holds what does not fit and takes it when there is room", async () => {
    const { records } = await opened();
    const host = await testHost(records, 4);
    await records.setScopeBudget("tag:a", 100);
    await records.setScopeBudget("tag:b", 50);
    const cap = { maxBudgetUsd: 0.00004 };
    const [first, second, third, free] = await submitAll(
      records,
      { ...cap, tags: ["a", "b"] },
      { ...cap, tags: ["b"] },
      { ...cap, tags: ["a"] },
      {},
    );
    const begun = host.leases.map((lease) => [lease.task.id, lease.reservedMicrodollars]);
    const waiting = (await records.get(second?.id ?? ""))?.hold;
    const reserved = (await records.scopeBudgets()).map((one) => [one.scope, one.reservedMicrodollars]);
    await host.finish({ costMicrodollars: 5 });
    expect({
      begun,
      waiting,
      reserved,
      after: (await records.scopeBudgets()).map((one) => [one.scope, one.spentMicrodollars, one.reservedMicrodollars]),
      then: host.leases.map((lease) => lease.task.id),
    }).toEqual({
      begun: [
        [first?.id, 40],
        [third?.id, 40],
        [free?.id, 0],
      ],
      waiting: { reason: "budget" },
      reserved: [
        ["tag:a", 80],
        ["tag:b", 40],
      ],
      after: [
        ["tag:a", 5, 40],
        ["tag:b", 5, 40],
      ],
      then: [first?.id, third?.id, free?.id, second?.id],
    });
  });

  it("refuses a task of a tag that is used up, and one whose cap is larger than the rest, naming the tag", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.setScopeBudget("tag:a", 100);
    const larger = await code(submitAll(records, { tags: ["a"], maxBudgetUsd: 0.000101 }));
    await submitAll(records, { tags: ["a"] });
    await host.finish({ costMicrodollars: 120 });
    const usedUp = await code(submitAll(records, { tags: ["x", "a"] }));
    const [other] = await submitAll(records, { tags: ["x"] });
    expect([larger, usedUp, other?.state]).toEqual([
      ["task_budget_exceeds_remaining", "tag a"],
      ["budget_exhausted", "tag a"],
      "pending",
    ]);
  });

  it("starts a new day at midnight, and lets go what waited for it", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    await records.setScopeBudget("day", 100);
    const [, waits] = await submitAll(records, {}, {});
    await host.finish({ costMicrodollars: 100 });
    const hold = (await records.get(waits?.id ?? ""))?.hold;
    clock.advance((hold?.untilMs ?? 0) - clock.now());
    await records.sweep();
    const [day] = await records.scopeBudgets();
    expect([hold?.reason, (await records.get(waits?.id ?? ""))?.state, day?.spentMicrodollars, day?.sinceMs]).toEqual([
      "budget",
      "running",
      0,
      clock.now(),
    ]);
  });

  it("goes on counting under a changed cap, and forgets a removed one", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.setScopeBudget("tag:a", 100);
    const [, held] = await submitAll(records, { tags: ["a"] }, { tags: ["a"] });
    await host.finish({ costMicrodollars: 100 });
    await records.setScopeBudget("tag:a", 300);
    const raised = [(await records.scopeBudgets())[0]?.spentMicrodollars, (await records.get(held?.id ?? ""))?.state];
    await records.setScopeBudget("tag:a", undefined);
    await host.finish({ costMicrodollars: 100 });
    expect({
      raised,
      left: await records.scopeBudgets(),
      reserved: (await records.budget()).reservedMicrodollars,
    }).toEqual({
      raised: [100, "running"],
      left: [],
      reserved: 0,
    });
  });

  it("lets a run that has used its share have more only where every budget of it has more", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.setScopeBudget("tag:a", 150_000);
    await submitAll(records, { tags: ["a"] });
    const runId = host.leases[0]?.runId ?? "";
    expect([
      host.leases[0]?.reservedMicrodollars,
      await records.growReservation(runId),
      await records.growReservation(runId),
    ]).toEqual([100_000, 50_000, 0]);
  });

  it("costs little when ten thousand tasks wait for the money of one tag", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.setScopeBudget("tag:a", 100);
    await submitAll(records, { tags: ["a"] });
    await submitAll(records, ...Array.from({ length: 10_000 }, () => ({ tags: ["a"] })), { tags: ["b"] });
    await host.finish({ costMicrodollars: 100 });
    // Each transaction looks at a few of them and holds those: the free task is reached without them all being loaded at once.
    for (let round = 0; round < 1_000 && host.open.length === 0; round += 1) await records.dispatch();
    expect(host.open[0]?.task.tags).toEqual(["b"]);
  });
}

function metrics(opened: Opened): void {
  it("says the same from the aggregates and from a query: each task once, with all of its attempts", async () => {
    const { records, clock } = await opened();
    const sinceMs = clock.now() - 10;
    const host = await testHost(records, 1);
    await submitAll(records, {}, { tags: ["x"] }, {}, { review: true, maxRejections: 2 });
    await host.finish({ costMicrodollars: 100, elapsedMs: 1_000, turnsUsed: 3, model: "opus" });
    await host.finish({ kind: "lost", costMicrodollars: 30, model: "haiku" });
    await host.finish({ costMicrodollars: 50, elapsedMs: 3_000, turnsUsed: 1, model: "haiku" });
    clock.advance(90_000);
    await host.finish({ kind: "failed", costMicrodollars: 20, elapsedMs: 0, turnsUsed: 2, model: "haiku" });
    const [reviewed] = [host.open[0]?.task.id ?? ""];
    await host.finish({ costMicrodollars: 7, elapsedMs: 10, model: "opus" });
    await records.reject(reviewed, "again");
    await host.finish({ costMicrodollars: 5, elapsedMs: 2_000, turnsUsed: 2, model: "opus" });
    await records.approve(reviewed);
    const [pending] = await submitAll(records, {}, {});
    await records.cancel((await records.list({ state: "pending" }, { limit: 1 })).tasks[0]?.id ?? "");
    const kept = await records.metrics(sinceMs, {});
    const asked = await records.metrics(sinceMs, { sinceMs });
    const same = { ...asked, medianElapsedMs: kept.medianElapsedMs };
    expect({
      kept,
      near: Math.abs(kept.medianElapsedMs / asked.medianElapsedMs - 1) < 0.05,
      pending: pending?.state,
    }).toEqual({
      kept: same,
      near: true,
      pending: "pending",
    });
    expect(asked).toEqual({
      sessionStartMs: sinceMs,
      sessionDurationMs: 90_010,
      totalTasks: 6,
      completedTasks: 3,
      failedTasks: 1,
      cancelledTasks: 1,
      runningTasks: 1,
      pendingTasks: 0,
      pendingReviewTasks: 0,
      totalCostMicrodollars: 212,
      avgCostMicrodollars: 42,
      maxCostMicrodollars: 100,
      avgElapsedMs: 2_000,
      minElapsedMs: 1_000,
      maxElapsedMs: 3_000,
      medianElapsedMs: 2_000,
      avgTurns: 1.6,
      tasksByModel: { haiku: 2, opus: 2 },
      modelBreakdown: [
        {
          model: "opus",
          taskCount: 2,
          totalCostMicrodollars: 112,
          avgCostMicrodollars: 56,
          avgElapsedMs: 1_500,
          totalTurns: 5,
        },
        {
          model: "haiku",
          taskCount: 2,
          totalCostMicrodollars: 100,
          avgCostMicrodollars: 50,
          avgElapsedMs: 3_000,
          totalTurns: 3,
        },
      ],
      rejectedCostMicrodollars: 7,
      retriedCostMicrodollars: 30,
      routingCostMicrodollars: 0,
      costPerCompletedMicrodollars: 71,
      heldBack: [],
    });
  });

  it("speaks of this opening without a filter, and of tags, times and a model with one", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    await submitAll(records, { tags: ["x"] });
    await host.finish({ model: "opus", costMicrodollars: 3 });
    clock.advance(30_000);
    const openedAtMs = clock.now();
    await submitAll(records, { tags: ["y"] });
    await host.finish({ model: "haiku", costMicrodollars: 4 });
    const cost = async (filter: Parameters<Records["metrics"]>[1]): Promise<number> =>
      (await records.metrics(openedAtMs, filter)).totalCostMicrodollars;
    expect([
      await cost({}),
      await cost({ sinceMs: 0 }),
      await cost({ tags: ["x", "z"] }),
      await cost({ model: "haiku" }),
      await cost({ untilMs: openedAtMs - 1 }),
      await cost({ sinceMs: openedAtMs, tags: ["x"] }),
    ]).toEqual([4, 7, 3, 4, 3, 0]);
  });

  it("counts the last rejected attempt as rejected too", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, { review: true, maxRejections: 1 });
    await host.finish({ costMicrodollars: 9 });
    await records.reject(task?.id ?? "", "no");
    const kept = await records.metrics(0, {});
    const asked = await records.metrics(0, { untilMs: Number.MAX_SAFE_INTEGER });
    expect(
      [kept, asked].map((one) => [one.failedTasks, one.totalCostMicrodollars, one.rejectedCostMicrodollars]),
    ).toEqual([
      [1, 9, 9],
      [1, 9, 9],
    ]);
  });
}

function moving(opened: Opened): void {
  it("takes scopes, their spending and the metrics along, and frees what waited for money that it may find", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.setScopeBudget("tag:a", 100);
    await records.setScopeBudget("day", 500);
    const tasks = await submitAll(records, { tags: ["a"] }, { tags: ["a"] });
    await host.finish({ costMicrodollars: 100, model: "opus" });
    const held = (await records.get(tasks[1]?.id ?? ""))?.hold;
    const { records: other } = await opened();
    await other.importLines(records.exportLines());
    expect({
      held,
      scopes: await other.scopeBudgets(),
      metrics: { ...(await other.metrics(0, {})), sessionDurationMs: 0 },
      free: (await other.get(tasks[1]?.id ?? ""))?.hold,
      heldTasks: (await other.status()).heldTasks,
    }).toEqual({
      held: { reason: "budget" },
      scopes: await records.scopeBudgets(),
      metrics: { ...(await records.metrics(0, {})), sessionDurationMs: 0 },
      free: undefined,
      heldTasks: 0,
    });
  });
}

function forecasts(opened: Opened): void {
  it("rests on the narrowest kind that has enough runs, and knows nothing without any", async () => {
    const { records } = await opened();
    const nothing = await records.forecast({ tags: ["x"] });
    const host = await testHost(records, 1);
    for (let index = 1; index <= 10; index += 1) {
      await submitAll(records, { tags: index > 5 ? ["x"] : [] });
      await host.finish({ costMicrodollars: index * 10, model: index > 3 ? "claude-opus-9" : "claude-haiku-9" });
    }
    const about = async (like: Parameters<Records["forecast"]>[0]): Promise<unknown> => {
      const forecast = await records.forecast(like);
      return forecast.known ? [forecast.basis, forecast.runs, forecast.costMicrodollars] : forecast;
    };
    expect([
      nothing,
      await about({ tags: ["x"] }),
      await about({ tags: ["x"], model: "opus" }),
      await about({ tags: [], model: "Opus" }),
      await about({ tags: [], model: "haiku" }),
    ]).toEqual([
      { known: false, runs: 0 },
      ["tag", 5, { low: 60, typical: 80, high: 100 }],
      ["tag_and_model", 5, { low: 60, typical: 80, high: 100 }],
      ["model", 7, { low: 50, typical: 70, high: 90 }],
      ["overall", 10, { low: 20, typical: 60, high: 90 }],
    ]);
  });
}

/** The oldest open run of a host meets the limit. */
function limit(
  records: Records,
  host: TestHost,
  resetsAtMs: number,
  more: { readonly resumeSessionId?: string } = {},
): Promise<TaskRecord | undefined> {
  const lease = host.open[0];
  if (lease === undefined) throw new Error("No run is open.");
  host.free(lease);
  const result = { output: "", success: false, costMicrodollars: 0, turnsUsed: 1, elapsedMs: 0 };
  const outcome: Outcome = { kind: "limited", result, resetsAtMs };
  return records.finish({ taskId: lease.task.id, runId: lease.runId, cwd: "/project", outcome, ...more });
}

async function runningNow(records: Records): Promise<number> {
  return (await records.status()).runningTasks;
}

async function code(refused: Promise<unknown>): Promise<unknown> {
  const error = await refused.then(
    () => ({ code: "none", details: {} }),
    (reason: unknown) => reason as { readonly code: string; readonly details: { readonly scope?: string } },
  );
  return [error.code, (error.details as { readonly scope?: string }).scope];
}
