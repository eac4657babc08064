/** A chain: two steps beside each other, one that builds on both, and a failed one that is resumed. */
import { openPool, PoolError } from "claude-pool";
import { apiError, text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
let isRefusing = true;
stage.api
  .on("List the topics", text('Here they are:\n```json\n{"topics": ["speed", "tests"]}\n```'))
  .on("Join", text("Both are done."))
  .on((request) => request.userText.includes("the API refuses") && isRefusing, apiError(400));

await using pool = await openPool({ slots: 2, ...stage.options });

const result = await pool.runChain([
  {
    name: "list",
    prompt: "List the topics of notes.md as JSON",
    outputVars: { first: "topics[0]", second: "topics[1]" },
  },
  { name: "one", prompt: "Write about {steps.list.first}", needs: ["list"] },
  { name: "two", prompt: "Write about {steps.list.second}", needs: ["list"], retries: 2 },
  { name: "join", prompt: "Join:\n{steps.one.output}\n{steps.two.output}", needs: ["one", "two"] },
]);
console.log(result.finalOutput, result.steps.map((step) => step.name).join(", "));

try {
  await pool.runChain([
    { name: "fine", prompt: "Say hello" },
    { name: "broken", prompt: "What the API refuses at first" },
  ]);
} catch (error) {
  if (!(error instanceof PoolError)) throw error;
  console.log(`${error.code}: ${error.message.slice(0, 80)}`);
}

const [failed] = await pool.listChains();
isRefusing = false;
const resumed = await pool.resumeChain(failed?.taskId ?? "");
await resumed.outcome();
const progress = await pool.chainProgress(resumed.id);
console.log(progress.status, progress.steps.map((step) => `${step.name}: ${step.state}`).join(", "));
