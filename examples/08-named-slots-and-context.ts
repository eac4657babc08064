/** Slots with a role, and facts that every slot is told. */
import { openPool } from "claude-pool";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.otherwise(text("Understood."));

await using pool = await openPool({
  ...stage.options,
  slots: [
    { name: "Ada", role: "reviewer", description: "You look for what can go wrong." },
    { name: "Ben", role: "writer", effort: "low" },
  ],
});
await pool.setContext("house_style", "British spelling, short sentences.");
await pool.run("Who are you?");

const told = JSON.stringify(stage.api.requests.map((request) => request.body));
console.log("the model was told the house style:", told.includes("British spelling"));
for (const slot of await pool.findSlots({ role: "reviewer" })) console.log(slot.id, slot.config.name, slot.state);

await pool.scaleUp(1);
console.log((await pool.status()).totalSlots, "slots");
