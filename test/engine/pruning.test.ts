/** Pruning while others work: in the moment between a look at the records and one at the directories, they go on. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import type { MergeRecord } from "../../src/core/merge.ts";
import type { Workspaces } from "../../src/core/workspaces-port.ts";
import type { EngineParts } from "../../src/engine/parts.ts";
import { PoolWorktrees } from "../../src/pool-workspaces.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import type { Task } from "../../src/task-handle.ts";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import { openWorkspaces } from "../../src/workspace/open-workspaces.ts";
import { beginRepository, type Git } from "../git-repository.ts";
import { held, scriptedPool, type ScriptedPool } from "./scripted-pool.ts";

interface Rig extends ScriptedPool {
  readonly repository: string;
  readonly git: Git;
  /** The directories as another process sees them, in which some calls are replaced. */
  readonly fromElsewhere: (change: (real: Workspaces) => Partial<Workspaces>) => Promise<PoolWorktrees>;
}

async function rig(script: RunnerScript, options: OpenPoolOptions = {}): Promise<Rig> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-pruning-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const repository = join(folder, "repository");
  mkdirSync(repository);
  const git = beginRepository(repository);
  const store = join(folder, "pool.db");
  const opened = await scriptedPool({ cwd: repository, store, isolation: "worktree", ...options }, script);
  const fromElsewhere: Rig["fromElsewhere"] = async (change) => {
    const records = await openRecords({ sql: await openSqlite(store), clock: systemClock });
    onTestFinished(() => records.close());
    const real = openWorkspaces({ processes: systemProcesses() });
    const workspaces = { ...real, ...change(real) };
    return new PoolWorktrees({ records, workspaces, clock: systemClock, cwd: repository } as unknown as EngineParts);
  };
  return { ...opened, repository, git, fromElsewhere };
}

const edit: RunnerScript = (_turn, { cwd }) => {
  writeFileSync(join(cwd, "b.txt"), "b\n");
  return "done";
};

test("a directory that a slot took during the look stays", async () => {
  const [begun, goOn] = [held<undefined>(), held<undefined>()];
  const { pool, fromElsewhere } = await rig(async (turn, launch, playing) => {
    begun.release(undefined);
    await goOn.promise;
    return edit(turn, launch, playing);
  });
  const task = held<Task>();
  const worktrees = await fromElsewhere((real) => ({
    find: async (...asked) => {
      task.release(await pool.submit("edit"));
      await begun.promise;
      return real.find(...asked);
    },
  }));
  const [pruned] = await worktrees.prune();
  goOn.release(undefined);
  const { state } = await (await task.promise).outcome();
  expect([pruned?.explanation, pruned?.isRemoved, state]).toEqual(["slot", undefined, "completed"]);
});

test("the directory of a merge that began during the look stays", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-pipes-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [begun, goOn] = [join(folder, "begun"), join(folder, "go-on")];
  for (const pipe of [begun, goOn]) execFileSync("mkfifo", [pipe]);
  const waiting = `echo begun > ${begun}; read line < ${goOn}; test -f b.txt`;
  const checks = [{ command: `case "$CLAUDE_POOL_WORKTREE" in */merge-*) ${waiting};; esac` }];
  const { pool, fromElsewhere } = await rig(edit, { checks });
  const task = await pool.submit("edit");
  await task.outcome();
  const merge = held<MergeRecord>();
  const worktrees = await fromElsewhere((real) => ({
    find: async (...asked) => {
      merge.release(await pool.merge(task.id, { wait: false }));
      await readFile(begun);
      return real.find(...asked);
    },
  }));
  const pruned = await worktrees.prune();
  await writeFile(goOn, "go on\n");
  const { state } = await pool.merges.wait((await merge.promise).id);
  expect([pruned.map(({ explanation, isRemoved }) => [explanation, isRemoved]), state]).toEqual([
    [
      ["merge", undefined],
      ["slot", undefined],
    ],
    "merged",
  ]);
});

test("a clone that is being made is its place's, and stays", async () => {
  const [begun, goOn] = [held<undefined>(), held<undefined>()];
  const { pool, fromElsewhere } = await rig(async (turn, launch, playing) => {
    begun.release(undefined);
    await goOn.promise;
    return edit(turn, launch, playing);
  });
  const task = await pool.submit("edit", { isolation: "clone" });
  await begun.promise;
  const { workspace } = await pool.get(task.id);
  cpSync(workspace?.path ?? "", `${String(workspace?.path)}.making`, { recursive: true });
  const pruned = await (await fromElsewhere(() => ({}))).prune();
  goOn.release(undefined);
  await task.outcome();
  expect(pruned.map(({ path, explanation, isRemoved }) => [basename(path), explanation, isRemoved])).toEqual([
    ["clone-1", "task", undefined],
    ["clone-1.making", "task", undefined],
  ]);
});

test("a ref that was saved anew between the look and the dropping stays, and the others are dropped", async () => {
  const { pool, git, fromElsewhere } = await rig(edit, { isolation: "clone" });
  const tasks = [await pool.submit("first"), await pool.submit("second")];
  for (const task of tasks) await task.outcome();
  const [anew] = tasks.map(({ id }) => `refs/claude-pool/${id}`);
  const worktrees = await fromElsewhere((real) => ({
    dropRef: async (repository, ref, commit) => {
      if (ref === anew) git("update-ref", ref, "main");
      await real.dropRef(repository, ref, commit);
    },
  }));
  const pruned = await worktrees.pruneRefs({ force: true });
  expect(new Map(pruned.map(({ ref, isRemoved, stays }) => [ref, isRemoved ?? stays]))).toEqual(
    new Map<string, unknown>(
      tasks.map(({ id }, index) => [`refs/claude-pool/${id}`, index === 0 ? "it changed just now" : true]),
    ),
  );
});
