/** A task that asks before it writes, a rule that answers the next one, and a worker that asks and reports by itself. */
import { join } from "node:path";
import { openPool } from "claude-pool";
import { text, toolUse } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
const file = (name: string): string => join(stage.folder, "docs", name);
stage.api.on("first page", toolUse("Write", { file_path: file("one.md"), content: "One" }), text("Written."));
stage.api.on("second page", toolUse("Write", { file_path: file("two.md"), content: "Two" }), text("Written."));
stage.api.on("cover", toolUse("Write", { file_path: join(stage.folder, "cover.md"), content: "x" }), text("Then not."));
stage.api.on(
  "title",
  toolUse("mcp__pool__report_progress", { text: "Two titles to choose from", percent: 50 }),
  toolUse("mcp__pool__ask_coordinator", { question: "Short or long?" }),
  text("Chosen."),
);

await using pool = await openPool({ ...stage.options, permissionMode: "default", permissionTimeoutSecs: 30 });

// Whoever coordinates answers, in this process or in any other.
const answering = (async () => {
  for await (const event of pool.events({ after: 0 })) {
    if (event.type === "task.progress") console.log("progress:", event.data.percent, event.data.text);
    if (event.type === "question.asked") await pool.requests.answer(event.data.requestId, "Short.");
    if (event.type === "pool.draining") return;
    if (event.type !== "permission.requested") continue;
    const { id, tool, toolInput } = await pool.requests.get(event.data.requestId);
    const path = JSON.stringify(toolInput?.["file_path"]);
    console.log("asked:", tool, path.slice(path.indexOf(stage.folder) + stage.folder.length, -1));
    if (path.includes("/docs/")) await pool.requests.allow(id, { always: "Edit(docs/**)" });
    else await pool.requests.deny(id, { message: "Only docs/ is yours." });
  }
})();

console.log((await pool.run("Write the first page.")).output);
console.log((await pool.run("Write the second page.")).output); // nobody is asked: the rule covers it
console.log((await pool.run("Write the cover.")).output); // denied, told why, and not failed
console.log(
  "rules:",
  (await pool.requests.rules()).map(({ rule }) => rule),
);

console.log((await pool.run("Find a title.", { workerTools: ["ask", "progress"] })).output);
console.log(
  "answered:",
  (await pool.requests.list({ all: true })).map(({ kind, state }) => `${kind} ${state}`),
);
await pool.drain();
await answering;
