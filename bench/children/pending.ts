/** A host whose tasks never end, so that nearly all of 10,000 stay pending; says what memory that takes. */
import { openPool } from "../../src/index.ts";
import { scriptedRunner } from "../../src/testing/index.ts";

export interface PendingOrder {
  readonly store: string;
  readonly cwd: string;
  readonly tasks: number;
  readonly batch: number;
  readonly promptCharacters: number;
}

/** In bytes. */
export interface PendingAnswer {
  readonly pending: number;
  readonly before: number;
  readonly after: number;
  readonly peak: number;
}

process.once("disconnect", () => process.exit(1));
const order = JSON.parse(process.argv[2] ?? "") as PendingOrder;
const never = new Promise<string>(() => undefined);
const pool = await openPool({ cwd: order.cwd, store: order.store, slots: 4, runner: scriptedRunner(() => never) });
const before = process.memoryUsage.rss();
for (let submitted = 0; submitted < order.tasks; submitted += order.batch) {
  await pool.submitMany(Array.from({ length: order.batch }, () => "p".repeat(order.promptCharacters)));
}
const { pendingTasks: pending } = await pool.status();
// A few rounds of the host with everything pending.
setTimeout(() => {
  const after = process.memoryUsage.rss();
  const peak = process.resourceUsage().maxRSS * 1024;
  process.send?.({ pending, before, after, peak } satisfies PendingAnswer);
}, 3_000);
