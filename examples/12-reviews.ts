/** A reviewed task: rejected with feedback, done again with it, approved. */
import { openPool } from "claude-pool";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.on("Too long", text("Short and good.")).on("Write a summary", text("A very long summary."));

await using pool = await openPool({ slots: 1, ...stage.options });

const task = await pool.submitWithReview("Write a summary of notes.md", { maxRejections: 2 });
const first = await task.outcome();
console.log(first.state, first.result?.output);

const rejected = await pool.reject(task.id, "Too long: one sentence, please.");
console.log(rejected.state, `${String(rejected.rejectionCount)} of ${String(rejected.maxRejections)}`);

const second = await task.outcome();
console.log(second.state, second.result?.output);

const approved = await pool.approve(task.id);
console.log(approved.state, `${String((await pool.runs(task.id)).length)} runs`);
