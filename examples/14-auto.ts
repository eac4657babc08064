/** A task that is divided as it should be: one piece, several at once, or a chain. */
import { openPool, PoolError } from "claude-pool";
import { apiError, structured, text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
const steps = [
  { name: "study", prompt: "Find out how notes are kept." },
  { name: "report", prompt: "Write this up: {previous_output}" },
];
stage.api
  .on(
    "Review notes.md and",
    structured({ route: "parallel", prompts: ["Review notes.md.", "Review todo.md."], reason: "Two files." }),
  )
  .on("Study the notes, then", structured({ route: "chain", steps, reason: "The report needs the study." }))
  .on("cannot be routed", apiError(403))
  .on("Find out how", text("In notes.md, by hand."))
  .on("Write this up:", text("# Report\n\nBy hand."))
  .otherwise(text("Looks fine."));

await using pool = await openPool({ ...stage.options, slots: 2 });

// Only asking: nothing of the task is done.
const answer = await pool.route("Review notes.md and todo.md, each by itself.", { hints: { maxParallel: 4 } });
console.log(answer.route, answer.reason, answer.route === "parallel" ? answer.prompts : "");

// Asking, and doing it.
for (const prompt of [
  "Review notes.md and todo.md, each by itself.",
  "Study the notes, then write a report from that.",
]) {
  const result = await pool.auto(prompt, {
    task: { permissionMode: "acceptEdits" },
    onRoute: ({ route, costMicrodollars }) => {
      console.log(`-> ${route}, decided for $${(costMicrodollars / 1_000_000).toFixed(6)}`);
    },
  });
  console.log(result.success, result.taskIds.length, "ids;", JSON.stringify(result.output));
}

// A router that fails is an error: nothing is quietly run as one task.
try {
  await pool.auto("This cannot be routed.");
} catch (error) {
  if (!(error instanceof PoolError)) throw error;
  console.log(error.code);
}
