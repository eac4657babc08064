import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sql } from "../../src/core/ports.ts";
import type { Records } from "../../src/core/records.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";
import { hostRecord, submitAll, type TestHost, testHost } from "./temp-store.ts";

describe("whatever is done to a pool", () => {
  it("its counters are those of its rows, its money that of its ledger, and its events have no gap", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const world = await openWorld();
        try {
          for (const one of steps) await act(world, one);
          expect(await counted(world.sql)).toEqual(await recounted(world));
        } finally {
          await world.records.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});

type Step =
  | {
      readonly do: "submit";
      readonly capped: boolean;
      readonly review: boolean;
      readonly queued: boolean;
      readonly count: number;
    }
  | {
      readonly do: "finish";
      readonly kind: "completed" | "failed" | "cancelled" | "timed_out" | "limited" | "lost";
      readonly held: boolean;
      readonly cost: number;
    }
  | { readonly do: "cancel"; readonly index: number }
  | { readonly do: "budget"; readonly cap: number | undefined }
  | { readonly do: "advance" | "sweep" | "cancelPending" | "recover" | "prune" | "reset" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("submit" as const),
    capped: fc.boolean(),
    review: fc.boolean(),
    queued: fc.boolean(),
    count: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    do: fc.constant("finish" as const),
    kind: fc.constantFrom("completed", "failed", "cancelled", "timed_out", "limited", "lost"),
    held: fc.boolean(),
    cost: fc.integer({ min: 0, max: 60_000 }),
  }),
  fc.record({ do: fc.constant("cancel" as const), index: fc.nat(20) }),
  fc.record({
    do: fc.constant("budget" as const),
    cap: fc.option(fc.integer({ min: 0, max: 300_000 }), { nil: undefined }),
  }),
  fc.record({ do: fc.constantFrom("advance", "sweep", "cancelPending", "recover", "prune", "reset") }),
);

interface World {
  readonly records: Records;
  readonly sql: Sql;
  readonly clock: ManualClock;
  host: TestHost;
  hosts: number;
  /** What the runs had cost that were pruned. */
  pruned: number;
}

async function openWorld(): Promise<World> {
  const clock = manualClock();
  const sql = await openSqlite(":memory:");
  const records = await openRecords({ sql, clock });
  return { records, sql, clock, host: await testHost(records, 3), hosts: 1, pruned: 0 };
}

async function act(world: World, one: Step): Promise<void> {
  const { records, clock, host } = world;
  switch (one.do) {
    case "submit": {
      const spec = {
        ...(one.capped ? { maxBudgetUsd: 0.05 } : {}),
        ...(one.queued ? { queueTimeoutMs: 15 } : {}),
        review: one.review,
      };
      // At the cap this is refused, which must leave everything as it was.
      await Promise.allSettled([submitAll(records, ...Array.from({ length: one.count }, () => spec))]);
      return;
    }
    case "finish": {
      const [lease] = host.open;
      if (lease !== undefined) await host.finish({ kind: one.kind, costMicrodollars: one.cost }, lease);
      return;
    }
    case "cancel": {
      const task = (await records.list({}, { limit: 21 })).tasks[one.index];
      if (task !== undefined) await records.cancel(task.id);
      return;
    }
    case "budget":
      await records.setBudget(one.cap, "day");
      return;
    case "reset":
      await records.resetBudget();
      return;
    case "advance":
      clock.advance(10);
      return;
    case "sweep":
      await records.sweep();
      return;
    case "cancelPending":
      await records.cancelPending();
      return;
    case "prune": {
      const before = await ledgerCost(world.sql);
      await records.prune(clock.now());
      world.pruned += before - (await ledgerCost(world.sql));
      return;
    }
    case "recover":
      await replaceHost(world);
  }
}

/** The host dies, and the next one takes over. */
async function replaceHost(world: World): Promise<void> {
  const { records, host } = world;
  world.hosts += 1;
  const id = `host-${String(world.hosts)}`;
  await records.startHost(hostRecord(`${id}-recoverer`));
  await records.claimRecovery(host.id, `${id}-recoverer`);
  for (const { run } of await records.runningOf(host.id)) await records.recoverRun(run.runId, {}, 7);
  await records.endHost(host.id);
  world.host = await testHost(records, 3, { id });
}

async function counted(sql: Sql): Promise<unknown> {
  const [row] = await sql.all(
    "SELECT pending, held, running, pending_review, completed, failed, cancelled, reserved, total, event_seq FROM pool",
  );
  return row && { ...row };
}

async function ledgerCost(sql: Sql): Promise<number> {
  return Number((await sql.all("SELECT COALESCE(SUM(cost), 0) AS cost FROM run"))[0]?.cost);
}

async function recounted({ sql, pruned }: World): Promise<unknown> {
  const [row] = await sql.all(
    `SELECT
    COUNT(*) FILTER (WHERE state = 'pending') AS pending,
    COUNT(*) FILTER (WHERE hold_reason IS NOT NULL) AS held,
    COUNT(*) FILTER (WHERE state = 'running') AS running,
    COUNT(*) FILTER (WHERE state = 'pending_review') AS pending_review,
    COUNT(*) FILTER (WHERE state = 'completed') AS completed,
    COUNT(*) FILTER (WHERE state = 'failed') AS failed,
    COUNT(*) FILTER (WHERE state = 'cancelled') AS cancelled,
    (SELECT COALESCE(SUM(reserved), 0) FROM run WHERE ended_at_ms IS NULL) AS reserved,
    (SELECT COALESCE(SUM(cost), 0) FROM run) + ? AS total,
    (SELECT MAX(seq, event_seq) FROM (SELECT COALESCE(MAX(seq), 0) AS seq FROM event), pool) AS event_seq
    FROM task`,
    [pruned],
  );
  return row && { ...row };
}
