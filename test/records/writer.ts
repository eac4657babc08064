/** A process that writes until it is killed: argv is the store and how it is to write; each acknowledged task is a line on stdout. */
import { writeSync } from "node:fs";
import { newTaskId } from "../../src/core/ids.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";

const [path = "", tasks = "Infinity"] = process.argv.slice(2);
const clock = { now: () => Date.now(), monotonic: () => performance.now(), after: () => () => undefined };
const records = await openRecords({ sql: await openSqlite(path), clock });
for (let written = 0; written < Number(tasks); written += 5) {
  const batch = Array.from({ length: 5 }, () => ({
    id: newTaskId(),
    spec: { prompt: "p".repeat(1_000), tags: ["a"] },
  }));
  await records.submit(batch);
  // Synchronous, so that a line stands for an acknowledgement however the process ends.
  writeSync(1, batch.map((task) => `${task.id}\n`).join(""));
}
await records.close();
