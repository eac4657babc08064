/** A pool on the scripted runner, its store in memory unless a test names a file. */
import { onTestFinished } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { openPool } from "../../src/open-pool.ts";
import type { Pool } from "../../src/pool.ts";
import {
  scriptedRunner,
  type RunnerScript,
  type ScriptedRunner,
  type ScriptedRunnerOptions,
} from "../../src/testing/scripted-runner.ts";

export interface ScriptedPool {
  readonly pool: Pool;
  readonly runner: ScriptedRunner;
}

/** Opens a pool that is closed when the test is over. */
export async function scriptedPool(
  options: OpenPoolOptions = {},
  script?: RunnerScript,
  playing?: ScriptedRunnerOptions,
): Promise<ScriptedPool> {
  const runner = scriptedRunner(script, playing);
  // Not in a worktree of the repository that these tests stand in.
  const pool = await openPool({ store: ":memory:", runner, isolation: "none", ...options });
  onTestFinished(() => pool.close());
  return { pool, runner };
}

/** A promise and the function that resolves it: what a turn waits for until its test lets it go. */
export function held<T>(): { readonly promise: Promise<T>; readonly release: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, release: resolve };
}

/** Resolves at the first event of a type (of a task, if one is given), one of the past too. */
export async function eventOf(pool: Pool, type: string, taskId?: string): Promise<unknown> {
  for await (const event of pool.events({ after: 0 })) {
    if (event.type === type && (taskId === undefined || event.taskId === taskId)) return event;
  }
  throw new Error(`the log ended without ${type}`);
}
