import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ChainSpec } from "../../src/core/chain.ts";
import type { PoolError } from "../../src/core/errors.ts";
import { newChainId } from "../../src/core/ids.ts";
import type { Records } from "../../src/core/records.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { manualClock, type ManualClock } from "../../src/testing/manual-clock.ts";
import { collect, linesOf, submitAll, tempFolder, testHost } from "./temp-store.ts";

const stores: readonly (readonly [string, () => Promise<string>])[] = [
  ["memory", () => Promise.resolve(":memory:")],
  ["a file", async () => join(await tempFolder(), "pool.db")],
];

describe.each(stores)("chains and reviews in %s", (_name, place) => {
  async function opened(): Promise<{ readonly records: Records; readonly clock: ManualClock }> {
    const clock = manualClock(1_700_000_000_000);
    const records = await openRecords({ sql: await openSqlite(await place()), clock });
    onTestFinished(() => records.close());
    return { records, clock };
  }

  async function submitted(records: Records, spec: ChainSpec, originHost?: string): Promise<TaskRecord> {
    const origin = originHost === undefined ? {} : { originHost };
    const [chain] = await records.submitChains([{ id: newChainId(), spec, ...origin }]);
    if (chain === undefined) throw new Error("no chain was admitted");
    return chain;
  }

  async function states(records: Records, id: string): Promise<readonly string[] | undefined> {
    return (await records.chain(id))?.steps.map((step) => step.state);
  }

  it("leases a step's successor in the transaction that ends the step", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    await submitted(records, {
      steps: [
        { name: "a", prompt: "1" },
        { name: "b", prompt: "2" },
      ],
    });
    const before = host.leases.length;
    await host.finish();
    expect([before, host.leases.map((lease) => lease.task.prompt)]).toEqual([1, ["1", "2"]]);
  });

  it("starts no step twice when the same run is handed in twice", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const chain = await submitted(records, {
      steps: [
        { name: "a", prompt: "1" },
        { name: "b", prompt: "2" },
      ],
    });
    const [lease] = host.leases;
    const ends = [await host.finish({}, lease), await host.finish({}, lease)];
    const { tasks } = await records.list({ kind: "task" }, { limit: 10 });
    expect([ends.map((end) => end?.state), tasks.length, await states(records, chain.id)]).toEqual([
      ["completed", undefined],
      2,
      ["completed", "running"],
    ]);
  });

  it.each(["the sweep", "the pick"])("fails a step that waited too long for a slot, as %s finds it", async (by) => {
    const { records, clock } = await opened();
    const chain = await submitted(records, {
      queueTimeoutMs: 5,
      steps: [
        { name: "a", prompt: "1", continueOnError: true },
        { name: "b", prompt: "2" },
      ],
    });
    clock.advance(10);
    if (by === "the sweep") await records.sweep();
    const host = await testHost(records, 1);
    await records.dispatch();
    await records.dispatch();
    const [lease] = host.leases;
    expect([await states(records, chain.id), lease?.task.prompt]).toEqual([["failed", "running"], "2"]);
  });

  it("ends cancelled with a pending step that is cancelled by itself", async () => {
    const { records } = await opened();
    const chain = await submitted(records, {
      steps: [
        { name: "a", prompt: "1" },
        { name: "b", prompt: "2" },
      ],
    });
    const [step] = (await records.list({ kind: "task", state: "pending" }, { limit: 10 })).tasks;
    await records.cancel(step?.id ?? "");
    expect([await states(records, chain.id), (await records.get(chain.id))?.state]).toEqual([
      ["cancelled", "cancelled"],
      "cancelled",
    ]);
  });

  it("admits many together, or none where the last is refused", async () => {
    const { records } = await opened();
    await records.setBudget(1_000_000, "none");
    const spec = (usd: number): ChainSpec => ({ steps: [{ name: "a", prompt: "1" }], maxBudgetUsd: usd });
    const chains = (...caps: readonly number[]) => caps.map((usd) => ({ id: newChainId(), spec: spec(usd) }));
    const before = await records.lastEventSeq();
    const refused = await records.submitChains(chains(0.5, 5)).catch((error: unknown) => (error as PoolError).code);
    const after = [await records.lastEventSeq(), (await records.listChains({ limit: 5 })).length];
    const both = await records.submitChains(chains(0.4, 0.5));
    expect([refused, after, both.map(({ state }) => state)]).toEqual([
      "task_budget_exceeds_remaining",
      [before, 0],
      ["running", "running"],
    ]);
  });

  it("fails a chain with the tasks that its attached run leaves", async () => {
    const { records } = await opened();
    const chain = await submitted(records, { steps: [{ name: "a", prompt: "1" }] }, "host-x");
    await records.failPending("host-x", "launch", "no Claude");
    const record = await records.get(chain.id);
    expect([record?.state, record?.result?.reason, record?.result?.error]).toEqual([
      "failed",
      "launch",
      "Step a failed: no Claude",
    ]);
  });

  it("counts steps and not chains, through to pruning", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    const chain = await submitted(records, { steps: [{ name: "a", prompt: "1" }] });
    const running = await records.status();
    await host.finish();
    const done = await records.status();
    clock.advance(10);
    const pruned = await records.prune(clock.now());
    const after = await records.status();
    expect({
      counts: [running, done, after].map((status) => [status.runningTasks, status.completedTasks]),
      pruned: pruned.tasks,
      chain: await records.chain(chain.id),
    }).toEqual({
      counts: [
        [1, 0],
        [0, 1],
        [0, 0],
      ],
      pruned: 2,
      chain: undefined,
    });
  });

  it("keeps the steps of a chain from pruning as long as the chain itself", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    const chain = await submitted(records, {
      steps: [
        { name: "a", prompt: "1" },
        { name: "b", prompt: "2" },
      ],
    });
    await host.finish();
    clock.advance(10);
    const under = await records.prune(clock.now());
    await host.finish();
    const result = (await records.get(chain.id))?.result;
    const early = await records.prune(clock.now());
    clock.advance(10);
    const late = await records.prune(clock.now());
    expect([under.tasks, early.tasks, result?.turnsUsed, late.tasks]).toEqual([0, 0, 2, 3]);
  });

  it("goes on after an export and an import as if nothing had been", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const spec: ChainSpec = {
      name: "three",
      maxBudgetUsd: 5,
      steps: [
        { name: "a", prompt: "1", outputVars: { file_name: "f" }, missingVars: "empty" },
        { name: "b", prompt: "2 {steps.a.file_name}", retries: 2, jsonSchema: { type: "object" } },
        { name: "c", prompt: "3" },
      ],
    };
    const chain = await submitted(records, spec);
    await host.finish({ output: '{"f":"x.ts"}' });
    const lines = await collect(records.exportLines());
    const { records: copy } = await opened();
    await copy.importLines(linesOf(lines));
    const copyHost = await testHost(copy, 1);
    await copy.dispatch();
    await copyHost.finish();
    await copyHost.finish();
    const progress = await copy.chain(chain.id);
    expect({
      spec: await copy.chainSpec(chain.id),
      prompts: copyHost.leases.map((lease) => lease.task.prompt),
      states: progress?.steps.map((step) => step.state),
      state: (await copy.get(chain.id))?.state,
      sums: progress?.totalCostMicrodollars === (await copy.status()).totalSpendMicrodollars,
    }).toEqual({
      spec,
      prompts: ["2 x.ts", "3"],
      states: ["completed", "completed", "completed"],
      state: "completed",
      sums: true,
    });
  });

  it("puts a step back when its host is lost, and goes on with it", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const chain = await submitted(records, {
      steps: [
        { name: "a", prompt: "1" },
        { name: "b", prompt: "2" },
      ],
    });
    await records.recoverRun(host.leases[0]?.runId ?? "", {}, 7);
    await records.dispatch();
    const under = await states(records, chain.id);
    const again = await testHost(records, 1, { id: "host-b" });
    await records.dispatch();
    await again.finish();
    await again.finish();
    expect([under, await states(records, chain.id), (await records.chain(chain.id))?.totalCostMicrodollars]).toEqual([
      ["running", "waiting"],
      ["completed", "completed"],
      27,
    ]);
  });

  it("waits before a retry as long as it was told, twice as long before the next", async () => {
    const { records, clock } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, { prompt: "x", retries: 2, retryDelayMs: 1_000 });
    const first = await host.finish({ kind: "failed", error: "one" });
    clock.advance(1_000);
    await records.sweep();
    const second = await host.finish({ kind: "failed", error: "two" });
    clock.advance(2_000);
    await records.sweep();
    const third = await host.finish({ kind: "failed", error: "three" });
    const runs = await records.runs(task?.id ?? "");
    expect([
      [first, second, third].map((record) => [
        record?.state,
        record?.hold,
        record?.retryCount,
        record?.plan?.lastError,
      ]),
      runs.length,
    ]).toEqual([
      [
        ["pending", { reason: "retry", untilMs: 1_700_000_001_000 }, 1, "one"],
        ["pending", { reason: "retry", untilMs: 1_700_000_003_000 }, 2, "two"],
        ["failed", undefined, 2, "two"],
      ],
      3,
    ]);
  });

  it("approves a task in review and no other", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, { review: true });
    const id = task?.id ?? "";
    await expect(records.approve(id)).rejects.toMatchObject({ code: "invalid_transition" });
    await host.finish({ output: "answer" });
    const approved = await records.approve(id);
    await expect(records.approve(id)).rejects.toMatchObject({ code: "invalid_transition" });
    await expect(records.approve("task-000000000000")).rejects.toMatchObject({ code: "task_not_found" });
    expect([approved.state, approved.result?.output]).toEqual(["completed", "answer"]);
  });

  it("says of a task that is in no review that it cannot be rejected, even where one rejection would be the last", async () => {
    const { records } = await opened();
    const [task] = await submitAll(records, { review: true, maxRejections: 1 });
    await expect(records.reject(task?.id ?? "", "no")).rejects.toMatchObject({
      message: `Cannot reject task ${task?.id ?? ""}: it is pending.`,
    });
  });

  it("rejects with every feedback so far, and fails the task at the limit with its answer kept", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, { review: true, maxRejections: 2 });
    const id = task?.id ?? "";
    await host.finish({ output: "one" });
    const first = await records.reject(id, "shorter");
    await host.finish({ output: "two" });
    const second = await records.reject(id, "still too long");
    const stored = await records.get(id);
    expect([
      [first.state, first.rejectionCount, first.plan],
      [second.state, second.rejectionCount, second.result?.reason, second.result?.output],
      stored,
    ]).toEqual([
      ["pending", 1, { feedback: ["shorter"], rejectedOutput: "one" }],
      ["failed", 2, "rejected", "two"],
      second,
    ]);
  });

  it("takes the first rejection for the last where one is allowed", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, { review: true, maxRejections: 1 });
    await host.finish();
    expect((await records.reject(task?.id ?? "", "no")).state).toBe("failed");
  });

  it("adds up turns and costs of a chain over retries", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const chain = await submitted(records, { steps: [{ name: "a", prompt: "1", retries: 1 }] });
    await host.finish({ kind: "failed", turnsUsed: 3, costMicrodollars: 5 });
    await host.finish({ turnsUsed: 4, costMicrodollars: 6 });
    const result = (await records.get(chain.id))?.result;
    const [step] = (await records.list({ kind: "task" }, { limit: 1 })).tasks;
    const runs = await records.runs(step?.id ?? "");
    expect([result?.turnsUsed, result?.costMicrodollars, runs.map((run) => run.superseded)]).toEqual([
      7,
      11,
      ["retried", undefined],
    ]);
  });

  it("admits a rejected task as any other: not when the pool is drained, nor when its money is gone", async () => {
    const { records } = await opened();
    const host = await testHost(records, 2);
    await records.setBudget(1_000_000, "none");
    const [task] = await submitAll(records, { review: true });
    const id = task?.id ?? "";
    await host.finish();
    await records.setShutdown(true);
    await expect(records.reject(id, "no")).rejects.toMatchObject({ code: "pool_shutdown" });
    await records.setShutdown(false);
    await submitAll(records, { prompt: "dear" });
    await host.finish({ costMicrodollars: 2_000_000 });
    await expect(records.reject(id, "no")).rejects.toMatchObject({ code: "budget_exhausted" });
    const approved = await records.approve(id);
    expect(approved.state).toBe("completed");
  });

  it("cancels a task in review with its answer kept", async () => {
    const { records } = await opened();
    const host = await testHost(records, 1);
    const [task] = await submitAll(records, { review: true });
    await host.finish({ output: "answer" });
    const cancelled = await records.cancel(task?.id ?? "");
    expect([cancelled.state, cancelled.result?.output, (await records.status()).pendingReviewTasks]).toEqual([
      "cancelled",
      "answer",
      0,
    ]);
  });
});
