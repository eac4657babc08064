/** What version 5 adds: the paths that a task names, and whose claim holds it back. */
export const schema5: readonly string[] = [
  `ALTER TABLE task_body ADD COLUMN paths TEXT`,
  `ALTER TABLE task_body ADD COLUMN claim_wait_ms INTEGER`,
  `ALTER TABLE task ADD COLUMN hold_note TEXT`,
];
