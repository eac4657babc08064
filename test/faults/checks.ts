/** What must be true of a store after all the dying, whatever was killed when. */
import { DatabaseSync } from "node:sqlite";
import type { Random } from "./random.ts";

/** What a part of the run is given. */
export interface FaultsOptions {
  readonly kills: number;
  readonly random: Random;
  readonly seed: number;
  readonly checks: Checks;
}

/** Counts what holds and prints what does not. */
export class Checks {
  passed = 0;
  failed = 0;

  /** Passes if nothing is wrong; else prints the first few of what is. */
  none(title: string, wrong: readonly unknown[]): void {
    if (wrong.length === 0) {
      this.passed += 1;
      console.log(`   ok  ${title}`);
      return;
    }
    this.failed += 1;
    console.log(`   NOT ${title}: ${String(wrong.length)} wrong`);
    for (const one of wrong.slice(0, 5)) console.log(`       ${JSON.stringify(one)}`);
  }

  equal(title: string, actual: unknown, expected: unknown): void {
    const same = JSON.stringify(actual) === JSON.stringify(expected);
    this.none(title, same ? [] : [{ actual, expected }]);
  }
}

/** The rules of every store at rest: each is a query for what breaks it. */
const rules: Readonly<Record<string, string>> = {
  "every task is in a terminal state": `SELECT id, state FROM task WHERE state NOT IN ('completed', 'failed', 'cancelled')`,
  "every task finished exactly once": `SELECT id, (SELECT COUNT(*) FROM event WHERE task_seq = task.seq AND type = 'task.finished'
      AND data ->> 'state' <> 'pending_review') AS times FROM task WHERE times <> 1`,
  "every event of an end belongs to a task": `SELECT seq FROM event WHERE type = 'task.finished' AND task_seq NOT IN (SELECT seq FROM task)`,
  "every run is closed": `SELECT run_id FROM run WHERE ended_at_ms IS NULL OR outcome IS NULL`,
  "every run id is one run's": `SELECT run_id, COUNT(*) AS times FROM run GROUP BY run_id HAVING times > 1`,
  "every start of a run has its ledger row": `SELECT data FROM event WHERE type = 'task.started'
      AND json_extract(data, '$.runId') NOT IN (SELECT run_id FROM run)`,
  "every ledger row has one start": `SELECT run_id, (SELECT COUNT(*) FROM event WHERE type = 'task.started' AND task_seq = run.task_seq
      AND json_extract(data, '$.runId') = run.run_id) AS times FROM run WHERE times <> 1`,
  "a task has as many runs as attempts": `SELECT id, attempt, (SELECT COUNT(*) FROM run WHERE task_seq = task.seq) AS runs,
      (SELECT MAX(attempt) FROM run WHERE task_seq = task.seq) AS last FROM task WHERE runs <> attempt OR COALESCE(last, 0) <> attempt`,
  "only the last run of a task decided it": `SELECT run.run_id, outcome FROM run JOIN task ON task.seq = run.task_seq
      WHERE run.attempt < task.attempt AND run.outcome NOT IN ('lost', 'limited') AND run.superseded IS NULL`,
  "a completed task has a completed run and a result": `SELECT id FROM task WHERE kind <> 'chain' AND state = 'completed' AND
      ((SELECT outcome FROM run WHERE task_seq = task.seq AND run.attempt = task.attempt) IS NOT 'completed'
        OR NOT EXISTS (SELECT 1 FROM task_result WHERE seq = task.seq))`,
  "the ledger adds up to what the pool spent": `SELECT total, spent, (SELECT SUM(cost) FROM run) AS ledger FROM pool
      WHERE total <> ledger OR spent <> ledger`,
  "the slots add up to what the pool spent": `SELECT total, (SELECT SUM(cost) FROM slot) AS slots FROM pool WHERE total <> slots`,
  "no money is still reserved": `SELECT reserved FROM pool WHERE reserved <> 0`,
  "the pool counts as many runs as there are": `SELECT finished_runs, (SELECT COUNT(*) FROM run) AS runs FROM pool WHERE finished_runs <> runs`,
  "every counter is what counting gives": `SELECT name, kept, (SELECT COUNT(*) FROM task WHERE kind <> 'chain' AND state = name) AS counted FROM (
      SELECT 'pending' AS name, pending AS kept FROM pool UNION ALL SELECT 'running', running FROM pool
      UNION ALL SELECT 'pending_review', pending_review FROM pool UNION ALL SELECT 'completed', completed FROM pool
      UNION ALL SELECT 'failed', failed FROM pool UNION ALL SELECT 'cancelled', cancelled FROM pool) WHERE kept <> counted`,
  "nothing is held": "SELECT held FROM pool WHERE held <> 0",
  "the event log has no gap": `SELECT event_seq, (SELECT COUNT(*) FROM event) AS events, (SELECT MAX(seq) FROM event) AS last FROM pool
      WHERE event_seq <> events OR event_seq <> last`,
  "every host has ended": "SELECT id, state FROM host WHERE state <> 'ended'",
  "every slot is stopped and holds no task":
    "SELECT number, state, current_task FROM slot WHERE state <> 'stopped' OR current_task IS NOT NULL",
};

export function checkStore(store: string, checks: Checks): void {
  const db = new DatabaseSync(store, { readOnly: true });
  checks.equal("the file is whole", db.prepare("PRAGMA integrity_check").all(), [{ integrity_check: "ok" }]);
  for (const [title, query] of Object.entries(rules)) checks.none(title, db.prepare(query).all());
  db.close();
}
