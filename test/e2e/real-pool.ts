/** A pool on the real Claude CLI and a scripted model, in a home, a store and a folder of its own. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { openPool } from "../../src/open-pool.ts";
import type { Pool } from "../../src/pool.ts";
import { startScriptedApi, type ScriptedApi } from "../../src/testing/index.ts";

export interface Place {
  readonly root: string;
  readonly work: string;
  readonly store: string;
  readonly api: ScriptedApi;
  /** What a pool in this place is opened with. */
  readonly options: OpenPoolOptions;
}

/** A place for one test, gone when it is over. */
export async function place(auth: "key" | "subscription" = "key"): Promise<Place> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-e2e-")));
  const work = join(root, "work");
  mkdirSync(work);
  const api = await startScriptedApi();
  onTestFinished(async () => {
    await api.close();
    rmSync(root, { recursive: true, force: true });
  });
  const store = join(root, "store", "pool.db");
  const options: OpenPoolOptions = {
    cwd: work,
    store,
    env: api.environment(join(root, "home"), auth),
    permissionMode: "acceptEdits",
  };
  return { root, work, store, api, options };
}

/** A pool in a place, closed when the test is over. */
export async function realPool(here: Place, options: OpenPoolOptions = {}): Promise<Pool> {
  const pool = await openPool({ ...here.options, ...options });
  onTestFinished(() => pool.close());
  return pool;
}

/** Command lines of living processes that name this text; the text is unique to a test. */
export function processesNaming(text: string): readonly string[] {
  return execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(text) && !line.includes("ps -eo"));
}
