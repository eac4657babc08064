import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MergeEnd } from "../../src/core/merge.ts";
import type { ProcessOwner } from "../../src/core/process-owner.ts";
import type { Sql } from "../../src/core/ports.ts";
import type { Records } from "../../src/core/records.ts";
import type { TaskWorkspace } from "../../src/core/workspace.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { submitAll, testHost, type TestHost } from "./temp-store.ts";

describe("whatever is done to a merge queue", () => {
  it("one merge at a time is under way for each target, in order, no task completes twice, and none waits for nothing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const world = await openWorld();
        try {
          for (const one of steps) {
            await act(world, one);
            expect(await broken(world)).toEqual([]);
          }
          expect(await completedTwice(world)).toEqual([]);
          expect(await counted(world.sql)).toEqual(await recounted(world.sql));
        } finally {
          await world.records.close();
        }
      }),
      { numRuns: 80 },
    );
  });
});

const ends = ["merged", "conflict", "checks_failed", "failed"] as const;

type Step =
  | { readonly do: "submit"; readonly review: boolean; readonly auto: boolean }
  | { readonly do: "end"; readonly index: number; readonly how: (typeof ends)[number] }
  | { readonly do: "take"; readonly pid: number; readonly dead: number }
  | { readonly do: "request" | "approve"; readonly index: number; readonly target: string; readonly rework: boolean }
  | { readonly do: "reject" | "cancel" | "cancelMerge" | "release"; readonly index: number }
  | { readonly do: "finish" | "reopen" };

const index = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("submit" as const), review: fc.boolean(), auto: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("finish" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("request" as const, "approve" as const),
      index,
      target: fc.constantFrom("main", "release"),
      rework: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("take" as const), pid: fc.nat(3), dead: fc.nat(8) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("end" as const), index, how: fc.constantFrom(...ends) }) },
  fc.record({ do: fc.constantFrom("reject", "cancel", "cancelMerge", "release"), index }),
  fc.record({ do: fc.constant("reopen" as const) }),
);

interface World {
  readonly records: Records;
  readonly sql: Sql;
  readonly host: TestHost;
}

async function openWorld(): Promise<World> {
  const sql = await openSqlite(":memory:");
  const records = await openRecords({ sql, clock: manualClock() });
  const world = { records, sql, host: await testHost(records, 2) };
  // Something to quarrel about from the start.
  for (const at of [0, 1, 2, 3]) {
    await carryOut(world, { do: "submit", review: at === 3, auto: at === 2 });
    await carryOut(world, { do: "finish" });
    if (at < 2) await carryOut(world, { do: "request", index: at, target: "main", rework: true });
  }
  return world;
}

async function act(world: World, one: Step): Promise<void> {
  try {
    await carryOut(world, one);
  } catch (error) {
    // A refusal is an answer too, and whatever was refused must have left everything as it was.
    if (
      !["invalid_transition", "nothing_to_merge", "merge_not_found", "task_not_found", "pool_shutdown"].includes(
        codeOf(error),
      )
    )
      throw error;
  }
}

async function carryOut(world: World, one: Step): Promise<unknown> {
  const { records, host } = world;
  switch (one.do) {
    case "submit":
      return submitAll(records, { review: one.review, merge: one.auto ? "auto" : "manual", maxRejections: 3 });
    case "finish":
      return finish(world);
    case "request":
      return records.requestMerge(request(await taskAt(world, one.index), one));
    case "approve": {
      const id = await taskAt(world, one.index);
      return records.approve(id, one.rework ? request(id, one) : undefined);
    }
    case "take":
      return records.takeMerge(holder(one.pid), ({ pid }) => pid === one.dead);
    case "end":
      return records.endMerge(await mergeAt(world, one.index), endOf(one.how));
    case "release":
      return records.releaseMerge(await mergeAt(world, one.index));
    case "cancelMerge":
      return records.cancelMerge(await mergeAt(world, one.index));
    case "cancel":
      return records.cancel(await taskAt(world, one.index));
    case "reject":
      return records.reject(await taskAt(world, one.index), "again");
    case "reopen":
      await records.setShutdown(true);
      await records.setShutdown(false);
      return host.open;
  }
}

