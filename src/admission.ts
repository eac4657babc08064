/** From what a caller hands to `submit` to what the records take: checked, with ids, and with directories that exist. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { SubmitOptions } from "./core/api.ts";
import type { PoolConfig } from "./core/config.ts";
import { PoolError } from "./core/errors.ts";
import { newTaskId } from "./core/ids.ts";
import type { NewTask } from "./core/records.ts";
import type { TaskSpec } from "./core/task.ts";
import { parseTaskSpec, refuseBypass } from "./schema/parse.ts";

/** Where the tasks of one call go. */
export interface Admission {
  readonly cwd: string;
  readonly config: PoolConfig;
  readonly originHost: string | undefined;
  /** The directories that this call has looked at: one look is enough for a thousand tasks. */
  readonly checked: Set<string>;
}

/**
 * Checks one spec; `options` are the defaults of its fields.
 *
 * @throws {PoolError} `invalid_options`, `cwd_not_found`.
 */
export function admit(input: string | TaskSpec, options: SubmitOptions, pool: Admission): NewTask {
  const own = typeof input === "string" ? { prompt: input } : input;
  const spec = parseTaskSpec({ ...options, ...own });
  refuseBypass(spec.permissionMode, pool.config.allowBypassPermissions);
  const cwd = resolve(pool.cwd, spec.cwd ?? ".");
  const { slotAssignmentTimeoutSecs: patience } = pool.config;
  const queueTimeoutMs = spec.queueTimeoutMs ?? (patience === undefined ? undefined : patience * 1000);
  if (!pool.checked.has(cwd)) checkDirectory(cwd);
  pool.checked.add(cwd);
  // Stored even where it is the pool's own: another host of this project may stand in another directory.
  return {
    id: newTaskId(),
    spec: { ...spec, cwd, ...(queueTimeoutMs === undefined ? {} : { queueTimeoutMs }) },
    ...(pool.originHost === undefined ? {} : { originHost: pool.originHost }),
  };
}

/** @throws {PoolError} `cwd_not_found`. */
export function checkDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new PoolError(
    "cwd_not_found",
    `No directory ${JSON.stringify(directory)}: a task's working directory must exist. Create it, or name another.`,
    { cwd: directory },
  );
}
