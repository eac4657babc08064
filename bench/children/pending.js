// A host whose tasks never end, so that nearly all of 10,000 stay pending; says what memory that takes, in bytes. Plain
// JavaScript on the built package, as users run it: reading TypeScript would cost memory that is not the pool's.
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { openPool } from "../../dist/index.js";
import { scriptedRunner } from "../../dist/testing/index.js";

process.once("disconnect", () => process.exit(1));
const { cwd, store, tasks, batch, promptCharacters } = JSON.parse(process.argv[2]);
const never = new Promise(() => undefined);
const pool = await openPool({ cwd, store, slots: 4, runner: scriptedRunner(() => never) });
const before = process.memoryUsage.rss();
for (let submitted = 0; submitted < tasks; submitted += batch) {
  await pool.submitMany(Array.from({ length: batch }, () => "p".repeat(promptCharacters)));
}
const { pendingTasks: pending } = await pool.status();
await pause(3_000); // a few rounds of the host with everything pending
process.send({ pending, before, after: process.memoryUsage.rss(), peak: process.resourceUsage().maxRSS * 1024 });
