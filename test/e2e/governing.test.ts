/** The usage limit of a subscription, as the real CLI meets it on the scripted API. */
import { expect, it } from "vitest";
import { text, usageLimit, withLimits } from "../../src/testing/index.ts";
import { place, realPool } from "./real-pool.ts";

it("parks eight tasks at the first rejection, asks once at the reset, and completes them all", async () => {
  const here = await place("subscription");
  const resetsAtMs = Math.ceil(Date.now() / 1_000) * 1_000 + 4_000;
  // Which reply a request gets is for the time to say: used up until the reset, free after it.
  const used = usageLimit({ resetsAtMs });
  const free = withLimits(text("done"), { status: "allowed", utilization: 0.1, resetsAtMs: resetsAtMs + 3_600_000 });
  const times: number[] = [];
  here.api.otherwise({
    play: (exchange) => {
      times.push(Date.now());
      return (Date.now() < resetsAtMs ? used : free).play(exchange);
    },
  });
  const pool = await realPool(here, { slots: 2, rampStepMs: 200 });
  const tasks = await pool.submitMany(Array.from({ length: 8 }, (_, index) => `Say done, ${String(index)}`));
  for await (const event of pool.events({ after: 0 })) if (event.type === "governor.changed") break;
  const { heldBack, pendingTasks } = await pool.status();
  const outcomes = await Promise.all(tasks.map((task) => task.outcome()));
  const ledger = await Promise.all(tasks.map((task) => pool.runs(task.id)));
  const runs = ledger.map((all) => all.map((run) => run.outcome));
  const conversations = ledger.map((all) => new Set(all.map((run) => run.sessionId)).size);
  const limited = runs.filter((all) => all.includes("limited")).length;
  const begun = (await pool.sessionMetrics()).heldBack;
  expect({
    heldBack,
    waiting: pendingTasks >= 7,
    states: outcomes.map((outcome) => [outcome.state, outcome.result?.output]),
    learned: limited >= 1 && limited <= 2,
    before: times.filter((at) => at < resetsAtMs).length,
    runs: runs.every((all) => all.at(-1) === "completed" && all.length <= 2),
    conversations,
    reasons: begun.map(({ reason, times: count }) => [reason, count]),
  }).toEqual({
    heldBack: { reason: "limit", untilMs: resetsAtMs },
    waiting: true,
    states: Array.from({ length: 8 }, () => ["completed", "done"]),
    learned: true,
    before: limited,
    runs: true,
    conversations: Array.from({ length: 8 }, () => 1),
    reasons: [["limit", 1]],
  });
});
