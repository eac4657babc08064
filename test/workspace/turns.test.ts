/** What is done in one place at a time, among processes and in one. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Processes } from "../../src/core/ports.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { git as gitAsPool } from "../../src/workspace/git.ts";
import { readMark, writeMark } from "../../src/workspace/mark.ts";
import { openWorkspaces } from "../../src/workspace/open-workspaces.ts";
import { repositoryLock } from "../../src/workspace/repository-lock.ts";
import { repository as landingRig } from "./landing-rig.ts";
import { git, makeRepository, never, rig, tempFolder, write } from "./place-rig.ts";

/** Of another process; `met` resolves when it waits for somebody's turn to end. */
function another(): { readonly workspaces: ReturnType<typeof openWorkspaces>; readonly met: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const real = systemProcesses();
  const processes: Processes = Object.assign(Object.create(real) as Processes, {
    isAlive: (one: Parameters<Processes["isAlive"]>[0]) => {
      resolve("waits");
      return real.isAlive(one);
    },
  });
  return { workspaces: openWorkspaces({ processes }), met: promise };
}

it.each(["remove", "rescue"] as const)("%s waits until nobody makes the directory ready or saves it", async (verb) => {
  const one = rig();
  const { path, repository } = await one.prepare("task-a");
  const { workspaces, met } = another();
  let doing: Promise<unknown> | undefined;
  const during = await one.workspaces.alone({ repository, path }, undefined, () => {
    const at = { path, kind: "worktree", isSaved: true } as const;
    doing = verb === "remove" ? workspaces.remove(path, repository) : workspaces.rescue(at, repository);
    return Promise.race([met, doing]);
  });
  await doing;
  expect([during, existsSync(path)]).toEqual(["waits", verb === "rescue"]);
});

it("what another removes while everything is saved is just not there", async () => {
  const { prepare, save, checkout } = rig({ files: { "a.txt": "a\n", ".gitattributes": "a.txt filter=churn\n" } });
  const made = await prepare("task-a");
  git(checkout, "config", "filter.churn.clean", "rm -f z.txt; cat");
  write(made.path, { "a.txt": "changed\n", "b.txt": "b\n", "z.txt": "gone while git reads\n" });
  const { saved } = await save("task-a", made);
  expect(git(checkout, "ls-tree", "--name-only", saved?.tree ?? "").split("\n")).toEqual([
    ".gitattributes",
    "a.txt",
    "b.txt",
  ]);
});

it("a worktree that another git is registering is waited for like a lock", async () => {
  const { repository, folder, checkout } = rig();
  git(checkout, "worktree", "add", "-q", "--detach", join(folder, "other"));
  const head = join(repository, "worktrees", "other", "HEAD");
  writeFileSync(head, `${"0".repeat(40)}\n`);
  const fetch = ["fetch", "--quiet", checkout, "main:refs/heads/fetched"];
  const call = { cwd: repository, env: { GIT_DIR: repository }, lockWaitMs: 1 };
  await expect(gitAsPool(fetch, call)).rejects.toMatchObject({ code: "repository_locked" });
});

it("a repository inside the directory is saved while others look at it too", async () => {
  const { prepare, save, workspaces, repository } = rig();
  const made = await prepare("task-a");
  makeRepository(join(made.path, "inner"), { "x.txt": "x\n" });
  const looks: Promise<unknown>[] = [];
  for (let round = 0; round < 3; round += 1) {
    write(made.path, { "inner/x.txt": `${String(round)}\n` });
    git(join(made.path, "inner"), "commit", "-qam", `Round ${String(round)}`);
    looks.push(
      ...Array.from({ length: 5 }, () => workspaces.diff({ workspace: made, of: "directory" })),
      workspaces.find(repository, "pool-1"),
    );
    looks.push(save("task-a", made));
    await Promise.allSettled(looks);
  }
  const ends = await Promise.allSettled(looks);
  const failures = ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []));
  expect(failures).toEqual([]);
});

it("who lands on a branch is not made to begin anew by another pool, which waits", async () => {
  const landing = landingRig();
  const [first, second] = [await landing.worker("t1"), await landing.worker("t2")];
  first.write({ "b.txt": "b\n" });
  second.write({ "c.txt": "c\n" });
  const folder = tempFolder();
  const [begun, goOn, runs] = ["begun", "go-on", "runs"].map((name) => join(folder, name)) as [string, string, string];
  for (const pipe of [begun, goOn]) execFileSync("mkfifo", [pipe]);
  const command = `echo run >> ${runs}; [ -p ${begun} ] || exit 0; echo begun > ${begun}; rm ${begun}; read line < ${goOn}`;
  const one = openWorkspaces({ processes: systemProcesses() });
  const { workspaces, met } = another();
  const long = one.land(await first.request({ checks: [{ command }] }), never);
  await readFile(begun);
  const short = workspaces.land(await second.request(), never);
  const during = await Promise.race([met, short]);
  await writeFile(goOn, "go on\n");
  const ends = [(await long).state, (await short).state];
  expect([during, ends, readFileSync(runs, "utf8"), landing.files()]).toEqual([
    "waits",
    ["merged", "merged"],
    "run\n",
    { "a.txt": "a", "b.txt": "b", "c.txt": "c" },
  ]);
});

it("a place that another was given while its last owner waited to leave it stays the other's", async () => {
  const { request, prepare, save, repository, place } = rig();
  const made = await save("task-a", await prepare("task-a"));
  const gitDir = join(repository, "worktrees", "worktree-1");
  const { workspaces, met } = another();
  let preparing: Promise<unknown> | undefined;
  await repositoryLock(systemProcesses())(repository, never, async () => {
    const moving = request("task-a", { start: "saved", before: made, path: place("worktree-2") });
    preparing = workspaces.prepare(moving, never);
    await met;
    await writeMark(gitDir, { state: "ready", poolId: "pool-1", owner: "task-b", branch: "claude-pool/pool-1/task-b" });
    git(made.path, "checkout", "-q", "-b", "claude-pool/pool-1/task-b");
  });
  await preparing;
  expect([(await readMark(gitDir))?.state, git(made.path, "symbolic-ref", "--short", "HEAD")]).toEqual([
    "ready",
    "claude-pool/pool-1/task-b",
  ]);
});

it("work that several save at once is saved once, and nobody fails", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  const ends = await Promise.all(Array.from({ length: 6 }, () => save("task-a", made)));
  const saved = git(checkout, "rev-parse", "refs/claude-pool/task-a");
  expect([new Set(ends.map((end) => end.saved?.tree)).size, git(checkout, "show", `${saved}:b.txt`)]).toEqual([1, "b"]);
});

it("a diff of a directory that is given to another during the look shows what was saved", async () => {
  const { prepare, save, checkout, workspaces } = rig({
    files: { "a.txt": "a\n", ".gitattributes": "a.txt filter=given\n" },
  });
  const made = await prepare("task-a");
  write(made.path, { "a.txt": "changed\n" });
  const saved = await save("task-a", made);
  const mark = join(git(made.path, "rev-parse", "--absolute-git-dir"), "claude-pool.json");
  git(checkout, "config", "filter.given.clean", `sed -i s/task-a/task-b/g ${mark}; echo of another`);
  write(made.path, { "a.txt": "of another\n" });
  const diff = await workspaces.diff({ workspace: made, of: "directory" });
  expect(diff.commit).toBe(saved.saved?.commit);
});
