/** What every implementation of the `Records` port keeps; each runs the whole suite. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { PoolEvent } from "../../src/core/events.ts";
import { newTaskId } from "../../src/core/ids.ts";
import type { Records } from "../../src/core/records.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import { collect, hostRecord, linesOf, submitAll, testHost } from "../records/temp-store.ts";
import { openedRecords, type OpenedRecords, type StartRecords } from "./opened-records.ts";

export function recordsContract(name: string, start: StartRecords): void {
  const opened = (): Promise<OpenedRecords> => openedRecords(start);
  describe(`Records: ${name}`, () => {
    describe("tasks", () => {
      tasks(opened);
    });
    describe("dispatch", () => {
      dispatch(opened);
    });
    describe("money", () => {
      money(opened);
    });
    describe("hosts", () => {
      hosts(opened);
    });
    describe("events and the rest", () => {
      rest(opened, start);
    });
  });
}

type Opened = () => Promise<OpenedRecords>;

function tasks(opened: Opened): void {
  it("stores a task as it was given, with the pool's own fields beside it", async () => {
    const { records, clock } = await opened();
    const id = newTaskId();
    const spec = {
      prompt: "p\0q",
      priority: 3,
      tags: ["a", "b"],
      cwd: "/x",
      timeoutMs: 5,
      queueTimeoutMs: 7,
      key: "k",
      review: true,
      maxRejections: 1,
      conversation: { taskId: "task-1" },
      model: "opus",
      mcpServers: { one_two: { command: "x" } },
      maxBudgetUsd: 0.5,
    };
    const [submitted] = await records.submit([{ id, spec, originHost: "host-a" }]);
    const record = {
      id,
      seq: 1,
      prompt: "p\0q",
      state: "pending",
      priority: 3,
      tags: ["a", "b"],
      config: { model: "opus", mcpServers: { one_two: { command: "x" } }, maxBudgetUsd: 0.5 },
      cwd: "/x",
      timeoutMs: 5,
      queueTimeoutMs: 7,
      key: "k",
      conversation: { taskId: "task-1" },
      reviewRequired: true,
      maxRejections: 1,
      rejectionCount: 0,
      originHost: "host-a",
      attempt: 0,
      lostRuns: 0,
      kind: "task",
      retryCount: 0,
      createdAtMs: clock.now(),
    };
    expect([submitted, await records.get(id)]).toEqual([{ record, existing: false }, record]);
  });

  it("gives the first task for a key that comes again with the same spec, in one call and in later ones", async () => {
    const { records } = await opened();
    const spec = { prompt: "p", key: "k", model: "opus", tags: [] };
    const [first, twin] = await records.submit([
      { id: "task-1", spec },
      { id: "task-2", spec: { model: "opus", key: "k", prompt: "p", priority: 0 } },
    ]);
    const [later] = await records.submit([{ id: "task-3", spec }]);
    expect([first, twin, later].map((answer) => [answer?.record.id, answer?.existing])).toEqual([
      ["task-1", false],
      ["task-1", true],
      ["task-1", true],
    ]);
  });

  it("refuses a key that has another spec and keeps nothing of that call, but all of its neighbours in the commit", async () => {
    const { records } = await opened();
    await records.submit([{ id: "task-1", spec: { prompt: "p", key: "k" } }]);
    const answers = await Promise.allSettled([
      records.submit([{ id: "task-2", spec: { prompt: "before" } }]),
      records.submit([
        { id: "task-3", spec: { prompt: "new" } },
        { id: "task-4", spec: { prompt: "other", key: "k" } },
      ]),
      records.submit([{ id: "task-5", spec: { prompt: "after" } }]),
    ]);
    const { tasks: stored } = await records.list({}, { limit: 10 });
    expect({
      answers: answers.map((answer) =>
        answer.status === "rejected" ? (answer.reason as { code: string }).code : "kept",
      ),
      stored: stored.map((task) => [task.id, task.seq]),
    }).toEqual({
      answers: ["kept", "key_conflict", "kept"],
      stored: [
        ["task-5", 3],
        ["task-2", 2],
        ["task-1", 1],
      ],
    });
  });

  it("lists by state, tag, slot and time, page by page, in either order", async () => {
    const { records, clock } = await opened();
    const [a, b, c] = await submitAll(records, { tags: ["x"] }, { tags: ["x", "y"] }, { tags: ["z"] });
    clock.advance(10);
    const [d] = await submitAll(records, { tags: ["y"] });
    await records.cancel(b?.id ?? "");
    const list = async (filter: Parameters<Records["list"]>[0], page = {}): Promise<readonly unknown[]> => {
      const answer = await records.list(filter, { limit: 10, ...page });
      return [...answer.tasks.map((task) => task.id), answer.next];
    };
    expect([
      await list({ tags: ["x", "y"] }),
      await list({ state: "cancelled" }),
      await list({ state: ["pending", "cancelled"], tags: ["x"] }, { order: "oldest" }),
      await list({ sinceMs: clock.now() }),
      await list({ untilMs: clock.now() - 1, state: "pending" }),
      await list({ slotId: "slot-9" }),
      await list({}, { limit: 2 }),
      await list({}, { limit: 2, after: 3 }),
    ]).toEqual([
      [d?.id, b?.id, a?.id, undefined],
      [b?.id, undefined],
      [a?.id, b?.id, undefined],
      [d?.id, undefined],
      [c?.id, a?.id, undefined],
      [undefined],
      [d?.id, c?.id, 3],
      [b?.id, a?.id, undefined],
    ]);
  });

  it("finds tasks by ids in the order asked, and ids by how they begin", async () => {
    const { records } = await opened();
    await records.submit(["task-ab", "task-ac", "task-b"].map((id) => ({ id, spec: { prompt: "p" } })));
    const many = await records.getMany(["task-b", "task-none", "task-ab"]);
    expect([
      many.map((task) => task.id),
      await records.idsLike("task-a", 10),
      await records.idsLike("task-", 1),
    ]).toEqual([["task-b", "task-ab"], ["task-ab", "task-ac"], ["task-ab"]]);
  });

  it("cancels a pending task at once, asks the host of a running one, and leaves an ended one alone", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [running, pending] = await submitAll(records, {}, {});
    const asked = await records.cancel(running?.id ?? "");
    const cancelled = await records.cancel(pending?.id ?? "");
    const requests = await records.cancelRequests(host.id);
    const ended = await host.finish({ kind: "cancelled" });
    const again = await records.cancel(running?.id ?? "");
    expect({
      asked: [asked.state, asked.cancelRequestedAtMs !== undefined],
      cancelled: [cancelled.state, cancelled.result?.reason],
      requests,
      ended: ended?.state,
      again: again.state,
      counts: await counts(records),
    }).toEqual({
      asked: ["running", true],
      cancelled: ["cancelled", "cancelled"],
      requests: [running?.id],
      ended: "cancelled",
      again: "cancelled",
      counts: { cancelled: 2 },
    });
    await expect(records.cancel("task-none")).rejects.toMatchObject({ code: "task_not_found" });
  });
}

function dispatch(opened: Opened): void {
  it("gives out the highest priority first, and among equals the oldest", async () => {
    const { records } = await opened();
    const specs = [{ priority: 0 }, { priority: 5 }, { priority: -1 }, { priority: 5 }, { priority: 0 }];
    const made = await submitAll(records, ...specs);
    const host = await testHost(records, 1);
    await records.dispatch();
    while (host.open.length > 0) await host.finish();
    expect(host.leases.map((lease) => made.findIndex((task) => task.id === lease.task.id))).toEqual([1, 3, 0, 4, 2]);
  });

  it("writes the whole end of a run at once: task, ledger, money, slot, counters and the next lease", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    const [first, second] = await submitAll(records, {}, {});
    const [lease] = host.leases;
    clock.advance(40);
    const usage = { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3, cacheCreationInputTokens: 4 };
    const ended = await host.finish({ costMicrodollars: 70, sessionId: "c-1", model: "m", usage });
    expect({
      ended: [ended?.state, ended?.completedAtMs, ended?.result?.output],
      stored: await records.get(first?.id ?? ""),
      runs: await records.runs(first?.id ?? ""),
      slots: await records.slots(),
      next: host.open.map((open) => open.task.id),
      status: await counts(records),
      money: (await records.budget()).totalMicrodollars,
      estimate: await records.estimate(),
    }).toEqual({
      ended: ["completed", clock.now(), "done"],
      stored: ended,
      runs: [
        {
          runId: lease?.runId,
          taskId: first?.id,
          attempt: 1,
          hostId: host.id,
          slotId: "slot-1",
          startedAtMs: clock.now() - 40,
          endedAtMs: clock.now(),
          outcome: "completed",
          reservedMicrodollars: 0,
          costMicrodollars: 70,
          costEstimated: false,
          turnsUsed: 1,
          model: "m",
          sessionId: "c-1",
          usage,
        },
      ],
      slots: [
        {
          id: "slot-1",
          state: "busy",
          config: {},
          hostId: host.id,
          currentTask: second?.id,
          sessionId: "c-1",
          sessionCwd: "/project",
          tasksCompleted: 1,
          costMicrodollars: 70,
          restartCount: 0,
        },
      ],
      next: [second?.id],
      status: { completed: 1, running: 1 },
      money: 70,
      estimate: 70,
    });
  });

  it("lets a run that lost its task commit nothing", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, {});
    const [late] = host.leases;
    await host.finish({ kind: "lost", costMicrodollars: 3 });
    const before = [await records.get(task?.id ?? ""), await records.budget(), await records.lastEventSeq()];
    const answer = await host.finish({ kind: "completed", costMicrodollars: 1_000 }, late);
    const after = [await records.get(task?.id ?? ""), await records.budget(), await records.lastEventSeq()];
    expect({ answer, after }).toEqual({ answer: undefined, after: before });
  });

  it.each([
    ["completed", {}, "completed", 0],
    ["completed", { review: true }, "pending_review", 0],
    ["failed", {}, "failed", 0],
    ["timed_out", {}, "failed", 0],
    ["cancelled", {}, "cancelled", 0],
    ["lost", {}, "running", 1],
    ["limited", {}, "pending", 0],
  ] as const)("takes a run that ended as %s (%o) to %s", async (kind, spec, state, lostRuns) => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, spec);
    await host.finish({ kind });
    const stored = await records.get(task?.id ?? "");
    // A lost task is leased again in the same transaction, as a new attempt; a limit parks the pool.
    expect([stored?.state, stored?.lostRuns, (await records.runs(task?.id ?? "")).map((run) => run.outcome)]).toEqual([
      state,
      lostRuns,
      state === "running" ? [kind, undefined] : [kind],
    ]);
  });

  it("holds a requeued task as asked, keeps its conversation, and gives up or cancels instead where told", async () => {
    const { records } = await opened();
    const host = await testHost(records, 3);
    const [held, given, cancelled] = await submitAll(records, {}, {}, {});
    await records.cancel(cancelled?.id ?? "");
    const end = (task: TaskRecord | undefined, more: object): Promise<TaskRecord | undefined> => {
      const lease = host.leases.find((one) => one.task.id === task?.id);
      const result = { output: "", success: false, costMicrodollars: 1, turnsUsed: 0, elapsedMs: 0 };
      return records.finish({
        taskId: task?.id ?? "",
        runId: lease?.runId ?? "",
        cwd: "/",
        outcome: { kind: "lost", result },
        ...more,
      });
    };
    const ended = [
      await end(held, {
        hold: { reason: "launch", untilMs: 5_000_000_000_000 },
        countsAsLost: false,
        resumeSessionId: "c-9",
      }),
      await end(given, { giveUp: true }),
      await end(cancelled, {}),
    ];
    expect(
      ended.map((task) => [task?.state, task?.hold, task?.lostRuns, task?.resumeSessionId, task?.result?.reason]),
    ).toEqual([
      ["pending", { reason: "launch", untilMs: 5_000_000_000_000 }, 0, "c-9", undefined],
      ["failed", undefined, 1, undefined, "lost"],
      ["cancelled", undefined, 1, undefined, "cancelled"],
    ]);
  });

  it("gives a host with own tasks only none of the others", async () => {
    const { records } = await opened();
    const [, own] = await submitAll(records, {}, { originHost: "host-b" }, { originHost: "host-c" });
    const host = await testHost(records, 3, { id: "host-b", own: true });
    await records.dispatch();
    expect(host.leases.map((lease) => lease.task.id)).toEqual([own?.id]);
  });

  it("releases holds when their time is over, and fails what waited too long for a slot", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    const [held, impatient] = await submitAll(records, {}, { queueTimeoutMs: 50 });
    const [lease] = host.leases;
    const until = clock.now() + 20;
    const result = { output: "", success: false, costMicrodollars: 0, turnsUsed: 0, elapsedMs: 0 };
    // Its slot is kept busy in the test's hands, so that nothing else is leased meanwhile.
    await records.finish({
      taskId: held?.id ?? "",
      runId: lease?.runId ?? "",
      cwd: "/",
      outcome: { kind: "lost", result },
      hold: { reason: "launch", untilMs: until },
    });
    const deadlines = [await records.nextDeadlineMs()];
    clock.advance(20);
    await records.sweep();
    const released = await records.get(held?.id ?? "");
    deadlines.push(await records.nextDeadlineMs());
    clock.advance(30);
    await records.sweep();
    const failed = await records.get(impatient?.id ?? "");
    deadlines.push(await records.nextDeadlineMs());
    expect({
      deadlines,
      released: [released?.state, released?.hold],
      failed: [failed?.state, failed?.result?.reason],
      counts: await counts(records),
    }).toEqual({
      deadlines: [until, until + 30, undefined],
      released: ["pending", undefined],
      failed: ["failed", "no_slot_available"],
      counts: { pending: 1, failed: 1 },
    });
  });

  it("counts how long a task waits for claims only while one holds it", async () => {
    const { records, clock } = await opened();
    await records.submit([{ id: "task-1", spec: { prompt: "p", paths: ["a"], claimWaitMs: 1_000 } }]);
    const seen: unknown[] = [];
    const look = async (): Promise<void> => {
      const task = await records.get("task-1");
      seen.push([task?.hold, task?.claimWaitMs]);
    };
    clock.advance(5_000);
    await records.sweep();
    await look();
    await records.noteHold("task-1", { note: "another goes first", isClaim: false });
    await look();
    const from = clock.now();
    await records.noteHold("task-1", { note: "ada's", isClaim: true });
    clock.advance(400);
    await records.noteHold("task-1", { note: "bob's", isClaim: true });
    await look();
    await records.releaseHold("task-1", "claim");
    await look();

    expect(seen).toEqual([
      [{ reason: "claim" }, 1_000],
      [{ reason: "claim", note: "another goes first" }, 1_000],
      [{ reason: "claim", untilMs: from + 1_000, note: "bob's" }, 1_000],
      [undefined, 600],
    ]);
  });

  it("lets a task wait for claims no more once its time for that is over", async () => {
    const { records, clock } = await opened();
    await records.submit([{ id: "task-1", spec: { prompt: "p", paths: ["a"], claimWaitMs: 1_000 } }]);
    await records.noteHold("task-1", { note: "ada's", isClaim: true });
    clock.advance(1_500);
    await records.sweep();

    const { hold, claimWaitMs } = (await records.get("task-1")) ?? {};
    expect([hold, claimWaitMs]).toEqual([undefined, 0]);
  });

  it("gives nothing to a slot whose finished run is not written yet", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await submitAll(records, {}, {}, {});
    const busy: number[] = [];
    while (host.open.length > 0) {
      await Promise.all([host.finish(), records.dispatch()]);
      busy.push((await records.status()).runningTasks);
    }
    expect(busy).toEqual([1, 1, 0]);
  });
}

function money(opened: Opened): void {
  it("refuses at the cap and a task whose own cap is larger than the rest, with both figures", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.setBudget(1_000, "none");
    await submitAll(records, {});
    await host.finish({ costMicrodollars: 400 });
    const large = submitAll(records, { maxBudgetUsd: 0.000_7 });
    await expect(large).rejects.toMatchObject({
      code: "task_budget_exceeds_remaining",
      details: { taskMicrodollars: 700, remainingMicrodollars: 600 },
    });
    await submitAll(records, {});
    await host.finish({ costMicrodollars: 700 });
    await expect(submitAll(records, {})).rejects.toMatchObject({
      code: "budget_exhausted",
      details: { spentMicrodollars: 1_100, limitMicrodollars: 1_000 },
    });
  });

  it("holds a task that does not fit, runs the next that does, and takes up the held one when a run gives money back", async () => {
    const { records } = await opened();
    await records.setBudget(1_000, "none");
    const [first, large, small] = await submitAll(
      records,
      { maxBudgetUsd: 0.000_6 },
      { maxBudgetUsd: 0.000_5 },
      { maxBudgetUsd: 0.000_3 },
    );
    const host = await testHost(records, 3);
    await records.dispatch();
    const started = host.leases.map((lease) => [lease.task.id, lease.reservedMicrodollars]);
    const held = await records.get(large?.id ?? "");
    const budget = await records.budget();
    await host.finish({ costMicrodollars: 100 });
    expect({
      started,
      held: [held?.state, held?.hold],
      reserved: budget.reservedMicrodollars,
      after: host.leases.map((lease) => lease.task.id),
      counts: await counts(records),
    }).toEqual({
      started: [
        [first?.id, 600],
        [small?.id, 300],
      ],
      held: ["pending", { reason: "budget" }],
      reserved: 900,
      after: [first?.id, small?.id, large?.id],
      counts: { completed: 1, running: 2 },
    });
  });

  it("grows a reservation as far as the cap allows, and not of a run that is closed", async () => {
    const { records } = await opened();
    await records.setBudget(150_000, "none");
    const host = await testHost(records, 1);
    await submitAll(records, {});
    const [lease] = host.leases;
    const runId = lease?.runId ?? "";
    const granted = [
      lease?.reservedMicrodollars,
      await records.growReservation(runId),
      await records.growReservation(runId),
    ];
    await host.finish({ costMicrodollars: 9 });
    granted.push(await records.growReservation(runId));
    expect([granted, await records.budget()]).toMatchObject([
      [100_000, 50_000, 0, 0],
      { spentMicrodollars: 9, reservedMicrodollars: 0 },
    ]);
  });

  it("counts anew when a cap is set, reset or renewed, goes on with the same cap, and never forgets the total", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    const spent: unknown[] = [];
    const spend = async (): Promise<void> => {
      await submitAll(records, {});
      await host.finish({ costMicrodollars: 5 });
      spent.push((await records.budget()).spentMicrodollars);
    };
    await records.setBudget(100, "day");
    await spend();
    await records.setBudget(100, "day");
    await spend();
    await records.resetBudget();
    await spend();
    await records.setBudget(200, "day");
    await spend();
    clock.advance(86_400_000);
    spent.push((await records.budget()).spentMicrodollars);
    await spend();
    const { totalMicrodollars, sinceMs, capMicrodollars } = await records.setBudget(undefined, "none");
    expect({ spent, totalMicrodollars, sinceMs, capMicrodollars }).toEqual({
      spent: [5, 10, 5, 5, 0, 5],
      totalMicrodollars: 25,
      sinceMs: clock.now(),
      capMicrodollars: undefined,
    });
  });

  it("holds what is left when the cap is used up, tells it once, and fails an attached run's tasks when asked", async () => {
    const { records } = await opened();
    await records.setBudget(1_000, "none");
    const host = await testHost(records, 1, { id: "host-b", own: true });
    const made = await submitAll(records, ...Array.from({ length: 40 }, () => ({ originHost: "host-b" })));
    await host.finish({ costMicrodollars: 1_000 });
    const held = (await records.status()).heldTasks;
    const failed = await records.failPending("host-b", "budget", "no money", "budget");
    const told = (await records.events(0, 1_000)).filter((event) => event.type === "budget.exhausted");
    expect({
      held: held > 0 && held < 39, // a few for each transaction
      failed,
      told: told.map((event) => event.data),
      counts: await counts(records),
    }).toEqual({
      held: true,
      failed: made.slice(1).map((task) => task.id),
      told: [{ spentMicrodollars: 1_000, capMicrodollars: 1_000 }],
      counts: { completed: 1, failed: 39 },
    });
  });
}

function hosts(opened: Opened): void {
  it("gives a dead host's runs to one recovering host, until that one is dead itself", async () => {
    const { records, clock } = await opened();
    const leaseUntilMs = clock.now() + 100;
    await records.startHost(hostRecord("host-dead"));
    await records.startHost(hostRecord("host-b", { leaseUntilMs }));
    await records.startHost(hostRecord("host-c"));
    const claims = [
      await records.claimRecovery("host-dead", "host-b"),
      await records.claimRecovery("host-dead", "host-c"),
    ];
    const renewed = [
      await records.renewHost("host-dead", 1),
      await records.renewHost("host-c", Number.MAX_SAFE_INTEGER),
    ];
    clock.advance(100);
    claims.push(await records.claimRecovery("host-dead", "host-c"), await records.claimRecovery("host-dead", "host-b"));
    await records.endHost("host-dead");
    claims.push(await records.claimRecovery("host-dead", "host-c"));
    const states = (await records.hosts()).map((host) => [host.id, host.state]);
    expect({ claims, renewed, states }).toEqual({
      claims: [true, false, true, false, false],
      renewed: [false, true],
      states: [
        ["host-b", "alive"],
        ["host-c", "alive"],
      ],
    });
  });

  it("puts a recovered run's task back with its conversation and its cost, and cancels one that was asked to", async () => {
    const { records } = await opened();
    const host = await testHost(records, 2);
    const [resumed, cancelled] = await submitAll(records, {}, {});
    await records.cancel(cancelled?.id ?? "");
    records.setDispatcher(host.id, false, undefined);
    const running = await records.runningOf(host.id);
    await records.recoverRun(running[0]?.run.runId ?? "", { sessionId: "c-1", costMicrodollars: 30 }, 500);
    await records.recoverRun(running[1]?.run.runId ?? "", {}, 500);
    await records.recoverRun(running[1]?.run.runId ?? "", {}, 500);
    await records.endHost(host.id);
    const after = await records.getMany([resumed?.id ?? "", cancelled?.id ?? ""]);
    const runs = await Promise.all(after.map(async (task) => records.runs(task.id)));
    expect({
      running: running.map(({ task, run }) => [task.id, run.taskId, run.endedAtMs]),
      after: after.map((task) => [task.state, task.resumeSessionId, task.lostRuns, task.result?.reason]),
      runs: runs.flat().map((run) => [run.outcome, run.costMicrodollars, run.costEstimated]),
      live: await records.slots(),
      slots: (await records.slots("all")).map((slot) => [slot.state, slot.currentTask]),
      spent: (await records.budget()).totalMicrodollars,
    }).toEqual({
      running: [
        [resumed?.id, resumed?.id, undefined],
        [cancelled?.id, cancelled?.id, undefined],
      ],
      after: [
        ["pending", "c-1", 0, undefined],
        ["cancelled", undefined, 0, "cancelled"],
      ],
      runs: [
        ["lost", 30, false],
        ["lost", 500, true],
      ],
      live: [],
      slots: [
        ["stopped", undefined],
        ["stopped", undefined],
      ],
      spent: 530,
    });
  });

  it("leases nothing to a host that was taken for dead, whatever it believes", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.startHost(hostRecord("host-b"));
    await records.claimRecovery(host.id, "host-b");
    await submitAll(records, {});
    expect([host.leases, await counts(records)]).toEqual([[], { pending: 1 }]);
  });

  it("never uses a slot's number twice, and stores what is changed of one", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.endHost(host.id);
    await records.prune(Number.MAX_SAFE_INTEGER);
    await records.startHost(hostRecord("host-b"));
    const [added] = await records.addSlots("host-b", [{ name: "one" }]);
    const process = { pid: 7, startTime: "8", marker: "m" };
    await records.updateSlot("slot-2", { process, state: "errored", error: "first", config: { name: "two" } });
    await records.restartSlot("slot-2", "hand");
    const updated = await records.updateSlot("slot-2", { process: null, state: "errored", error: "broken" });
    expect({ added: added?.id, updated, status: (await records.status()).totalSlots }).toEqual({
      added: "slot-2",
      updated: {
        id: "slot-2",
        state: "errored",
        config: { name: "two" },
        hostId: "host-b",
        tasksCompleted: 0,
        costMicrodollars: 0,
        restartCount: 1,
        error: "broken",
      },
      status: 1,
    });
    await expect(records.updateSlot("slot-1", {})).rejects.toMatchObject({ code: "slot_not_found" });
  });
}

function rest(opened: Opened, start: StartRecords): void {
  it("gives followers every event once and in order, from now on or from a cursor", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await submitAll(records, {});
    const cursor = await records.lastEventSeq();
    const seen: { readonly fromStart: PoolEvent[]; readonly fromNow: PoolEvent[] } = { fromStart: [], fromNow: [] };
    const done = Promise.withResolvers<undefined>();
    const stops = [
      records.follow((events) => {
        seen.fromStart.push(...events);
        if (seen.fromStart.at(-1)?.type === "pool.draining") done.resolve(undefined);
      }, 0),
      records.follow((events) => seen.fromNow.push(...events)),
    ];
    await records.lastEventSeq(); // the follower from now on has read its place by then
    await host.finish();
    await records.setShutdown(true);
    await done.promise;
    for (const stop of stops) stop();
    await records.setShutdown(false);
    const log = await records.events(0, 1_000);
    expect({
      fromStart: seen.fromStart,
      fromNow: seen.fromNow,
      seqs: log.map((event) => event.seq),
    }).toEqual({
      fromStart: log.slice(0, -1),
      fromNow: log.slice(cursor, -1),
      seqs: Array.from({ length: log.length }, (_, index) => index + 1),
    });
  });

  it("tells a task's way by its events", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, { tags: ["t"], priority: 2 });
    await records.append([
      { type: "task.output", taskId: task?.id ?? "", data: { runId: "r", text: "hi" } },
      { type: "task.output", taskId: "task-gone", data: { runId: "r", text: "nobody" } },
    ]);
    await host.finish({ kind: "lost" });
    const events = await records.events(0, 100, task?.id);
    const [first, second] = host.leases;
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ["task.submitted", { priority: 2, tags: ["t"] }],
      ["task.started", { runId: first?.runId, attempt: 1 }],
      ["task.output", { runId: "r", text: "hi" }],
      ["task.requeued", { runId: first?.runId, reason: "lost", costMicrodollars: 10 }],
      ["task.started", { runId: second?.runId, attempt: 2 }],
    ]);
  });

  it("tells a chain's way by its events and those of its steps, in their order, and nobody else's", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const steps = [
      { name: "one", prompt: "first" },
      { name: "two", prompt: "second" },
    ];
    const [chain] = await records.submitChains([{ id: "chain-1", spec: { steps } }]);
    await submitAll(records, {}, {});
    await host.finish({ output: "a" });
    await host.finish({ output: "b" });
    await host.finish({ output: "c" });
    const ids = (await records.chain(chain?.id ?? ""))?.steps.map((step) => step.taskId);
    const own = (await records.events(0, 1_000)).filter(({ taskId }) => [chain?.id, ...(ids ?? [])].includes(taskId));
    const told = await records.events(0, 1_000, "chain-1", true);
    const page = await records.events(told[1]?.seq ?? 0, 2, "chain-1", true);
    expect([told, page, await records.events(0, 10, "chain-2", true)]).toEqual([own, own.slice(2, 4), []]);
  });

  it("keeps the context, and refuses new work while it is shut down", async () => {
    const { records } = await opened();
    await records.setContext("b", "2");
    await records.setContext("a", "1");
    await records.setContext("b", "3");
    const deleted = [await records.deleteContext("a"), await records.deleteContext("a")];
    await records.setShutdown(true);
    await expect(submitAll(records, {})).rejects.toMatchObject({ code: "pool_shutdown" });
    expect([deleted, [...(await records.context())], (await records.status()).shutdown]).toEqual([
      [true, false],
      [["b", "3"]],
      true,
    ]);
  });

  it("gives out nothing while it is shut down, and goes on when it is opened anew", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await submitAll(records, {}, {});
    await records.setShutdown(true);
    await host.finish({ kind: "lost" });
    const meanwhile = await counts(records);
    await records.setShutdown(false);
    expect([meanwhile, await counts(records)]).toEqual([{ pending: 2 }, { pending: 1, running: 1 }]);
  });

  it("cancels what is pending, held or not, of all or of one origin", async () => {
    const { records } = await opened();
    const [a, b, c] = await submitAll(records, {}, { originHost: "host-b" }, {});
    const origin = await records.cancelPending("host-b");
    expect([origin, await records.cancelPending(), await counts(records)]).toEqual([
      [b?.id],
      [a?.id, c?.id],
      { cancelled: 3 },
    ]);
  });

  it("prunes ended tasks with their runs and events, and keeps the money", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    const [old, young] = await submitAll(records, { tags: ["t"] }, { tags: ["t"] });
    await host.finish({ costMicrodollars: 4 });
    clock.advance(10);
    await host.finish({ costMicrodollars: 6 });
    const pruned = await records.prune(clock.now());
    expect({
      pruned,
      left: (await records.list({ tags: ["t"] }, { limit: 5 })).tasks.map((task) => task.id),
      runs: await records.runs(old?.id ?? ""),
      events: (await records.events(0, 100)).map((event) => [event.type, event.taskId]),
      counts: await counts(records),
      total: (await records.status()).totalSpendMicrodollars,
    }).toEqual({
      pruned: { tasks: 1, events: 5 },
      left: [young?.id],
      runs: [],
      events: [
        ["task.submitted", young?.id],
        ["task.started", young?.id],
        ["task.finished", young?.id],
      ],
      counts: { completed: 1 },
      total: 10,
    });
  });

  it("exports every record as lines that another pool reads back as they were", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    await records.setBudget(900_000, "week");
    await records.setContext("my_Key", "v");
    const spec = {
      key: "k",
      tags: ["t"],
      mcpServers: { a_b: { c_D: 1 } },
      jsonSchema: { x_y: true },
      conversation: { taskId: "task-0" },
    };
    await submitAll(records, spec, { review: true }, { maxBudgetUsd: 0.5 }, { queueTimeoutMs: 9 });
    await host.finish({ structuredOutput: { snake_case: { camelCase: 1 } }, sessionId: "c" });
    await host.finish();
    await host.finish({ kind: "failed" });
    const lines = await collect(records.exportLines());
    const copy = await start(clock);
    onTestFinished(() => copy.close());
    const answer = await copy.importLines(linesOf(lines));
    const facts = async (pool: Records): Promise<unknown> => ({
      tasks: (await pool.list({ state: ["completed", "pending_review", "failed"] }, { limit: 9 })).tasks,
      runs: await Promise.all((await pool.list({}, { limit: 9 })).tasks.slice(1).map((task) => pool.runs(task.id))),
      context: [...(await pool.context())],
      events: await pool.events(0, 99),
    });
    const [running] = (await copy.list({}, { limit: 1 })).tasks;
    expect({ answer, facts: await facts(copy), counts: await counts(copy), running: running?.state }).toEqual({
      answer: { tasks: 4, runs: 4 },
      facts: await facts(records),
      counts: { completed: 1, pending_review: 1, failed: 1, pending: 1 },
      running: "pending",
    });
  });

  it.each([
    ["no lines", () => [], 1],
    ["another format", (lines: readonly string[]) => ['{"format":"other"}', ...lines.slice(1)], 1],
    ["a line that is no JSON", (lines: readonly string[]) => [...lines.slice(0, 2), "{", ...lines.slice(2)], 3],
    ["an unknown record", (lines: readonly string[]) => [lines[0] ?? "", '{"record":"cat"}', ...lines.slice(1)], 2],
    [
      "a field of the wrong type",
      (lines: readonly string[]) => lines.map((line) => line.replace('"priority":0', '"priority":"0"')),
      2,
    ],
    [
      "an unknown field",
      (lines: readonly string[]) => lines.map((line) => line.replace('"priority":0', '"priority":0,"prio":1')),
      2,
    ],
    [
      "a trace that is none",
      (lines: readonly string[]) => lines.map((line) => line.replace('"priority":0', '"priority":0,"trace":{}')),
      2,
    ],
    [
      "a trace that no request could have brought",
      (lines: readonly string[]) =>
        lines.map((line) => line.replace('"priority":0', '"priority":0,"trace":{"traceparent":"00-0-0-01"}')),
      2,
    ],
    ["a task twice", (lines: readonly string[]) => [...lines.slice(0, 2), ...lines.slice(1)], 3],
    ["an end that is missing", (lines: readonly string[]) => lines.slice(0, -1), 4],
  ])("refuses an import with %s, names the line and keeps nothing", async (_what, spoil, line) => {
    const { records, clock } = await opened();
    await submitAll(records, {});
    const lines = await collect(records.exportLines());
    const copy = await start(clock);
    onTestFinished(() => copy.close());
    await expect(copy.importLines(linesOf(spoil(lines)))).rejects.toMatchObject({
      code: "invalid_import",
      details: { line },
    });
    expect([await counts(copy), await copy.lastEventSeq()]).toEqual([{}, 0]);
  });
}

/** The counters that are not zero. */
async function counts(records: Records): Promise<Readonly<Record<string, number>>> {
  const status = await records.status();
  const all = {
    pending: status.pendingTasks,
    held: status.heldTasks,
    running: status.runningTasks,
    pending_review: status.pendingReviewTasks,
    completed: status.completedTasks,
    failed: status.failedTasks,
    cancelled: status.cancelledTasks,
  };
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count !== 0));
}
