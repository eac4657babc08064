/** What version 3 adds: workspaces, the places they stand in, and the merge queue. */

/**
 * Q6. A workspace is one JSON value in a row of its own: it is read whole and written whole, and beside a task that has none
 *     it costs nothing.
 *     Its `noted_by` is the run that worked there last: had a run that was cut short got so far, the next goes on from what it left.
 * Q7. A place names who took it last; whether that still holds it is asked of the slot and the task themselves, so no crash
 *     can leave a place held for ever.
 */
export const schema3: readonly string[] = [
  `ALTER TABLE pool ADD COLUMN pool_id TEXT NOT NULL DEFAULT ''`,
  `UPDATE pool SET pool_id = lower(hex(randomblob(4)))`,
  `ALTER TABLE pool ADD COLUMN place_number INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE task ADD COLUMN merge TEXT`,
  `ALTER TABLE task ADD COLUMN merge_id TEXT`,
  `CREATE TABLE task_workspace (seq INTEGER PRIMARY KEY, noted_by TEXT, workspace TEXT NOT NULL) STRICT`,
  `CREATE TABLE place (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    repository TEXT NOT NULL,
    path TEXT NOT NULL,
    slot_number INTEGER,
    task_seq INTEGER,
    created_at_ms INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE merge (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    task_seq INTEGER NOT NULL,
    state TEXT NOT NULL,
    repository TEXT NOT NULL,
    target TEXT NOT NULL,
    method TEXT NOT NULL,
    approves INTEGER NOT NULL,
    on_conflict TEXT NOT NULL,
    requested_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER,
    ended_at_ms INTEGER,
    undone_at_ms INTEGER,
    holder TEXT,
    outcome TEXT
  ) STRICT`,
  `CREATE INDEX merge_open ON merge (repository, target, number) WHERE state IN ('queued', 'merging')`,
  `CREATE INDEX merge_of_task ON merge (task_seq, number)`,
];
