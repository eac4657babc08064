/** Slots that are written to, claimed for, and restarted when their Claude does not open. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "claude-pool";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.otherwise(text("Noted."));

{
  await using pool = await openPool({ ...stage.options, slots: [{ name: "Ada" }, { name: "Ben" }] });
  const [ada] = await pool.findSlots({ name: "Ada" });
  const id = ada?.id ?? "";

  // A message waits until the recipient's next task, whose model reads it as data beside the prompt.
  await pool.sendMessage({ to: id, content: "The schema moved to docs/schema.md." });
  console.log("sent to the others:", (await pool.broadcast({ from: id, content: "I have the migrations." })).length);
  await pool.run("List the tables.");
  const told = stage.api.requests.some((request) => request.userText.includes("docs/schema.md"));
  console.log("Ada's model was told:", told, "- waiting for her now:", await pool.messageCount(id));
}

{
  // A slot with `pull` takes only what somebody, in any process, claims for it.
  await using pool = await openPool({ ...stage.options, slots: [{ name: "Cy", pull: true }] });
  const task = await pool.submit("Only when I say so.");
  const [cy] = await pool.findSlots({ name: "Cy" });
  console.log("before the claim:", (await task.get()).state);
  console.log("claimed the task:", (await pool.claim(cy?.id ?? "")) === task.id);
  console.log("after it:", (await task.outcome()).state);
}

{
  // A program that fails, as Claude does in the middle of an update: the supervisor tries the slot again.
  const program = join(stage.folder, "broken-claude");
  writeFileSync(program, '#!/bin/sh\necho "not today" >&2\nexit 1\n', { mode: 0o755 });
  await using pool = await openPool({ ...stage.options, claude: program, maxRestarts: 1, supervisorIntervalSecs: 1 });
  const task = await pool.submit("Whatever it takes.");
  for await (const event of pool.events({ after: 0 })) {
    if (event.type !== "slot.errored") continue;
    const { failures, restartAtMs } = event.data;
    console.log("errored", failures, restartAtMs === undefined ? "times: it stays so" : "times: it is tried again");
    if (restartAtMs === undefined) break;
  }
  const [slot] = await pool.findSlots({ state: "errored" });
  console.log(slot?.id, "was restarted", slot?.restartCount, "times; the task is", (await task.get()).state);
}
