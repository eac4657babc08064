/** What any process may ask of slots through the records, over both stores. */
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { coordinator, maxUnreadMessages } from "../../src/core/message.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { Records } from "../../src/core/records.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { hostRecord, submitAll, tempFolder } from "./temp-store.ts";

const stores: readonly [string, () => Promise<string>][] = [
  ["memory", () => Promise.resolve(":memory:")],
  ["file", async () => join(await tempFolder(), "pool.db")],
];

async function opened(path: () => Promise<string>): Promise<Records> {
  const records = await openRecords({ sql: await openSqlite(await path()), clock: manualClock(1_700_000_000_000) });
  onTestFinished(() => records.close());
  return records;
}

/** Slots of a host that takes nothing by itself. */
async function slots(records: Records, ...configs: readonly object[]): Promise<readonly string[]> {
  await records.startHost(hostRecord("host-a"));
  return (await records.addSlots("host-a", configs)).map((slot) => slot.id);
}

async function types(records: Records): Promise<readonly string[]> {
  return (await records.events(0, 1_000)).map((event) => event.type);
}

describe.each(stores)("messages: %s", (_name, path) => {
  test("wait in order until they are read, and are told of", async () => {
    const records = await opened(path);
    const [slot = ""] = await slots(records, {});
    await records.sendMessage(coordinator, [slot], "one");
    await records.sendMessage(slot, [slot], "two");
    const peeked = await records.readMessages(slot, "peek");
    const count = await records.countMessages(slot);
    const read = await records.readMessages(slot, "read");
    expect({
      peeked: peeked.map(({ from, to, content, id }) => [from, to, content, /^msg-[0-9a-f]{16}$/.test(id)]),
      count,
      same: read,
      left: await records.readMessages(slot, "read"),
      told: (await types(records)).filter((type) => type.startsWith("message.")),
    }).toEqual({
      peeked: [
        [coordinator, slot, "one", true],
        [slot, slot, "two", true],
      ],
      count: 2,
      same: peeked,
      left: [],
      told: ["message.sent", "message.sent", "message.read"],
    });
  });

  test("are read as far as is asked for, and the rest waits", async () => {
    const records = await opened(path);
    const [slot = ""] = await slots(records, {});
    for (const content of ["one", "two", "three"]) await records.sendMessage(coordinator, [slot], content);
    const first = await records.readMessages(slot, "read", 2);
    const rest = await records.readMessages(slot, "read");
    expect([first, rest].map((messages) => messages.map(({ content }) => content))).toEqual([
      ["one", "two"],
      ["three"],
    ]);
  });

  test("go to every live slot but the sender, or to nobody", async () => {
    const records = await opened(path);
    const [one = "", two = "", gone = "", leaving = ""] = await slots(records, {}, {}, {}, {});
    await records.updateSlot(gone, { state: "stopped" });
    await records.updateSlot(leaving, { state: "draining" });
    const ids = await records.sendMessage(one, "slots", "hello");
    const counts = await Promise.all([one, two, gone, leaving, coordinator].map((who) => records.countMessages(who)));
    expect([ids.length, counts]).toEqual([1, [0, 1, 0, 0, 0]]);
  });

  test.each([
    ["a slot that never was", "slot-9", "slot_not_found"],
    ["a name that is none", "somebody", "slot_not_found"],
    ["a slot that stopped", "slot-2", "slot_not_found"],
    ["a slot that leaves", "slot-3", "slot_not_found"],
  ])("to %s are refused, and so are those of it", async (_what, who, code) => {
    const records = await opened(path);
    await slots(records, {}, {}, {});
    await records.updateSlot("slot-2", { state: "stopped" });
    await records.updateSlot("slot-3", { state: "draining" });
    await expect(records.sendMessage(coordinator, [who], "x")).rejects.toMatchObject({ code });
    await expect(records.sendMessage(who, [coordinator], "x")).rejects.toMatchObject({ code });
  });

  test("past what can wait are refused, and nobody gets any of that call", async () => {
    const records = await opened(path);
    const [one = "", two = ""] = await slots(records, {}, {});
    await Promise.all(
      Array.from({ length: maxUnreadMessages }, () => records.sendMessage(coordinator, [two], "again")),
    );
    await expect(records.sendMessage(coordinator, [one, two], "more")).rejects.toMatchObject({ code: "inbox_full" });
    await expect(records.sendMessage(coordinator, "slots", "more")).rejects.toMatchObject({ code: "inbox_full" });
    expect(await records.countMessages(one)).toBe(0);
  });

  test.each([
    ["completed", 0],
    ["failed", 0],
    ["cancelled", 0],
    ["timed_out", 0],
    ["lost", 1],
    ["limited", 1],
  ] as const)("that a run carried which ends as %s leave %i in the inbox", async (kind, left) => {
    const records = await opened(path);
    const [slot = ""] = await slots(records, { pull: true });
    await records.sendMessage(coordinator, [slot], "first");
    await submitAll(records, {});
    const lease = await records.claim(slot);
    const given = await records.deliverMessages(slot);
    await records.sendMessage(coordinator, [slot], "came later");
    const result = { output: "", success: false, costMicrodollars: 1, turnsUsed: 1, elapsedMs: 1, reason: "error" };
    await records.finish({
      taskId: lease?.task.id ?? "",
      runId: lease?.runId ?? "",
      cwd: "/x",
      messages: given.map((message) => message.id),
      outcome: { kind, result, resetsAtMs: 1 } as Outcome,
    });
    const waiting = await records.readMessages(slot, "peek");
    expect(waiting.map((message) => message.content)).toEqual(["first", "came later"].slice(1 - left));
  });

  test("of a late run that lost its task stay in the inbox", async () => {
    const records = await opened(path);
    const [slot = ""] = await slots(records, { pull: true });
    await records.sendMessage(coordinator, [slot], "first");
    await submitAll(records, {});
    const lease = await records.claim(slot);
    const result = { output: "", success: true, costMicrodollars: 1, turnsUsed: 1, elapsedMs: 1 };
    const messages = (await records.deliverMessages(slot)).map((message) => message.id);
    const end = { taskId: lease?.task.id ?? "", runId: "another run", cwd: "/x", messages };
    await records.finish({ ...end, outcome: { kind: "completed", result } });
    expect(await records.countMessages(slot)).toBe(1);
  });

  test("of a slot that stops are dropped, and that is told", async () => {
    const records = await opened(path);
    const [one = "", two = ""] = await slots(records, {}, {});
    await records.sendMessage(coordinator, [one], "x");
    await records.sendMessage(coordinator, [two], "y");
    await records.updateSlot(one, { state: "stopped" });
    await records.endHost("host-a");
    const dropped = (await records.events(0, 1_000)).filter((event) => event.type === "message.dropped");
    expect([await records.countMessages(one), dropped.map((event) => event.data)]).toEqual([
      0,
      [
        { to: one, count: 1 },
        { to: two, count: 1 },
      ],
    ]);
  });
});