async function finish({ records, host }: World): Promise<void> {
  const [lease] = host.open;
  if (lease === undefined) return;
  host.free(lease);
  const { id, merge } = lease.task;
  await records.finish({
    taskId: id,
    runId: lease.runId,
    cwd: "/repo",
    outcome: {
      kind: "completed",
      result: { output: "", success: true, costMicrodollars: 1, turnsUsed: 1, elapsedMs: 1 },
    },
    workspace: workspace(id),
    ...(merge === "auto" ? { merge: request(id, { target: "main", rework: true }) } : {}),
  });
}

/** What does not hold, in words. */
async function broken({ sql }: World): Promise<readonly string[]> {
  const wrong: string[] = [];
  const open = await sql.all(
    "SELECT number, id, repository, target, state, approves, task_seq FROM merge WHERE state IN ('queued', 'merging') ORDER BY number",
  );
  for (const [target, merges] of Map.groupBy(open, (row) => String(row.target))) {
    const underWay = merges.filter((row) => row.state === "merging");
    if (underWay.length > 1) wrong.push(`${target} has ${String(underWay.length)} merges under way`);
    if (underWay.length === 1 && merges[0]?.state !== "merging") wrong.push(`${target} is not merged in order`);
  }
  const waiting = await sql.all("SELECT id, state, merge_id FROM task WHERE merge_id IS NOT NULL");
  for (const task of waiting) {
    const isOpen = open.some((merge) => merge.id === task.merge_id && merge.approves === 1);
    if (task.state !== "pending_review" || !isOpen) wrong.push(`${String(task.id)} waits for ${String(task.merge_id)}`);
  }
  for (const merge of open.filter((row) => row.approves === 1)) {
    if (!waiting.some((task) => task.merge_id === merge.id)) wrong.push(`${String(merge.id)} approves nothing`);
  }
  return wrong;
}

async function completedTwice({ records }: World): Promise<readonly string[]> {
  const events = await records.events(0, 100_000);
  const ended = events.filter(
    (event) => event.type === "task.finished" && ["completed", "failed", "cancelled"].includes(event.data.state),
  );
  const ids = ended.map((event) => event.taskId ?? "");
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}

const states = ["pending", "running", "pending_review", "completed", "failed", "cancelled"];

async function counted(sql: Sql): Promise<unknown> {
  const [pool] = await sql.all("SELECT * FROM pool");
  return Object.fromEntries(states.map((state) => [state, pool?.[state]]));
}

async function recounted(sql: Sql): Promise<unknown> {
  const rows = await sql.all("SELECT state, COUNT(*) AS n FROM task GROUP BY state");
  return Object.fromEntries(states.map((state) => [state, rows.find((row) => row.state === state)?.n ?? 0]));
}

async function taskAt({ sql }: World, at: number): Promise<string> {
  const rows = await sql.all("SELECT id FROM task ORDER BY seq");
  return String(rows[at % Math.max(1, rows.length)]?.id ?? "task-none");
}

async function mergeAt({ sql }: World, at: number): Promise<string> {
  const rows = await sql.all("SELECT id FROM merge WHERE state IN ('queued', 'merging') ORDER BY number");
  return String(rows[at % Math.max(1, rows.length)]?.id ?? "merge-none");
}

function endOf(state: (typeof ends)[number]): MergeEnd {
  switch (state) {
    case "merged":
      return { state, before: "b", commit: "c" };
    case "conflict":
      return { state, before: "b", conflicts: ["a.txt"] };
    case "checks_failed":
      return { state, before: "b", checks: [] };
    case "failed":
      return { state, error: "git" };
  }
}

function request(taskId: string, { target, rework }: { readonly target: string; readonly rework: boolean }) {
  return {
    taskId,
    target,
    repository: "/repo/.git",
    method: "rebase",
    approves: true,
    onConflict: rework ? "rework" : "review",
  } as const;
}

function workspace(id: string): TaskWorkspace {
  return {
    isolation: "worktree",
    repository: "/repo/.git",
    path: "/repo/1",
    cwd: "/repo/1",
    branch: id,
    baseRef: "HEAD",
    baseCommit: "base",
    target: "main",
    saved: { ref: `refs/claude-pool/${id}`, commit: "work", tree: "tree", files: 1, insertions: 1, deletions: 0 },
  };
}

function holder(pid: number): ProcessOwner {
  return { pid, startTime: "1", bootId: "boot", hostname: "here" };
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code);
}
