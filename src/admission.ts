/** From what a caller hands to `submit` to what the records take: checked, with ids, and with directories that exist. */
import { resolve } from "node:path";
import { callerTrace } from "./caller-trace.ts";
import type { SubmitOptions } from "./core/api.ts";
import type { PoolConfig } from "./core/config.ts";
import { invalidOptions, PoolError } from "./core/errors.ts";
import { newTaskId } from "./core/ids.ts";
import type { NewTask } from "./core/records.ts";
import { callTaskKey, type TaskSpec } from "./core/task.ts";
import { depthExceeded } from "./core/worker.ts";
import type { CheckSpec } from "./core/workspace.ts";
import { isDirectory } from "./is-directory.ts";
import { parseTaskSpec, refuseBypass } from "./schema/parse.ts";

/** Where the tasks of one call go. */
export interface Admission {
  readonly cwd: string;
  readonly config: PoolConfig;
  readonly originHost: string | undefined;
  /** The directories that this call has looked at: one look is enough for a thousand tasks. */
  readonly checked: Set<string>;
  /** How many tasks deep this call is, inside a slot. */
  readonly depth?: number;
}

/**
 * Checks one spec; `options` are the defaults of its fields.
 *
 * @throws {PoolError} `invalid_options`, `cwd_not_found`, `depth_exceeded`.
 */
export function admit(input: string | TaskSpec, options: SubmitOptions, pool: Admission): NewTask {
  const own = typeof input === "string" ? { prompt: input } : input;
  const spec = parseTaskSpec({ ...options, ...own });
  if (pool.depth !== undefined && pool.depth > pool.config.maxDepth)
    throw depthExceeded(pool.depth, pool.config.maxDepth);
  refuseBypass(spec.permissionMode, pool.config.allowBypassPermissions);
  // Without an isolation of its own the slot may bring one: then the run itself finds out.
  if (spec.isolation === "none") refuseUnisolated("The task", spec.checks ?? pool.config.checks, spec.merge);
  const cwd = resolve(pool.cwd, spec.cwd ?? ".");
  const { slotAssignmentTimeoutSecs: patience } = pool.config;
  const queueTimeoutMs = spec.queueTimeoutMs ?? (patience === undefined ? undefined : patience * 1000);
  if (!pool.checked.has(cwd)) checkDirectory(cwd);
  pool.checked.add(cwd);
  // Stored even where it is the pool's own: another host of this project may stand in another directory.
  return {
    id: newTaskId(),
    spec: {
      ...spec,
      cwd,
      ...(queueTimeoutMs === undefined ? {} : { queueTimeoutMs }),
      ...claimWait(spec, pool.config),
    },
    ...(pool.originHost === undefined ? {} : { originHost: pool.originHost }),
    ...(pool.depth === undefined ? {} : { depth: pool.depth }),
    ...callerTrace(),
  };
}

/** For each task of a call that has a key; one with a key of its own keeps that, and is no part of what the call's key stands for. */
export function keyedBy(callKey: string): (task: NewTask, index: number) => NewTask {
  return (task, index) =>
    task.spec.key === undefined ? { ...task, callKey, spec: { ...task.spec, key: callTaskKey(callKey, index) } } : task;
}

/** How long a task that names paths waits for others' claims on them. */
export function claimWait(
  { paths, claimWaitMs }: Pick<TaskSpec, "paths" | "claimWaitMs">,
  config: PoolConfig,
): Pick<TaskSpec, "claimWaitMs"> {
  if (paths === undefined || paths.length === 0) return {};
  return { claimWaitMs: config.activityLog ? (claimWaitMs ?? config.claimWaitMs) : 0 };
}

/**
 * Refuses what takes a tree of its own where there is none.
 *
 * @throws {PoolError} `invalid_options`.
 */
export function refuseUnisolated(
  who: string,
  checks: readonly CheckSpec[] = [],
  merge: TaskSpec["merge"] = "manual",
): void {
  if (checks.length === 0 && merge === "manual") return;
  const [what, field, without] =
    checks.length === 0
      ? ["is to be merged by itself", "merge", "leave `merge` out"]
      : ["has checks", "checks", "give it an empty list of checks"];
  throw invalidOptions(
    `${who} ${what}, but works without isolation: that takes a tree that nobody else edits. ` +
      `Give it isolation worktree or clone, or ${without}.`,
    field,
  );
}

/** Of a path, in an error. */
const longestShown = 1_000;

/** @throws {PoolError} `cwd_not_found`. */
export function checkDirectory(directory: string): void {
  if (isDirectory(directory)) return;
  const cwd = directory.length > longestShown ? `${directory.slice(0, longestShown)}…` : directory;
  throw new PoolError(
    "cwd_not_found",
    `No directory ${JSON.stringify(cwd)}: a task's working directory must exist. Create it, or name another.`,
    { cwd },
  );
}
