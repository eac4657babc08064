/** Several chains at once, and slots that are added and taken away while they run. */
import { openPool } from "claude-pool";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api
  .on(/^Plan (\w+)/, text("Two small steps."))
  .on(/^Carry out/, text("Done as planned."))
  .otherwise(text("ok"));

await using pool = await openPool({ ...stage.options, slots: 1, scaling: { minSlots: 1, maxSlots: 3 } });

// One more slot for the rush; an idle one goes again afterwards. `scaling: { auto: true }` does both by itself.
console.log("slots:", await pool.scaleUp(1));

const settled = await pool.fanOutChains(
  ["login", "search"].map((name) => [
    { name: "plan", prompt: `Plan ${name}.` },
    { name: "build", prompt: "Carry out: {previous_output}" },
  ]),
);
for (const one of settled) {
  console.log(one.status === "fulfilled" ? one.result.finalOutput : `failed: ${one.error.message}`);
}

console.log("slots:", await pool.setTargetSlots(1));
