/** What version 4 adds: permission requests and the rules that answers to them gave, webhooks. */
export const schema4: readonly string[] = [
  // Counted like the states of tasks: who looks whether anybody waits for an answer reads one row.
  `ALTER TABLE pool ADD COLUMN open_requests INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE task ADD COLUMN depth INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE task ADD COLUMN parent_id TEXT`,
  `CREATE INDEX task_of_parent ON task (parent_id) WHERE parent_id IS NOT NULL`,
  `CREATE TABLE request (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    task_seq INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    slot_id TEXT NOT NULL,
    body TEXT NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    answered_at_ms INTEGER,
    answered_by TEXT,
    answer TEXT
  ) STRICT`,
  `CREATE INDEX request_open ON request (run_id) WHERE state = 'open'`,
  `CREATE INDEX request_of_task ON request (task_seq)`,
  `CREATE TABLE permission_rule (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    decision TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    request_id TEXT
  ) STRICT`,
  `CREATE TABLE webhook (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    secret TEXT NOT NULL,
    allow_private INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    after_seq INTEGER NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    last_attempt_at_ms INTEGER
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE webhook_delivery (
    id TEXT PRIMARY KEY,
    webhook_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX webhook_due ON webhook_delivery (due_at_ms)`,
  `CREATE INDEX webhook_delivery_of ON webhook_delivery (webhook_id)`,
  // Who delivers, until when, and up to which event deliveries have been written.
  `CREATE TABLE webhook_courier (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    holder TEXT,
    until_ms INTEGER NOT NULL DEFAULT 0,
    cursor INTEGER NOT NULL DEFAULT 0
  ) STRICT`,
  `INSERT INTO webhook_courier (one) VALUES (1)`,
];
