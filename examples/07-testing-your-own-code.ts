/** Test a program that uses a pool: in memory with a scripted runner, in milliseconds, without login, process or cost. */
import assert from "node:assert/strict";
import { openPool, type Pool } from "claude-pool";
import { completed, failed, scriptedRunner } from "claude-pool/testing";

/** The code under test. */
async function reviewAll(pool: Pool, files: readonly string[]): Promise<readonly string[]> {
  const reviews = await pool.fanOut(files.map((file) => `Review ${file}`));
  return reviews.map((review, index) =>
    review.status === "fulfilled" ? review.result.output : `${String(files[index])} could not be reviewed`,
  );
}

const runner = scriptedRunner((turn) => completed(`${turn.prompt}: fine`, { costMicrodollars: 2_000 }));
runner.on("broken.ts", failed("api"));

await using pool = await openPool({ slots: 2, store: ":memory:", runner });
const answers = await reviewAll(pool, ["a.ts", "broken.ts", "c.ts"]);

assert.deepEqual(answers, ["Review a.ts: fine", "broken.ts could not be reviewed", "Review c.ts: fine"]);
assert.equal(runner.turns.length, 3);
console.log("the test passed:", answers.join("; "));
