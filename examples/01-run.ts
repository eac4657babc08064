/** One task: `run` submits it, waits for it, and answers with its result. */
import { openPool } from "claude-pool";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.on("Summarise", text("One file of notes; it asks for more tests."));

await using pool = await openPool({ slots: 1, ...stage.options });
const result = await pool.run("Summarise this repository");

console.log(result.output);
console.log(
  `${String(result.turnsUsed)} turn, ${String(result.costMicrodollars / 1_000_000)} dollars, model ${String(result.model)}`,
);
