/** Removing what is over, a little at a time, so that nobody waits long for the write lock. */
import { type Change, count } from "./change.ts";
import type { TaskState } from "../core/task.ts";
import type { GroupCommit } from "./group-commit.ts";

interface Pruned {
  readonly tasks: number;
  readonly events: number;
}

/** How many tasks, or events that belong to none, one transaction removes. */
const pruneAtOnce = 500;

export async function prune(write: GroupCommit["write"], beforeMs: number): Promise<Pruned> {
  let [tasks, events] = [0, 0];
  for (;;) {
    const step = await write((change) => pruneStep(change, beforeMs));
    tasks += step.tasks;
    events += step.events;
    // A step that removed less than it may of both kinds has come to the end.
    if (step.tasks < pruneAtOnce && step.events < pruneAtOnce) break;
  }
  await write((change) => pruneHosts(change, beforeMs));
  return { tasks, events };
}

/** One step; the counts of tasks go down with the rows, money totals stay. */
async function pruneStep(change: Change, beforeMs: number): Promise<Pruned> {
  const { sql, pool } = change;
  const rows = await sql.all(
    // What a chain cost and how many turns it took is counted from its steps.
    `SELECT seq, state, kind FROM task INDEXED BY task_ended
      WHERE completed_at_ms IS NOT NULL AND completed_at_ms < ?1 AND NOT EXISTS (SELECT 1 FROM task AS chain
        WHERE chain.seq = task.chain_seq AND (chain.completed_at_ms IS NULL OR chain.completed_at_ms >= ?1))
        AND NOT EXISTS (SELECT 1 FROM merge WHERE merge.task_seq = task.seq AND merge.state IN ('queued', 'merging'))
      ORDER BY completed_at_ms LIMIT ?2 + 0`,
    [beforeMs, pruneAtOnce],
  );
  const seqs = JSON.stringify(rows.map((row) => row.seq));
  let events = 0;
  if (rows.length > 0) {
    events += await sql.run("DELETE FROM event WHERE task_seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM run WHERE task_seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM request WHERE task_seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM task_tag WHERE seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM task_result WHERE seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM task_workspace WHERE seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM merge WHERE task_seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM task_body WHERE seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM task WHERE seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM chain_step WHERE chain_seq IN (SELECT value FROM json_each(?))", [seqs]);
    await sql.run("DELETE FROM chain WHERE seq IN (SELECT value FROM json_each(?))", [seqs]);
    // A chain is not among the counted: its steps are.
    for (const row of rows) if (row.kind !== "chain") count(pool, row.state as TaskState, undefined);
  }
  events += await sql.run(
    `DELETE FROM event WHERE seq IN (SELECT seq FROM event INDEXED BY event_of_task
      WHERE task_seq IS NULL AND at_ms < ? ORDER BY seq LIMIT ? + 0)`,
    [beforeMs, pruneAtOnce],
  );
  return { tasks: rows.length, events };
}

/** Hosts that ended before this time, with their slots. */
async function pruneHosts(change: Change, beforeMs: number): Promise<void> {
  await change.flushSlots();
  const ended = "SELECT id FROM host WHERE state = 'ended' AND ended_at_ms < ?";
  await change.sql.run(`DELETE FROM slot WHERE state = 'stopped' AND host_id IN (${ended})`, [beforeMs]);
  await change.sql.run("DELETE FROM host WHERE state = 'ended' AND ended_at_ms < ?", [beforeMs]);
}
