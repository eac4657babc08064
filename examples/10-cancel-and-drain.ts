/** Stop one task, then close the pool in good order. After `cancel` nothing of the task is alive. */
import { openPool } from "claude-pool";
import { gate, text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
const held = gate();
stage.api.on("for ever", held);
stage.api.otherwise(text("Done."));

await using pool = await openPool({ slots: 2, ...stage.options });
const endless = await pool.submit("Work for ever");
await held.reached;
console.log((await endless.cancel()).state);

await pool.submit("One last thing");
const summary = await pool.drain({ graceMs: 30_000 });
console.log(
  `${String(summary.cancelledPending.length)} pending and ${String(summary.cancelledRunning.length)} running cancelled`,
);
