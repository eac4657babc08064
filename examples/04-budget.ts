/** Money: a cap for the pool, a cap for a task, and what happens at each. */
import { openPool, PoolError } from "claude-pool";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.otherwise(text("Expensive thoughts.", { usage: { outputTokens: 20_000 } }));

await using pool = await openPool({ slots: 1, budgetUsd: 0.1, ...stage.options });
await pool.run("Think about it");
const budget = await pool.budget.show();
console.log(`spent ${dollars(budget.spentMicrodollars)} of ${dollars(budget.capMicrodollars ?? 0)}`);

try {
  await pool.submit("Think again");
} catch (error) {
  if (!(error instanceof PoolError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}

await pool.budget.set({ usd: 50 });
const task = await pool.submit("Think once more", { maxBudgetUsd: 0.01 });
const outcome = await task.outcome();
console.log(outcome.state, outcome.result?.reason, outcome.result?.budgetExceeded === true ? "(over its own cap)" : "");

function dollars(microdollars: number): string {
  return `$${(microdollars / 1_000_000).toFixed(2)}`;
}
