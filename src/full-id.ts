/** Ids as people give them: the beginning of one will do. */
import { invalidOptions, taskNotFound } from "./core/errors.ts";
import { isTaskId } from "./core/ids.ts";
import type { Records } from "./core/records.ts";
import type { TaskRecord } from "./core/task.ts";

/**
 * The id that begins so, where it is only one; long enough not to be a slip: an empty variable names no task.
 *
 * @throws {PoolError} `task_not_found`, `invalid_options`.
 */
export async function fullId(records: Records, id: string): Promise<string> {
  if (isTaskId(id)) return id;
  const [, kind, rest = ""] = /^(task|chain)-(.*)$/s.exec(id) ?? [];
  if (kind === undefined) throw taskNotFound(id);
  if (rest.length < 3) throw taskNotFound(id, `of an id, give at least 3 characters after "${kind}-".`);
  const ids = await records.idsLike(id, 2);
  const [only] = ids;
  if (only !== undefined && (ids.length === 1 || ids.includes(id))) return ids.includes(id) ? id : only;
  if (ids.length > 1) throw invalidOptions(`${JSON.stringify(id)} is the beginning of more than one task id.`, "id");
  throw taskNotFound(id);
}

/** The task whose id that is, or begins so. @throws {PoolError} as `fullId`. */
export async function taskNamed(records: Records, id: string): Promise<TaskRecord> {
  const record = await records.get(await fullId(records, id));
  if (record === undefined) throw taskNotFound(id);
  return record;
}
