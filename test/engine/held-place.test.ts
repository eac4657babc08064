/** Isolated runs whose directory is held by a process that hangs: it does nothing, and does not die. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemProcesses } from "../../src/runner/processes.ts";
import { openWorkspaces } from "../../src/workspace/open-workspaces.ts";
import { beginRepository } from "../git-repository.ts";
import { held, scriptedPool } from "./scripted-pool.ts";

/** A pool of which one task is in its turn, or in its check; from then on its directory is held by somebody who hangs. */
async function heldIn(where: "turn" | "check"): ReturnType<typeof scriptedPool> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-held-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [cwd, begun] = [join(folder, "repository"), join(folder, "begun")];
  mkdirSync(cwd);
  beginRepository(cwd);
  execFileSync("mkfifo", [begun]);
  const [turn, hanging, isHeld] = [held<string>(), held<undefined>(), held<undefined>()];
  const checks = where === "turn" ? [] : [{ command: `echo begun > ${begun}; sleep 600` }];
  const opened = await scriptedPool({ cwd, isolation: "worktree", leaseMs: 1, checks }, () => turn.promise);
  const task = await opened.pool.submit("it");
  await opened.runner.waitForTurn("it");
  if (where === "check") {
    turn.release("done");
    await readFile(begun);
  }
  const { workspace } = await opened.pool.get(task.id);
  const place = { repository: join(cwd, ".git"), path: workspace?.path ?? "" };
  const holding = openWorkspaces({ processes: systemProcesses() }).alone(place, undefined, () => {
    isHeld.release(undefined);
    return hanging.promise;
  });
  onTestFinished(() => {
    hanging.release(undefined);
    return holding;
  });
  await isHeld.promise;
  turn.release("done");
  return opened;
}

test.each([
  ["saved", "turn"],
  ["cleaned after a check", "check"],
] as const)("a pool is closed though the directory of a task cannot be %s", async (_what, where) => {
  const { pool } = await heldIn(where);
  await expect(pool.close()).resolves.toBeUndefined();
});
