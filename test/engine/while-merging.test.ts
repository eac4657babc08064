/** What a host must not leave undone while a merge takes long. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Processes } from "../../src/core/ports.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { beginRepository } from "../git-repository.ts";
import { eventOf, scriptedPool } from "./scripted-pool.ts";

test("a host takes over from one that dies while the checks of a merge run", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-merging-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [store, cwd] = [join(folder, "pool.db"), join(folder, "repository")];
  mkdirSync(cwd);
  const git = beginRepository(cwd);
  const real = systemProcesses();
  const pid = 4_000_000;
  let looks = 0;
  let isMerging = false;
  // The other host dies when this one has looked after it several times since the merge began.
  const isAlive: Processes["isAlive"] = (one) => {
    if (one.pid !== pid) return real.isAlive(one);
    if (isMerging) looks += 1;
    return looks < 3;
  };
  const processes: Processes = { ...real, isAlive };
  const { pool } = await scriptedPool(
    {
      cwd,
      store,
      isolation: "worktree",
      processes,
      checks: [
        { name: "long when merged", command: '[ "$(cat a.txt b.txt)" != "$(printf "slow\\nb")" ] || sleep 600' },
      ],
    },
    ({ prompt }, launch) => {
      if (prompt === "change") writeFileSync(join(launch.cwd, "b.txt"), "b\n");
      return "done";
    },
  );
  const task = await pool.submit("change");
  await task.outcome();
  writeFileSync(join(cwd, "a.txt"), "slow\n");
  git("commit", "-q", "-a", "-m", "From here on the check takes long");
  await pool.merge(task.id, { wait: false });
  await eventOf(pool, "merge.started");
  const other = await scriptedPool(
    { cwd, store, processes: { ...real, self: { pid, startTime: "1" } } },
    () => new Promise(() => undefined),
  );
  const lost = await other.pool.submit("it", { isolation: "worktree" });
  await other.runner.waitForTurn("it");
  isMerging = true;
  const { state } = await pool.task(lost.id).outcome();
  const [merge] = await pool.merges.list();
  expect([state, merge?.state]).toEqual(["completed", "merging"]);
});
