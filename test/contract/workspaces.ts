/** What every implementation of the `Records` port keeps of workspaces, places, checks and merges. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { MergeEnd, MergeRequest } from "../../src/core/merge.ts";
import type { ProcessOwner } from "../../src/core/process-owner.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { Finish, Lease, PlaceRequest, Records } from "../../src/core/records.ts";
import type { TaskRecord, TaskResult, TaskSpec } from "../../src/core/task.ts";
import type { CheckResult, TaskWorkspace } from "../../src/core/workspace.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { collect, linesOf, submitAll, testHost, type TestHost } from "../records/temp-store.ts";
import { openedRecords, type OpenedRecords, type StartRecords } from "./opened-records.ts";

type Opened = () => Promise<OpenedRecords>;

export function workspacesContract(name: string, start: StartRecords): void {
  const opened = (): Promise<OpenedRecords> => openedRecords(start);
  describe(`Records: ${name}`, () => {
    describe("a workspace", () => {
      workspaces(opened);
    });
    describe("a place", () => {
      places(opened);
    });
    describe("failed checks", () => {
      checks(opened);
    });
    describe("the merge queue", () => {
      queue(opened);
    });
    describe("a merge that completes a task", () => {
      approving(opened);
    });
    describe("cancelling", () => {
      cancelling(opened);
    });
    describe("the record of it", () => {
      record(opened, start);
    });
  });
}

function workspaces(opened: Opened): void {
  it("is noted for the run that holds the task, and told once", async () => {
    const { records } = await opened();
    const { host, lease } = await leased(records);
    const noted = await records.noteWorkspace(lease.task.id, workspace(lease.task.id), lease.runId);
    const again = await records.noteWorkspace(lease.task.id, workspace(lease.task.id), lease.runId);
    await host.finish();
    const late = await records.noteWorkspace(lease.task.id, workspace("another"), lease.runId);
    const { data } = (await eventsOf(records, "task.workspace"))[0] ?? {};
    expect({
      noted: [noted, again, late],
      kept: (await records.get(lease.task.id))?.workspace,
      told: [(await eventsOf(records, "task.workspace")).length, data],
    }).toEqual({
      noted: [true, true, false],
      kept: workspace(lease.task.id),
      told: [
        1,
        {
          runId: lease.runId,
          path: "/repo/.pool/1",
          branch: `claude-pool/p/${lease.task.id}`,
          baseCommit: "base",
        },
      ],
    });
  });

  it("of an unknown task is refused", async () => {
    const { records } = await opened();
    await expect(records.noteWorkspace("task-none", workspace("x"))).rejects.toMatchObject({ code: "task_not_found" });
  });

  it("is saved with the end of its run, and not by a run that has lost its task", async () => {
    const { records } = await opened();
    const { lease } = await leased(records);
    const late = await end(records, { ...lease, runId: "run-late" }, { workspace: saved(lease.task.id) });
    const before = (await records.get(lease.task.id))?.workspace;
    const ended = await end(records, lease, { workspace: saved(lease.task.id) });
    expect([late, before, ended?.workspace, (await records.get(lease.task.id))?.workspace]).toEqual([
      undefined,
      undefined,
      saved(lease.task.id),
      saved(lease.task.id),
    ]);
  });

  it("is gone on with after a run that was cut short, if that one got so far; a retry begins from the base", async () => {
    const { records } = await opened();
    const { host, lease } = await leased(records, { retries: 5 });
    const starts: unknown[] = [];
    let run = lease;
    const next = async (finish: Partial<Finish>, worked: boolean): Promise<void> => {
      if (worked) await records.noteWorkspace(run.task.id, saved(run.task.id), run.runId);
      host.free(run);
      const ended = await end(records, run, finish);
      starts.push(ended?.plan?.start);
      run = host.leases.at(-1) ?? run;
    };
    await next({ outcome: outcome("failed", { reason: "error" }), workspace: saved(lease.task.id) }, true);
    await next({ outcome: outcome("lost") }, false);
    await next({ outcome: outcome("lost") }, true);
    await next({ outcome: outcome("failed", { reason: "error" }), workspace: saved(lease.task.id) }, true);
    expect(starts).toEqual(["base", "base", "saved", "base"]);
  });

  it("of a chain stays when its step ends", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const steps = [{ name: "a", prompt: "a" }];
    await records.submitChains([{ id: "chain-1", spec: { steps, isolation: "worktree", baseRef: "main" } }]);
    const [lease] = host.leases;
    await records.noteWorkspace("chain-1", saved("chain-1"));
    await end(records, present(lease), { workspace: saved("step") });
    const { isolation, baseRef } = lease?.task.config ?? {};
    expect([isolation, baseRef, (await records.get("chain-1"))?.workspace]).toEqual([
      "worktree",
      "main",
      saved("chain-1"),
    ]);
  });
}

function places(opened: Opened): void {
  const request = (more: Partial<PlaceRequest> = {}): PlaceRequest => ({
    kind: "worktree",
    repository: "/repo/.git",
    holder: { slotId: "slot-1" },
    pathOf: (number) => `/repo/.pool/${String(number)}`,
    ...more,
  });

  it("is its holder's until that is over: then it is free, and the next that needs one takes it", async () => {
    const { records } = await opened();
    await testHost(records, 2);
    const first = await records.takePlace(request());
    const same = await records.takePlace(request());
    const other = await records.takePlace(request({ holder: { slotId: "slot-2" } }));
    await records.updateSlot("slot-1", { state: "stopped" });
    const free = (await records.places()).map(({ number, slotId }) => [number, slotId]);
    await records.addSlots("host-a", [{}]);
    const taken = await records.takePlace(request({ holder: { slotId: "slot-3" } }));
    expect([first.number, same.number, other.number, free, taken.number, taken.slotId]).toEqual([
      1,
      1,
      2,
      [
        [1, undefined],
        [2, "slot-2"],
      ],
      1,
      "slot-3",
    ]);
  });

  it("of another repository or kind is not taken, and of the free ones the preferred is", async () => {
    const { records } = await opened();
    await testHost(records, 1);
    for (const number of [1, 2]) {
      const [slot] = await records.addSlots("host-a", [{}]);
      await records.takePlace(request({ holder: { slotId: slot?.id ?? "" }, pathOf: () => `/p/${String(number)}` }));
    }
    await records.updateSlot("slot-2", { state: "stopped" });
    await records.updateSlot("slot-3", { state: "stopped" });
    const clone = await records.takePlace(request({ kind: "clone" }));
    const elsewhere = await records.takePlace(request({ repository: "/other/.git" }));
    const preferred = await records.takePlace(request({ prefer: "/p/2" }));
    expect([clone.number, elsewhere.number, preferred.path]).toEqual([3, 4, "/p/2"]);
  });

  it("of a task is free when the task has ended, and not before", async () => {
    const { records } = await opened();
    const { host, lease } = await leased(records, { review: true });
    await records.takePlace(request({ holder: { taskId: lease.task.id } }));
    await host.finish();
    const inReview = (await records.places()).map(({ taskId }) => taskId);
    await records.approve(lease.task.id);
    expect([inReview, (await records.places()).map(({ taskId }) => taskId)]).toEqual([[lease.task.id], [undefined]]);
  });

  it("is forgotten unless somebody holds it, and its number is never used again", async () => {
    const { records } = await opened();
    await testHost(records, 1);
    const held = await records.takePlace(request());
    const refused = await records.dropPlace(held.number);
    await records.updateSlot("slot-1", { state: "stopped" });
    const dropped = await records.dropPlace(held.number);
    const [slot] = await records.addSlots("host-a", [{}]);
    const next = await records.takePlace(request({ holder: { slotId: slot?.id ?? "" } }));
    expect([refused, dropped, await records.dropPlace(held.number), next.number]).toEqual([false, true, false, 2]);
  });

  it("of a task that there is not is refused", async () => {
    const { records } = await opened();
    await expect(records.takePlace(request({ holder: { taskId: "task-0" } }))).rejects.toMatchObject({
      code: "task_not_found",
    });
  });
}

function checks(opened: Opened): void {
  it("send the task back in its conversation with what they said, up to their limit and beside its retries", async () => {
    const { records } = await opened();
    const { host, lease } = await leased(records);
    const back = await endChecked(records, host, lease, "one");
    const runs = await records.runs(lease.task.id);
    const over = await endChecked(records, host, present(host.leases[1]), "two");
    expect({
      back: [back?.state, back?.retryCount, back?.rejectionCount, back?.plan],
      run: [runs[0]?.outcome, runs[0]?.reason, runs[0]?.superseded],
      over: [over?.state, over?.result?.reason, over?.result?.error],
      told: (await eventsOf(records, "task.checks_failed")).map(({ data }) => data),
      checked: (await eventsOf(records, "task.checked")).length,
    }).toEqual({
      back: [
        "pending",
        0,
        0,
        { checkFailures: 1, lastError: "one", start: "saved", keepsConversation: true, conversationId: "s-one" },
      ],
      run: ["failed", "checks", "checks"],
      over: ["failed", "checks", "two"],
      told: [{ runId: lease.runId, failures: 1 }],
      checked: 2,
    });
  });

  it("do not send back what somebody asked to cancel", async () => {
    const { records } = await opened();
    const { host, lease } = await leased(records);
    await records.cancel(lease.task.id);
    const ended = await endChecked(records, host, lease, "one");
    expect(ended?.state).toBe("failed");
  });

  it("past their limit let the task's retries begin anew", async () => {
    const { records } = await opened();
    const { host, lease } = await leased(records, { retries: 1 });
    await endChecked(records, host, lease, "one");
    const retried = await endChecked(records, host, present(host.leases[1]), "two");
    expect([retried?.state, retried?.retryCount, retried?.plan]).toEqual([
      "pending",
      1,
      { retries: 1, lastError: "two", start: "base" },
    ]);
  });
}

function queue(opened: Opened): void {
  it("gives out one merge at a time for each target, in the order of their requests", async () => {
    const { records } = await opened();
    const [a, b, c] = await completed(records, 3);
    const first = await records.requestMerge(merge(a));
    const second = await records.requestMerge(merge(b));
    const other = await records.requestMerge(merge(c, { target: "release" }));
    const taken = [
      await records.takeMerge(holder(1), nobodyDied),
      await records.takeMerge(holder(2), nobodyDied),
      await records.takeMerge(holder(3), nobodyDied),
    ];
    await records.endMerge(first.id, landed);
    const next = await records.takeMerge(holder(3), nobodyDied);
    expect([taken.map((one) => one?.id), next?.id, next?.holder]).toEqual([
      [first.id, other.id, undefined],
      second.id,
      holder(3),
    ]);
  });

  it("gives what a dead holder left to another before anything else, and what is given back in its turn", async () => {
    const { records } = await opened();
    const [a, b, c] = await completed(records, 3);
    await records.requestMerge(merge(c, { target: "release" }));
    const left = await records.requestMerge(merge(a));
    await records.requestMerge(merge(b));
    const released = await records.takeMerge(holder(1), nobodyDied);
    await records.takeMerge(holder(2), nobodyDied);
    await records.releaseMerge(present(released).id);
    const over = await records.takeMerge(holder(3), ({ pid }) => pid === 2);
    const again = await records.takeMerge(holder(4), nobodyDied);
    expect([over?.id, over?.holder?.pid, again?.id]).toEqual([left.id, 3, released?.id]);
  });

  it("has a task's merge for a target once, however often it is asked for", async () => {
    const { records } = await opened();
    const [id] = await completed(records, 1);
    const first = await records.requestMerge(merge(id));
    const again = await records.requestMerge(merge(id));
    const elsewhere = await records.requestMerge(merge(id, { target: "release" }));
    expect([again.id === first.id, elsewhere.id === first.id, (await records.merges({}, 9)).length]).toEqual([
      true,
      false,
      2,
    ]);
  });

  it("keeps how each ended, and tells it", async () => {
    const { records, clock } = await opened();
    const [id] = await completed(records, 1);
    const { id: mergeId } = await records.requestMerge(merge(id));
    await records.takeMerge(holder(1), nobodyDied);
    await records.endMerge(mergeId, { state: "conflict", before: "b", conflicts: ["a.txt"] });
    const events = (await records.events(0, 1_000)).filter((event) => event.type.startsWith("merge."));
    expect({
      kept: await records.merge(mergeId),
      told: events.map(({ type, taskId, data }) => [type, taskId, data]),
    }).toEqual({
      kept: {
        ...merge(id),
        id: mergeId,
        state: "conflict",
        before: "b",
        conflicts: ["a.txt"],
        requestedAtMs: clock.now(),
        startedAtMs: clock.now(),
        endedAtMs: clock.now(),
      },
      told: [
        ["merge.queued", id, { mergeId, target: "main" }],
        ["merge.started", id, { mergeId, target: "main" }],
        [
          "merge.ended",
          id,
          { mergeId, target: "main", state: "conflict", taskState: "completed", conflicts: ["a.txt"] },
        ],
      ],
    });
  });

  it("notes an undone merge once, and none that has not landed", async () => {
    const { records, clock } = await opened();
    const [id] = await completed(records, 1);
    const { id: mergeId } = await records.requestMerge(merge(id));
    const early = await codeOf(records.noteUndone(mergeId));
    await records.takeMerge(holder(1), nobodyDied);
    await records.endMerge(mergeId, landed);
    const undone = await records.noteUndone(mergeId);
    expect([early, undone.undoneAtMs, await codeOf(records.noteUndone(mergeId))]).toEqual([
      "invalid_transition",
      clock.now(),
      "invalid_transition",
    ]);
  });

  it("refuses what cannot be merged, ended or cancelled", async () => {
    const { records } = await opened();
    const { host, lease } = await leased(records);
    const running = await codeOf(records.requestMerge(merge(lease.task.id)));
    await host.finish();
    const [id] = await completed(records, 1, host);
    const { id: mergeId } = await records.requestMerge(merge(id));
    const early = await codeOf(records.endMerge(mergeId, landed));
    await records.takeMerge(holder(1), nobodyDied);
    const underWay = await codeOf(records.cancelMerge(mergeId));
    await records.endMerge(mergeId, landed);
    expect({
      running,
      shared: await codeOf(records.requestMerge(merge(lease.task.id))),
      none: await codeOf(records.requestMerge(merge("task-none"))),
      unknown: await codeOf(records.merge("merge-none")),
      early,
      underWay,
      twice: await codeOf(records.endMerge(mergeId, landed)),
    }).toEqual({
      running: "invalid_transition",
      shared: "nothing_to_merge",
      none: "task_not_found",
      unknown: "merge_not_found",
      early: "invalid_transition",
      underWay: "invalid_transition",
      twice: "invalid_transition",
    });
  });

  it("lists by task and state, newest first", async () => {
    const { records } = await opened();
    const [a, b] = await completed(records, 2);
    const first = await records.requestMerge(merge(a));
    const second = await records.requestMerge(merge(b));
    await records.cancelMerge(first.id);
    const ids = async (filter: Parameters<Records["merges"]>[0]): Promise<readonly string[]> =>
      (await records.merges(filter, 9)).map(({ id }) => id);
    expect([
      await ids({}),
      await ids({ taskId: a }),
      await ids({ state: "cancelled" }),
      await ids({ state: ["queued", "merging"] }),
      (await records.merges({}, 1)).length,
    ]).toEqual([[second.id, first.id], [first.id], [first.id], [second.id], 1]);
  });
}

function approving(opened: Opened): void {
  it("is in the queue in the transaction that ends the run, and completes it when it has landed", async () => {
    const { records } = await opened();
    const { lease } = await leased(records, { merge: "auto" });
    const { id } = lease.task;
    const ended = await end(records, lease, { workspace: saved(id), merge: merge(id) });
    const settled = (await records.settled([id])).get(id);
    const [queued] = await records.merges({ taskId: id }, 1);
    await records.takeMerge(holder(1), nobodyDied);
    await records.endMerge(present(queued).id, landed);
    const done = await records.get(id);
    const finished = await eventsOf(records, "task.finished");
    expect({
      ended: [ended?.state, ended?.mergeId, settled],
      done: [done?.state, done?.mergeId, (await records.settled([id])).get(id)],
      told: finished.map(({ data }) => [data.state, data.mergeId]),
      counted: [(await records.status()).completedTasks, (await records.status()).pendingReviewTasks],
    }).toEqual({
      ended: ["pending_review", queued?.id, false],
      done: ["completed", undefined, true],
      told: [
        ["pending_review", queued?.id],
        ["completed", undefined],
      ],
      counted: [1, 0],
    });
  });

  it("is left out where nothing was changed, and waits for the reviewer where there is one", async () => {
    const { records } = await opened();
    const { host, lease } = await leased(records, { merge: "auto" });
    const nothing = { ...saved(lease.task.id), saved: { ...present(saved("x").saved), commit: "base" } };
    const same = await end(records, lease, { workspace: nothing, merge: merge(lease.task.id) });
    host.free(lease);
    const [task] = await submitAll(records, { review: true, merge: "auto" });
    const run = present(host.leases.at(-1));
    const reviewed = await end(records, run, { workspace: saved(run.task.id), merge: merge(run.task.id) });
    expect([same?.state, reviewed?.id === task?.id, reviewed?.state, await records.merges({}, 9)]).toEqual([
      "completed",
      true,
      "pending_review",
      [],
    ]);
  });

  it("sends conflicts back to a slot as a rejection, with the branch merged into the directory", async () => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, {});
    const end: MergeEnd = { state: "conflict", before: "b", conflicts: ["a.txt"] };
    await records.takeMerge(holder(1), nobodyDied);
    await records.endMerge(mergeId, end);
    const back = await records.get(task.id);
    expect([back?.state, back?.rejectionCount, back?.plan?.start, back?.plan?.mergeIn, back?.plan?.feedback]).toEqual([
      "running", // its slot was free
      1,
      "saved",
      "main",
      [expect.stringContaining("these files hold conflict markers: a.txt")],
    ]);
  });

  it("sends failed checks back with what they said", async () => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, {});
    await records.takeMerge(holder(1), nobodyDied);
    await records.endMerge(mergeId, { state: "checks_failed", before: "b", checks: [failedCheck] });
    const back = await records.get(task.id);
    expect([back?.plan?.mergeIn, back?.plan?.feedback?.[0]]).toEqual(["main", expect.stringContaining("it broke")]);
  });

  it.each<readonly [string, Partial<TaskSpec>, Partial<MergeRequest>, MergeEnd]>([
    ["at its last rejection", { maxRejections: 1 }, {}, { state: "conflict", before: "b", conflicts: ["a"] }],
    ["when that is asked for", {}, { onConflict: "review" }, { state: "conflict", before: "b", conflicts: ["a"] }],
    ["when git failed", {}, {}, { state: "failed", error: "git" }],
  ])("leaves the task in review %s, and tells those who wait", async (_when, spec, how, ending) => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, spec, how);
    await records.takeMerge(holder(1), nobodyDied);
    await records.endMerge(mergeId, ending);
    const after = await records.get(task.id);
    const told = (await eventsOf(records, "merge.ended"))[0]?.data.taskState;
    expect([after?.state, after?.mergeId, after?.rejectionCount, told]).toEqual([
      "pending_review",
      undefined,
      0,
      "pending_review",
    ]);
    await records.approve(task.id);
  });

  it("leaves the task in review when the pool takes no work", async () => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, {});
    await records.setShutdown(true);
    await records.takeMerge(holder(1), nobodyDied);
    const ended = await records.endMerge(mergeId, { state: "conflict", before: "b", conflicts: ["a"] });
    expect([ended.state, (await records.get(task.id))?.state]).toEqual(["conflict", "pending_review"]);
  });

  it("lets nobody decide about the task meanwhile, but a reviewer who thinks again before it begins", async () => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, {});
    const twice = await codeOf(records.approve(task.id));
    const rejected = await records.reject(task.id, "No", "base");
    const cancelled = await records.merge(mergeId);
    const other = await approved(records, {});
    await records.takeMerge(holder(1), nobodyDied);
    expect({
      twice,
      rejected: [rejected.state, rejected.plan?.start, rejected.mergeId],
      cancelled: cancelled.state,
      underWay: [await codeOf(records.reject(other.task.id, "No")), await codeOf(records.approve(other.task.id))],
    }).toEqual({
      twice: "invalid_transition",
      rejected: ["pending", "base", undefined],
      cancelled: "cancelled",
      underWay: ["invalid_transition", "invalid_transition"],
    });
  });

  it("is the only one of its task: asked for again it is the same, and for another branch refused", async () => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, {});
    const again = await records.requestMerge(merge(task.id, { approves: true }));
    const other = await codeOf(records.requestMerge(merge(task.id, { approves: true, target: "release" })));
    expect([again.id, other]).toEqual([mergeId, "invalid_transition"]);
  });

  it("goes back to the reviewer when it is taken out of the queue", async () => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, {});
    await records.cancelMerge(mergeId);
    const free = await records.get(task.id);
    expect([free?.state, free?.mergeId, (await records.settled([task.id])).get(task.id)]).toEqual([
      "pending_review",
      undefined,
      true,
    ]);
  });

  it("of a step is refused: its work is its chain's", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await records.submitChains([{ id: "chain-1", spec: { steps: [{ name: "a", prompt: "a", review: true }] } }]);
    const lease = present(host.leases[0]);
    await end(records, lease, { workspace: saved("chain-1") });
    expect(await codeOf(records.approve(lease.task.id, merge(lease.task.id)))).toBe("invalid_transition");
  });
}

function cancelling(opened: Opened): void {
  it("of a task whose merge is queued cancels both", async () => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, {});
    const cancelled = await records.cancel(task.id);
    expect([
      cancelled.state,
      (await records.merge(mergeId)).state,
      await records.takeMerge(holder(1), nobodyDied),
    ]).toEqual(["cancelled", "cancelled", undefined]);
  });

  it.each<readonly [string, MergeEnd]>([
    ["completed", landed],
    ["cancelled", { state: "conflict", before: "b", conflicts: ["a"] }],
    ["cancelled", { state: "failed", error: "git" }],
  ])("of a task whose merge is under way makes it %s, as the merge ends", async (state, ending) => {
    const { records } = await opened();
    const { task, mergeId } = await approved(records, {});
    await records.takeMerge(holder(1), nobodyDied);
    const asked = await records.cancel(task.id);
    const ended = await records.endMerge(mergeId, ending);
    const told = (await eventsOf(records, "merge.ended"))[0]?.data.taskState;
    expect([asked.state, ended.state, (await records.get(task.id))?.state, told]).toEqual([
      "pending_review",
      ending.state,
      state,
      state,
    ]);
  });
}

function record(opened: Opened, start: StartRecords): void {
  it("is exported and imported whole; what was being merged waits in the queue again", async () => {
    const { records } = await opened();
    const [done] = await completed(records, 1);
    const merged = await records.requestMerge(merge(done));
    await records.takeMerge(holder(1), nobodyDied);
    await records.endMerge(merged.id, { ...landed, checks: [failedCheck] });
    const { task, mergeId } = await approved(records, { merge: "auto" });
    await records.takeMerge(holder(1), nobodyDied);
    const copy = await start(manualClock(1_700_000_000_000));
    onTestFinished(() => copy.close());
    await copy.importLines(linesOf(await collect(records.exportLines())));
    const { holder: _holder, startedAtMs: _started, ...waiting } = await records.merge(mergeId);
    expect({
      tasks: await copy.getMany([done, task.id]),
      merged: await copy.merge(merged.id),
      waiting: await copy.merge(mergeId),
      isAnotherPool: copy.poolId !== records.poolId && /^[0-9a-f]{8}$/.test(copy.poolId),
    }).toEqual({
      tasks: await records.getMany([done, task.id]),
      merged: await records.merge(merged.id),
      waiting: { ...waiting, state: "queued" },
      isAnotherPool: true,
    });
  });

  it("is refused by an import that lacks the merge which a task waits for", async () => {
    const { records } = await opened();
    await approved(records, {});
    const lines = (await collect(records.exportLines())).filter((line) => !line.includes('"record":"merge"'));
    const copy = await start(manualClock(1));
    onTestFinished(() => copy.close());
    await expect(copy.importLines(linesOf(lines))).rejects.toMatchObject({ code: "invalid_import" });
  });

  it("is pruned with its task, but not before what waits to be merged", async () => {
    const { records, clock } = await opened();
    const [over, open] = await completed(records, 2);
    const { id: mergeId } = await records.requestMerge(merge(over));
    await records.takeMerge(holder(1), nobodyDied);
    await records.endMerge(mergeId, landed);
    await records.requestMerge(merge(open));
    const { tasks } = await records.prune(clock.now() + 1);
    expect([
      tasks,
      await records.get(over),
      (await records.get(open))?.id,
      (await records.merges({}, 9)).length,
    ]).toEqual([1, undefined, open, 1]);
  });

  it("compares the way a task is merged with that of the task that has its key", async () => {
    const { records } = await opened();
    const spec = { prompt: "p", key: "k", merge: "auto" as const, isolation: "worktree" as const };
    const [first] = await records.submit([{ id: "task-1", spec }]);
    const [again] = await records.submit([{ id: "task-2", spec }]);
    const other = await codeOf(records.submit([{ id: "task-3", spec: { ...spec, merge: "manual" } }]));
    expect([first?.record.merge, again?.record.id, other]).toEqual(["auto", "task-1", "key_conflict"]);
  });
}

const landed = { state: "merged", before: "b", commit: "c" } as const;

const failedCheck: CheckResult = {
  name: "test",
  command: "npm test",
  passed: false,
  exitCode: 1,
  output: "it broke",
  elapsedMs: 5,
  tree: "tree",
};

function workspace(owner: string): TaskWorkspace {
  return {
    isolation: "worktree",
    repository: "/repo/.git",
    path: "/repo/.pool/1",
    cwd: "/repo/.pool/1",
    branch: `claude-pool/p/${owner}`,
    baseRef: "HEAD",
    baseCommit: "base",
    target: "main",
  };
}

function saved(owner: string): TaskWorkspace {
  const ref = `refs/claude-pool/${owner}`;
  return { ...workspace(owner), saved: { ref, commit: "work", tree: "tree", files: 1, insertions: 2, deletions: 0 } };
}

function merge(taskId: string, more: Partial<MergeRequest> = {}): MergeRequest {
  return {
    taskId,
    target: "main",
    repository: "/repo/.git",
    method: "rebase",
    approves: false,
    onConflict: "rework",
    ...more,
  };
}

function holder(pid: number): ProcessOwner {
  return { pid, startTime: "1", bootId: "boot", hostname: "here" };
}

function nobodyDied(): boolean {
  return false;
}

async function leased(
  records: Records,
  spec: Partial<TaskSpec> = {},
): Promise<{ readonly host: TestHost; readonly lease: Lease }> {
  const host = await testHost(records, 1);
  await submitAll(records, spec);
  return { host, lease: present(host.leases[0]) };
}

/** Ends a run; its slot stays busy unless the test frees it. */
function end(records: Records, { task, runId }: Lease, more: Partial<Finish> = {}): Promise<TaskRecord | undefined> {
  return records.finish({ taskId: task.id, runId, cwd: "/repo", outcome: outcome("completed"), ...more });
}

