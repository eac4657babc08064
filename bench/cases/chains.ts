/** What chains cost the pool itself: a step's share of a chain, long and many chains, and the pick beside what waits for review. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openPool, type Pool, type StepSpec } from "../../src/index.ts";
import { pickQuery } from "../../src/records/lease.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { completed, scriptedRunner } from "../../src/testing/index.ts";
import { type Bench, type Figure, median, percentile, round, timed } from "../figure.ts";
import { withFolder } from "../ground/folder.ts";

const costMicrodollars = 1_000;
const output = "o".repeat(2_000);
const reviews = 10_000;
/** As many as a host with 16 slots asks for. */
const picked = 16;

export const chains: Bench = async ({ quick }) => [
  await stepTime(quick),
  await longChain(),
  await manyChains(),
  await pickBesideReviews(quick),
];

/** A runner that answers at once, so that all of the time is the pool's own. */
function withPool<T>(slots: number, body: (pool: Pool, store: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const store = join(folder, "pool.db");
    const runner = scriptedRunner(() => completed(output, { costMicrodollars }));
    await using pool = await openPool({ cwd: folder, store, slots, runner });
    return await body(pool, store);
  });
}

function steps(count: number): readonly StepSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `s${String(index)}`,
    prompt: `${"p".repeat(1_000)} {previous_output}`,
  }));
}

async function stepTime(quick: boolean): Promise<Figure> {
  return withPool(1, async (pool) => {
    const seen: number[] = [];
    const rounds = quick ? 50 : 200;
    for (let number = 0; number < rounds + 20; number += 1) {
      const ms = await timed(() => pool.runChain(steps(5)));
      if (number >= 20) seen.push(ms / 5); // the first warm the code up
    }
    return {
      id: "chain_step",
      what: "a step of a 5-step chain, the pool's own time with an instant runner",
      value: round(median(seen), 3),
      unit: "ms",
      target: { atMost: 2 },
      details: { p99_ms: round(percentile(seen, 99), 3), rounds },
    };
  });
}

async function longChain(): Promise<Figure> {
  return withPool(1, async (pool) => {
    const count = 1_000;
    const ms = await timed(async () => {
      const result = await pool.runChain(steps(count));
      await checkSums(pool, result.totalCostMicrodollars, count);
    });
    return {
      id: "chain_of_1000",
      what: "a step of a chain of 1,000 steps, its sums checked",
      value: round(ms / count, 3),
      unit: "ms",
      target: { atMost: 5 },
      details: { chain_ms: Math.round(ms) },
    };
  });
}

async function manyChains(): Promise<Figure> {
  return withPool(8, async (pool) => {
    const [count, length] = [200, 5];
    const ms = await timed(async () => {
      const settled = await pool.fanOutChains(Array.from({ length: count }, () => steps(length)));
      const costs = settled.map((one) => (one.status === "fulfilled" ? one.result.totalCostMicrodollars : 0));
      const total = costs.reduce((sum, cost) => sum + cost, 0);
      await checkSums(pool, total, count * length);
    });
    return {
      id: "chains_200_of_5",
      what: "200 chains of 5 steps on 8 slots, their sums checked",
      value: Math.round((1_000 * count * length) / ms),
      unit: "tasks/s",
      target: { atLeast: 500 },
      details: { all_ms: Math.round(ms) },
    };
  });
}

async function checkSums(pool: Pool, total: number, runs: number): Promise<void> {
  const { totalSpendMicrodollars, completedTasks } = await pool.status();
  const expected = runs * costMicrodollars;
  if (total === expected && totalSpendMicrodollars === expected && completedTasks === runs) return;
  throw new Error(
    `chains cost ${String(total)}, the ledger says ${String(totalSpendMicrodollars)}, ${String(expected)} is right`,
  );
}

/** The pick with ten thousand tasks in review, against the pick with none. */
async function pickBesideReviews(quick: boolean): Promise<Figure> {
  const calls = quick ? 500 : 3_000;
  const [alone, beside] = [await pickTime(calls, 0), await pickTime(calls, reviews)];
  return {
    id: "pick_beside_reviews",
    what: "the pick with 10,000 tasks waiting for review, against the pick with none",
    value: round(beside / alone),
    unit: "times",
    target: { atMost: 1.25 },
    details: { with_ms: round(beside, 4), without_ms: round(alone, 4), calls },
  };
}

function pickTime(calls: number, waiting: number): Promise<number> {
  return withPool(0, async (pool, store) => {
    await pool.submitMany(
      Array.from({ length: waiting + picked * 4 }, () => ({ prompt: "p".repeat(1_000), review: true })),
    );
    putIntoReview(store, waiting);
    const sql = await openSqlite(store);
    const seen: number[] = [];
    for (let call = 0; call < calls; call += 1) {
      seen.push(
        await timed(async () => {
          const rows = await sql.all(pickQuery, [picked]);
          if (rows.length !== picked) throw new Error("the pick found too few");
        }),
      );
    }
    await sql.close();
    return median(seen);
  });
}

/** The rows that so many runs would have left: of all that is pending, the first. */
function putIntoReview(store: string, waiting: number): void {
  const db = new DatabaseSync(store);
  db.prepare("UPDATE task SET state = 'pending_review' WHERE seq <= ?").run(waiting);
  db.prepare("UPDATE pool SET pending = pending - ?1, pending_review = pending_review + ?1").run(waiting);
  db.close();
}
