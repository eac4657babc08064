/** Many tasks at once: every result, in the order of the inputs, whatever became of the others. */
import { openPool } from "claude-pool";
import { apiError, text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.on("grammar", text("Two commas too many."));
stage.api.on("links", apiError(400, { message: "this one is refused" }));
stage.api.on("tone", text("Friendly."));

await using pool = await openPool({ slots: 2, ...stage.options });
const reviews = await pool.fanOut(
  ["Review the grammar", "Review the links", { prompt: "Review the tone", maxTurns: 3 }],
  { tags: ["review"], onSettled: (_, index) => console.log(`number ${String(index)} is done`) },
);

for (const review of reviews) {
  console.log(review.status === "fulfilled" ? review.result.output : `failed: ${review.error.message}`);
}