function endChecked(records: Records, host: TestHost, lease: Lease, error: string): Promise<TaskRecord | undefined> {
  host.free(lease);
  return end(records, lease, {
    outcome: outcome("failed", { reason: "checks", error, sessionId: `s-${error}` }),
    workspace: { ...saved(lease.task.id), checks: [failedCheck] },
    checkRetries: 1,
  });
}

/** Completed tasks with saved work. */
async function completed(
  records: Records,
  count: number,
  given?: TestHost,
): Promise<readonly [string, string, string]> {
  const host = given ?? (await testHost(records, 1, { id: "host-work" }));
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const [task] = await submitAll(records, {});
    const lease = present(host.leases.at(-1));
    host.free(lease);
    await end(records, lease, { workspace: saved(lease.task.id) });
    ids.push(task?.id ?? "");
  }
  const [a = "", b = "", c = ""] = ids;
  return [a, b, c];
}

/** A task in review whose work is approved and waits to be merged. */
async function approved(
  records: Records,
  spec: Partial<TaskSpec>,
  how: Partial<MergeRequest> = {},
): Promise<{ readonly task: TaskRecord; readonly mergeId: string }> {
  const host = await testHost(records, 1, { id: `host-${String((await records.hosts()).length)}` });
  await submitAll(records, { review: true, ...spec });
  const lease = present(host.leases.at(-1));
  host.free(lease);
  await end(records, lease, { workspace: saved(lease.task.id) });
  const task = await records.approve(lease.task.id, merge(lease.task.id, how));
  return { task, mergeId: task.mergeId ?? "" };
}

function outcome(kind: Outcome["kind"], more: Partial<TaskResult> = {}): Outcome {
  const result = {
    output: "done",
    success: kind === "completed",
    costMicrodollars: 1,
    turnsUsed: 1,
    elapsedMs: 1,
    ...more,
  };
  if (kind === "limited") return { kind, result, resetsAtMs: 9 };
  if (kind === "failed" || kind === "timed_out") return { kind, result: { ...result, reason: more.reason ?? "error" } };
  return { kind, result };
}

async function eventsOf<
  T extends "task.workspace" | "task.checked" | "task.checks_failed" | "task.finished" | "merge.ended",
>(records: Records, type: T) {
  const events = await records.events(0, 10_000);
  return events.filter((event): event is Extract<typeof event, { readonly type: T }> => event.type === type);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => (error as { readonly code: string }).code,
  );
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("It is not there.");
  return value;
}