describe.each(stores)("claims: %s", (_name, path) => {
  test("take tasks by priority, then age, as any lease: running, in the ledger, with money set aside", async () => {
    const records = await opened(path);
    const [one = "", two = "", three = ""] = await slots(records, { pull: true }, { pull: true }, { pull: true });
    await records.setBudget(1_000_000, "none");
    const [older, dear] = await submitAll(records, {}, { priority: 1, maxBudgetUsd: 0.5 });
    const first = await records.claim(one);
    const second = await records.claim(two);
    const none = await records.claim(three);
    const task = await records.get(dear?.id ?? "");
    expect({
      order: [first?.task.id, second?.task.id, none],
      reserved: first?.reservedMicrodollars,
      state: [task?.state, task?.slotId, task?.hostId, task?.runId === first?.runId],
      runs: (await records.runs(dear?.id ?? "")).length,
      slots: (await records.slots()).map((slot) => slot.state),
    }).toEqual({
      order: [dear?.id, older?.id, undefined],
      reserved: 500_000,
      state: ["running", one, "host-a", true],
      runs: 1,
      slots: ["busy", "busy", "idle"],
    });
  });

  test("never give one task to two, however many claim at once", async () => {
    const records = await opened(path);
    const ids = await slots(records, ...Array.from({ length: 8 }, () => ({ pull: true })));
    await submitAll(records, {}, {}, {});
    const leases = await Promise.all(ids.map((id) => records.claim(id)));
    const taken = leases.flatMap((lease) => (lease === undefined ? [] : [lease.task.id]));
    expect([taken.length, new Set(taken).size]).toEqual([3, 3]);
  });

  test("hold a task that does not fit the budget, as any other dispatch", async () => {
    const records = await opened(path);
    const [slot = ""] = await slots(records, { pull: true });
    const [task] = await submitAll(records, { maxBudgetUsd: 0.5 });
    await records.setBudget(100, "none");
    const lease = await records.claim(slot);
    expect([lease, (await records.get(task?.id ?? ""))?.hold?.reason]).toEqual([undefined, "budget"]);
  });

  test.each<[string, object, string, string]>([
    ["a slot that never was", {}, "slot-7", "slot_not_found"],
    ["a slot that takes work by itself", {}, "slot-1", "invalid_options"],
    ["a busy slot", { state: "busy" }, "slot-2", "slot_state"],
    ["an errored slot", { state: "errored", error: "x" }, "slot-2", "slot_state"],
    ["a slot that leaves", { state: "draining" }, "slot-2", "slot_state"],
  ])("for %s are refused", async (_what, patch, id, code) => {
    const records = await opened(path);
    await slots(records, {}, { pull: true });
    await submitAll(records, {});
    await records.updateSlot("slot-2", patch);
    await expect(records.claim(id)).rejects.toMatchObject({ code });
  });

  test("of a drained pool, or of a host that is gone, are refused", async () => {
    const records = await opened(path);
    const [slot = ""] = await slots(records, { pull: true });
    await records.setShutdown(true);
    await expect(records.claim(slot)).rejects.toMatchObject({ code: "pool_shutdown" });
    await records.endHost("host-a");
    await expect(records.claim(slot)).rejects.toMatchObject({ code: "slot_state" });
  });

  test("of a host that was killed before it began go back to the queue, and the next claim has the task", async () => {
    const records = await opened(path);
    const [slot = ""] = await slots(records, { pull: true });
    const [task] = await submitAll(records, {});
    const lease = await records.claim(slot);
    await records.startHost(hostRecord("host-b"));
    const [other] = await records.addSlots("host-b", [{ pull: true }]);
    await records.claimRecovery("host-a", "host-b");
    for (const { run } of await records.runningOf("host-a")) await records.recoverRun(run.runId, {}, 5);
    await records.endHost("host-a");
    const again = await records.claim(other?.id ?? "");
    const runs = await records.runs(task?.id ?? "");
    expect({
      first: lease?.task.id,
      again: again?.task.id,
      runs: runs.map((run) => [run.outcome, run.hostId]),
    }).toEqual({
      first: task?.id,
      again: task?.id,
      runs: [
        ["lost", "host-a"],
        [undefined, "host-b"],
      ],
    });
    await expect(records.claim(slot)).rejects.toMatchObject({ code: "slot_state" });
  });

  test("of an attached host's slot take its own tasks only", async () => {
    const records = await opened(path);
    await records.startHost(hostRecord("host-a", { kind: "attached" }));
    const [slot] = await records.addSlots("host-a", [{ pull: true }]);
    const [, own] = await submitAll(records, {}, { originHost: "host-a" });
    const lease = await records.claim(slot?.id ?? "");
    expect(lease?.task.id).toBe(own?.id);
  });
});

