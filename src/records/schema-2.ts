/** What version 2 adds: chains, retries and reviews, messages, the governor, scopes of money, metrics, skills. */

/**
 * Q4. A chain is a row of `task` (kind `chain`, without a slot) with its steps in `chain_step`; each step that started is a
 *     row of `task` with the chain's seq. Chains are counted apart, so that counters and metrics speak of work.
 */
export const schema2: readonly string[] = [
  `ALTER TABLE task ADD COLUMN kind TEXT NOT NULL DEFAULT 'task'`,
  `ALTER TABLE task ADD COLUMN chain_seq INTEGER`,
  `ALTER TABLE task ADD COLUMN step INTEGER`,
  `ALTER TABLE task ADD COLUMN retry_count INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE task_body ADD COLUMN plan TEXT`,
  `ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'task'`,
  `ALTER TABLE run ADD COLUMN superseded TEXT`,
  `CREATE INDEX task_of_chain ON task (chain_seq, step) WHERE chain_seq IS NOT NULL`,
  `CREATE INDEX task_chains ON task (seq) WHERE kind = 'chain'`,
  `CREATE TABLE chain (
    seq INTEGER PRIMARY KEY,
    spec TEXT NOT NULL,
    resumed_from TEXT
  ) STRICT`,
  `CREATE TABLE chain_step (
    chain_seq INTEGER NOT NULL,
    step INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    task_id TEXT,
    output TEXT,
    vars TEXT,
    error TEXT,
    cost INTEGER NOT NULL DEFAULT 0,
    retries_used INTEGER NOT NULL DEFAULT 0,
    recovered INTEGER NOT NULL DEFAULT 0,
    started_at_ms INTEGER,
    completed_at_ms INTEGER,
    PRIMARY KEY (chain_seq, step)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE message (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    content TEXT NOT NULL,
    sent_at_ms INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX message_inbox ON message (recipient, number)`,
  `CREATE TABLE scope_budget (
    scope TEXT PRIMARY KEY,
    cap INTEGER NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    since_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE metric (
    bucket_ms INTEGER NOT NULL,
    model TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    max_cost INTEGER NOT NULL,
    timed INTEGER NOT NULL,
    elapsed_ms INTEGER NOT NULL,
    min_elapsed_ms INTEGER,
    max_elapsed_ms INTEGER NOT NULL,
    turns INTEGER NOT NULL,
    rejected_cost INTEGER NOT NULL,
    retried_cost INTEGER NOT NULL,
    routing_cost INTEGER NOT NULL,
    PRIMARY KEY (bucket_ms, model)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE metric_bin (
    bucket_ms INTEGER NOT NULL,
    bin INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (bucket_ms, bin)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX task_created ON task (created_at_ms)`,
  `CREATE TABLE held_back (
    reason TEXT PRIMARY KEY,
    times INTEGER NOT NULL DEFAULT 0,
    total_ms INTEGER NOT NULL DEFAULT 0,
    since_ms INTEGER
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE skill (name TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT, WITHOUT ROWID`,
  `ALTER TABLE pool ADD COLUMN chains_running INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE pool ADD COLUMN governor TEXT`,
  `ALTER TABLE pool ADD COLUMN scopes INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE run ADD COLUMN scopes TEXT`,
  `ALTER TABLE task ADD COLUMN hold_scope TEXT`,
  `CREATE INDEX task_held_scope ON task (hold_scope, priority DESC, seq)
    WHERE state = 'pending' AND hold_reason = 'budget' AND hold_scope IS NOT NULL`,
];
