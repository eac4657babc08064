/** What work would cost, what it did cost, a budget for a tag, and a usage limit that parks the pool and passes. */
import { openPool, PoolError } from "claude-pool";
import { text, usageLimit, withLimits } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
// As a subscription: the limits are only believed with its way of logging in.
const env = stage.api.environment(`${stage.folder}/../home`, "subscription");
const resetsAtMs = Date.now() + 3_000;
stage.api.on("limited", {
  play: (exchange) => (Date.now() < resetsAtMs ? usageLimit({ resetsAtMs }) : text("Done.")).play(exchange),
});
stage.api.otherwise(
  withLimits(text("Done."), { status: "allowed", utilization: 0.3, resetsAtMs: resetsAtMs + 3_600_000 }),
);

await using pool = await openPool({ slots: 2, ...stage.options, env });
await pool.budget.setScope({ tag: "review" }, 5);
console.log("before any run:", (await pool.estimate("Review it", { tags: ["review"] })).known ? "known" : "not known");
await pool.fanOut(
  ["a", "b", "c", "d", "e"].map((name) => `Review ${name}`),
  { tags: ["review"] },
);
const estimate = await pool.estimate("Review f", { tags: ["review"] });
if (estimate.known) console.log(`the next one: about ${dollars(estimate.costMicrodollars.typical)}`);

await pool.budget.setScope({ tag: "review" }, 0.000001); // it goes on counting, so that is used up
await pool.run("Review f", { tags: ["review"] }).catch((error: unknown) => {
  if (!(error instanceof PoolError)) throw error;
  console.log(error.code);
});

const task = await pool.submit("This one is limited");
for await (const event of pool.events({ after: 0 })) if (event.type === "governor.changed") break;
console.log("held back by", (await pool.status()).heldBack?.reason);
console.log((await task.outcome()).result?.output);

const metrics = await pool.sessionMetrics();
console.log(
  `${String(metrics.completedTasks)} completed, a completed one cost ${dollars(metrics.costPerCompletedMicrodollars)}`,
);

function dollars(microdollars: number): string {
  return `$${(microdollars / 1_000_000).toFixed(4)}`;
}