describe.each(stores)("restarts: %s", (_name, path) => {
  test("count, clear the reason and are told; of anything but an errored slot they are refused", async () => {
    const records = await opened(path);
    const [slot = ""] = await slots(records, {});
    await expect(records.restartSlot(slot, "hand")).rejects.toMatchObject({ code: "slot_state" });
    await records.updateSlot(slot, { state: "errored", error: "why", failures: 2, restartAtMs: 9 });
    const status = await records.status();
    const after = await records.restartSlot(slot, "supervisor");
    const events = (await records.events(0, 100)).filter((event) => /errored|restarted/.test(event.type));
    expect({
      errored: status.erroredSlots,
      after: [after.state, after.error, after.restartCount],
      events: events.map((event) => event.data),
    }).toEqual({
      errored: 1,
      after: ["idle", undefined, 1],
      events: [
        { error: "why", failures: 2, restartAtMs: 9 },
        { restartCount: 1, by: "supervisor" },
      ],
    });
    await expect(records.restartSlot("slot-9", "hand")).rejects.toMatchObject({ code: "slot_not_found" });
  });
});

test.each(stores)("what changes of context and skills is told: %s", async (_name, path) => {
  const records = await opened(path);
  await records.setContext("key", "value");
  await records.deleteContext("key");
  await records.deleteContext("key");
  const skill = {
    name: "greet",
    description: "",
    prompt: "",
    arguments: [],
    scope: "task",
    source: "runtime",
  } as const;
  await records.putSkill(skill);
  await records.deleteSkill("greet");
  await records.deleteSkill("greet");
  expect((await records.events(0, 100)).map(({ type, data }) => [type, data])).toEqual([
    ["context.changed", { key: "key", action: "set" }],
    ["context.changed", { key: "key", action: "deleted" }],
    ["skill.changed", { skill: "greet", action: "added" }],
    ["skill.changed", { skill: "greet", action: "removed" }],
  ]);
});
