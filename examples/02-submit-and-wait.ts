/** Submit now, look later: once `submit` has returned, the task is on disk and survives everything. */
import { openPool } from "claude-pool";
import { text, toolUse } from "claude-pool/testing";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
const file = join(stage.folder, "hello.txt");
stage.api.on("Write hello.txt", toolUse("Write", { file_path: file, content: "hello\n" }), text("Written."));

// The default permission mode is `plan`, which changes nothing; this task is to write a file.
await using pool = await openPool({ slots: 1, permissionMode: "acceptEdits", ...stage.options });
const task = await pool.submit("Write hello.txt", { priority: 5, tags: ["files"], key: "hello-1" });

// The same key and spec again are the same task: a retry of the caller does not do the work twice.
const again = await pool.submit("Write hello.txt", { priority: 5, tags: ["files"], key: "hello-1" });
console.log("same task:", again.id === task.id);

const outcome = await task.outcome();
console.log(outcome.state, "-", outcome.result?.output);
console.log("hello.txt says:", readFileSync(file, "utf8").trim());
