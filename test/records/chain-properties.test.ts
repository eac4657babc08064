/** Chains of any shape, whose steps end in any way and are cancelled and reviewed at any time, against the sums. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { StepSpec } from "../../src/core/chain.ts";
import { newChainId } from "../../src/core/ids.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { testHost } from "./temp-store.ts";

interface Node {
  readonly needs: readonly number[];
  readonly mayFail: boolean;
  readonly review: boolean;
  readonly retries: number;
  readonly recovers: boolean;
}

const node: fc.Arbitrary<Node> = fc.record({
  needs: fc.array(fc.nat(5), { maxLength: 2 }),
  mayFail: fc.boolean(),
  review: fc.boolean(),
  retries: fc.nat(2),
  recovers: fc.boolean(),
});

function stepsOf(nodes: readonly Node[]): readonly StepSpec[] {
  return nodes.map(({ needs, mayFail, review, retries, recovers }, index) => ({
    name: `s${String(index)}`,
    prompt: `p${String(index)}`,
    needs: [...new Set(needs.filter((need) => need < index))].map((need) => `s${String(need)}`),
    continueOnError: mayFail,
    review,
    retries,
    ...(recovers ? { recoveryPrompt: "mend {error}" } : {}),
  }));
}

const graph = fc.array(node, { minLength: 1, maxLength: 6 }).map(stepsOf);

it("every chain ends once, in a state that its steps explain, and every sum is right", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(graph, { minLength: 1, maxLength: 3 }),
      fc.infiniteStream(fc.nat(99)),
      async (graphs, chances) => {
        const chance = (): number => chances.next().value as number;
        const records = await openRecords({ sql: await openSqlite(":memory:"), clock: manualClock() });
        try {
          const host = await testHost(records, 2);
          const chains = graphs.map((steps) => ({ id: newChainId(), spec: { steps } }));
          const ids = (await records.submitChains(chains)).map(({ id }) => id);
          for (let turn = 0; ; turn += 1) {
            expect(turn).toBeLessThan(500);
            const luck = chance();
            const [waiting] = (await records.list({ state: "pending_review" }, { limit: 1 })).tasks;
            const [first] = ids;
            if (luck < 3 && first !== undefined) await records.cancel(first);
            else if (waiting !== undefined)
              await (luck < 60 ? records.approve(waiting.id) : records.reject(waiting.id, "no"));
            else if (host.open[0] !== undefined) {
              const kind = luck < 60 ? "completed" : luck < 90 ? "failed" : luck < 95 ? "lost" : "cancelled";
              await host.finish({ kind });
            } else {
              const { tasks } = await records.list({ kind: "chain", state: "running" }, { limit: 5 });
              if (tasks.length === 0) break;
              await records.dispatch();
            }
          }
          for (const id of ids) {
            const [chain, record] = [await records.chain(id), await records.get(id)];
            const states = chain?.steps.map((step) => step.state) ?? [];
            const runs = await Promise.all(
              (chain?.steps ?? []).map((step) =>
                step.taskId === undefined ? Promise.resolve([]) : records.runs(step.taskId),
              ),
            );
            const ledger = runs.flat().reduce((sum, run) => sum + run.costMicrodollars, 0);
            const ends = (await records.events(0, 10_000, id)).filter((event) => event.type === "task.finished");
            expect({
              over: states.every((state) => ["completed", "failed", "skipped", "cancelled"].includes(state)),
              ends: ends.length,
              costs: [chain?.totalCostMicrodollars, record?.result?.costMicrodollars],
              explained:
                record?.state === "completed"
                  ? !states.includes("cancelled")
                  : record?.state === "failed"
                    ? states.includes("failed")
                    : true,
            }).toEqual({ over: true, ends: 1, costs: [ledger, ledger], explained: true });
          }
          const { tasks } = await records.list({ kind: "task" }, { limit: 1_000 });
          const status = await records.status();
          const counted = (state: string): number => tasks.filter((task) => task.state === state).length;
          expect([
            status.completedTasks,
            status.failedTasks,
            status.cancelledTasks,
            status.pendingTasks,
            status.runningTasks,
            status.heldTasks,
          ]).toEqual([counted("completed"), counted("failed"), counted("cancelled"), 0, 0, 0]);
        } finally {
          await records.close();
        }
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);
