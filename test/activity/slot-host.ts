/** A host's process as the log sees it: claims for a task in the directory that argv names, says what came of it, and holds it until it is killed. */
import { writeSync } from "node:fs";
import { slotActivity } from "../../src/slot-activity.ts";

const [cwd = "", logHome = "", path = ""] = process.argv.slice(2);
const report = (error: unknown): void => void writeSync(2, String(error));
const activity = slotActivity({ env: { ...process.env, POOL_HOME: logHome }, report });
const task = { taskId: "task-of-slot-1", slotId: "slot-1", attempt: 1, cwd, paths: [path], prompt: "mend it" };
const { id } = await activity.claim(task);
writeSync(1, `${id ?? "refused"}\n`);
process.stdin.resume();
