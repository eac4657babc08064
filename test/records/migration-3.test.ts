/** A store that version 2 wrote, with work in every state, opened by the present version. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { applicationId, latestVersion } from "../../src/records/migrations.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { schema } from "../../src/records/schema.ts";
import { schema2 } from "../../src/records/schema-2.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { tempFolder, testHost } from "./temp-store.ts";

/** As version 2 left it: a completed task, one in review that was rejected before, one that waits, and a chain at its first step. */
function writeVersion2(path: string): void {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA application_id = ${String(applicationId)}`);
  for (const statement of [...schema, ...schema2]) db.exec(statement);
  const task =
    db.prepare(`INSERT INTO task (seq, id, state, priority, attempt, lost_runs, review_required, max_rejections,
    rejection_count, created_at_ms, completed_at_ms, run_id, kind, chain_seq, step)
    VALUES (?, ?, ?, 0, ?, 0, ?, 3, ?, 1, ?, ?, ?, ?, ?)`);
  const body = db.prepare("INSERT INTO task_body (seq, tags, config, prompt, plan) VALUES (?, '[]', NULL, ?, ?)");
  const result = db.prepare("INSERT INTO task_result (seq, result) VALUES (?, ?)");
  const answer = JSON.stringify({ output: "out", success: true, costMicrodollars: 5, turnsUsed: 1, elapsedMs: 1 });
  task.run(1, "task-done", "completed", 1, 0, 0, 2, "run-1", "task", null, null);
  task.run(2, "task-review", "pending_review", 2, 1, 1, null, "run-2", "task", null, null);
  task.run(3, "task-waits", "pending", 0, 0, 0, null, null, "task", null, null);
  task.run(4, "chain-old", "running", 0, 0, 0, null, null, "chain", null, null);
  task.run(5, "task-step", "pending", 0, 0, 0, null, null, "task", 4, 0);
  for (const seq of [1, 2, 3, 4, 5]) {
    body.run(seq, `prompt ${String(seq)}`, seq === 2 ? '{"feedback":["more"],"rejectedOutput":"old"}' : null);
  }
  for (const seq of [1, 2]) result.run(seq, answer);
  const spec = {
    steps: [
      { name: "a", prompt: "prompt 5" },
      { name: "b", prompt: "then {previous_output}" },
    ],
  };
  db.prepare("INSERT INTO chain (seq, spec) VALUES (4, ?)").run(JSON.stringify(spec));
  const step = db.prepare("INSERT INTO chain_step (chain_seq, step, name, state, task_id) VALUES (4, ?, ?, ?, ?)");
  step.run(0, "a", "running", "task-step");
  step.run(1, "b", "waiting", null);
  db.exec(
    `UPDATE pool SET task_seq = 5, pending = 2, pending_review = 1, completed = 1, chains_running = 1, total = 10`,
  );
  db.exec("PRAGMA user_version = 2");
  db.close();
}

test("a store of version 2 is brought up whole: its tasks go on, and its pool has an id from now on", async () => {
  const path = join(await tempFolder(), "pool.db");
  writeVersion2(path);
  const records = await openRecords({ sql: await openSqlite(path), clock: manualClock(100) });
  onTestFinished(() => records.close());
  const before = await records.getMany(["task-done", "task-review", "task-waits"]);
  const host = await testHost(records, 1);
  await records.dispatch();
  await host.finish();
  await host.finish();
  const chained = host.leases.at(-1)?.task;
  await records.approve("task-review");
  const again = await openSqlite(path);
  onTestFinished(() => again.close());
  const [pool] = await again.all("PRAGMA user_version");
  const reopened = await openRecords({ sql: await openSqlite(path), clock: manualClock(200) });
  onTestFinished(() => reopened.close());
  expect({
    version: pool?.user_version,
    id: [/^[0-9a-f]{8}$/.test(records.poolId), reopened.poolId === records.poolId],
    before: before.map(({ id, state, workspace, merge, plan }) => [id, state, workspace, merge, plan]),
    ran: host.leases.map(({ task }) => task.id).slice(0, 2),
    // A chain of before works where it worked: in the shared directory.
    next: [chained?.prompt, chained?.config?.isolation],
    approved: (await records.get("task-review"))?.state,
    empty: [await records.places(), await records.merges({}, 9)],
  }).toEqual({
    version: latestVersion,
    id: [true, true],
    before: [
      ["task-done", "completed", undefined, undefined, undefined],
      ["task-review", "pending_review", undefined, undefined, { feedback: ["more"], rejectedOutput: "old" }],
      ["task-waits", "pending", undefined, undefined, undefined],
    ],
    ran: ["task-waits", "task-step"],
    next: ["then done", "none"],
    approved: "completed",
    empty: [[], []],
  });
});
