/** What version 6 adds: the trace that a task belongs to. */
export const schema6: readonly string[] = [`ALTER TABLE task_body ADD COLUMN trace TEXT`];
