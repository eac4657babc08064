/** What a full store costs: `status()` and the pick with a million tasks in the file. */
import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../src/clock.ts";
import { openPool } from "../../src/index.ts";
import { pickQuery } from "../../src/records/lease.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { type Bench, type Figure, median, percentile, round, timed } from "../figure.ts";
import { withFolder } from "../ground/folder.ts";

const tasks = 1_000_000;
const pending = 100_000;
/** As many as a host with 16 slots asks for. */
const picked = 16;

export const million: Bench = ({ quick }) =>
  withFolder(async (folder) => {
    const store = join(folder, "pool.db");
    await (await openPool({ cwd: folder, store, slots: 0 })).close();
    fill(store, folder);
    const calls = quick ? 200 : 1_000;
    await using pool = await openPool({ cwd: folder, store, slots: 0 });
    const status = await times(calls, () => pool.status());
    const { pendingTasks, completedTasks } = await pool.status();
    if (pendingTasks !== pending || completedTasks !== tasks - pending) throw new Error("the store was filled wrongly");
    const sql = await openSqlite(store);
    const pick = await times(calls, async () => {
      const rows = await sql.all(pickQuery, [picked]);
      if (rows.length !== picked) throw new Error("the pick found too few");
    });
    await sql.close();
    const details = { tasks, pending, file_mb: Math.round(statSync(store).size / 1e6), calls };
    return [
      figure("status_of_a_million", "`status()` with one million tasks in the file", status, details),
      figure("pick_of_a_million", "the pick with one million tasks in the file", pick, details),
    ];
  });

async function times(calls: number, call: () => Promise<unknown>): Promise<readonly number[]> {
  const seen: number[] = [];
  for (let number = 0; number < calls; number += 1) seen.push(await timed(call));
  return seen;
}

function figure(id: string, what: string, seen: readonly number[], details: Figure["details"]): Figure {
  return {
    id,
    what,
    value: round(median(seen), 3),
    unit: "ms",
    target: { atMost: 1 },
    details: { p99_ms: round(percentile(seen, 99), 3), slowest_ms: round(Math.max(...seen), 3), ...details },
  };
}

/** Writes the rows that a million submissions and 900,000 runs would have left, straight into the tables. */
function fill(store: string, cwd: string): void {
  const db = new DatabaseSync(store);
  // Only for the filling: what is measured opens the file anew.
  db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN");
  const insert = {
    pending: db.prepare(inserts.pending),
    completed: db.prepare(inserts.completed),
    body: db.prepare(inserts.body),
    result: db.prepare(inserts.result),
    run: db.prepare(inserts.run),
    event: db.prepare(inserts.event),
  };
  const now = systemClock.now();
  for (let seq = 1; seq <= tasks; seq += 1) {
    const id = `task-${seq.toString(36).padStart(12, "0")}`;
    const priority = seq % 5;
    insert.body.run(seq, cwd, prompt);
    // The pending ones lie between the ended ones, as retries and priorities leave them.
    if (seq % (tasks / pending) === 0) {
      insert.pending.run(seq, id, priority, now);
    } else {
      const runId = randomUUID();
      insert.completed.run(seq, id, priority, now, now, now, runId);
      insert.result.run(seq, result);
      insert.run.run(seq, runId, now, now);
    }
    insert.event.run(seq, now, seq, finished);
  }
  const completed = tasks - pending;
  const spent = completed * costMicrodollars;
  db.prepare(inserts.pool).run(tasks, tasks, pending, completed, spent, spent, completed);
  db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
}

const costMicrodollars = 1_000;
const prompt = "p".repeat(200);
const result = JSON.stringify({
  output: "o".repeat(300),
  success: true,
  costMicrodollars,
  turnsUsed: 1,
  elapsedMs: 40,
});
const finished = JSON.stringify({ state: "completed", costMicrodollars, elapsedMs: 40 });

const inserts = {
  pending: `INSERT INTO task (seq, id, state, priority, attempt, lost_runs, review_required, max_rejections, rejection_count,
    created_at_ms) VALUES (?, ?, 'pending', ?, 0, 0, 0, 3, 0, ?)`,
  completed: `INSERT INTO task (seq, id, state, priority, attempt, lost_runs, review_required, max_rejections, rejection_count,
    created_at_ms, started_at_ms, completed_at_ms, slot_id, run_id) VALUES (?, ?, 'completed', ?, 1, 0, 0, 3, 0, ?, ?, ?, 'slot-1', ?)`,
  body: "INSERT INTO task_body (seq, cwd, tags, prompt) VALUES (?, ?, '[]', ?)",
  result: "INSERT INTO task_result (seq, result) VALUES (?, ?)",
  run: `INSERT INTO run (task_seq, attempt, run_id, host_id, slot_id, started_at_ms, ended_at_ms, outcome, reserved, cost,
    turns_used) VALUES (?, 1, ?, 'host-filled', 'slot-1', ?, ?, 'completed', 0, ${String(costMicrodollars)}, 1)`,
  event: `INSERT INTO event (seq, at_ms, task_seq, type, slot_id, data) VALUES (?, ?, ?, 'task.finished', 'slot-1', ?)`,
  pool: "UPDATE pool SET task_seq = ?, event_seq = ?, pending = ?, completed = ?, spent = ?, total = ?, finished_runs = ?",
} as const;
