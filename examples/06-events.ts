/** Follow the work: one log of everything that happens, with a cursor; another process can read the same. */
import { openPool } from "claude-pool";
import { text, toolUse } from "claude-pool/testing";
import { join } from "node:path";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.on(
  "notes",
  toolUse("Read", { file_path: join(stage.folder, "notes.md") }),
  text("They ask for tests.", { chunks: 3 }),
);

await using pool = await openPool({ slots: 1, ...stage.options });
const task = await pool.submit("What do the notes say?");

// `event.seq` is the cursor: `pool.events({ after: seq })` goes on from there, in another process or after a restart.
for await (const event of task.events()) {
  if (event.type === "task.output") console.log("  text:", event.data.text);
  else if (event.type === "task.tool") console.log("  tool:", event.data.tool);
  else console.log(event.type);
}
