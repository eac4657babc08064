/** What a killed process left half made heals at the next preparation, and nothing is lost by it. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { systemProcesses } from "../../src/runner/processes.ts";
import { placeLock, repositoryLock } from "../../src/workspace/repository-lock.ts";
import { git, never, rig, stateOf, write } from "./place-rig.ts";

function fixture(name: string): string {
  return join(import.meta.dirname, "..", "fixtures", "workspace", name);
}

it("a worktree that is registered and whose directory is gone is made anew; what was staged or detached is kept", async () => {
  const { prepare, checkout } = rig();
  const made = await prepare("task-a");
  git(made.path, "checkout", "-q", "--detach");
  write(made.path, { "b.txt": "detached\n" });
  git(made.path, "add", "-A");
  git(made.path, "commit", "-qm", "Detached");
  write(made.path, { "c.txt": "staged\n" });
  git(made.path, "add", "-A");
  rmSync(made.path, { recursive: true });
  const next = await prepare("task-b");
  const kept = "refs/claude-pool-earlier/task-a/1";
  expect({
    state: stateOf(next.path),
    staged: git(checkout, "show", `${kept}:c.txt`),
    detached: git(checkout, "show", `${kept}:b.txt`),
    worktrees: git(checkout, "worktree", "list").split("\n").length,
  }).toEqual({ state: stateOf(checkout), staged: "staged", detached: "detached", worktrees: 2 });
});

it("a directory that is not registered any more is moved aside with all that is in it", async () => {
  const { prepare, workspaces, repository, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "precious\n" });
  rmSync(join(repository, "worktrees"), { recursive: true });
  const next = await prepare("task-b");
  const aside = (await workspaces.find(repository, "pool-1")).find(({ kind }) => kind === "unknown");
  if (aside === undefined) throw new Error("nothing was moved aside");
  const ref = await workspaces.rescue(aside, repository);
  const again = await workspaces.rescue(aside, repository);
  await workspaces.remove(aside.path, repository);
  expect({
    state: stateOf(next.path),
    rescued: git(checkout, "show", `${ref ?? ""}:b.txt`),
    again,
    left: (await workspaces.find(repository, "pool-1")).map(({ path }) => path),
  }).toEqual({ state: stateOf(checkout), rescued: "precious", again: ref, left: [next.path] });
});

it.each([
  [
    "git's own files are empty",
    (gitDir: string) => {
      writeFileSync(join(gitDir, "HEAD"), "");
    },
  ],
  [
    "git's HEAD is still all zeros",
    (gitDir: string) => {
      writeFileSync(join(gitDir, "HEAD"), `${"0".repeat(40)}\n`);
    },
  ],
  [
    "git's own files are missing",
    (gitDir: string) => {
      rmSync(join(gitDir, "commondir"));
      rmSync(join(gitDir, "HEAD"));
    },
  ],
  [
    "it is locked as being initialised",
    (gitDir: string) => {
      writeFileSync(join(gitDir, "locked"), "initializing");
      rmSync(join(gitDir, "claude-pool.json"));
    },
  ],
  [
    "it has no mark and no file yet",
    (gitDir: string, path: string) => {
      rmSync(join(gitDir, "claude-pool.json"));
      for (const name of readdirSync(path)) if (name !== ".git") rmSync(join(path, name), { recursive: true });
    },
  ],
  [
    "there is a draft of a clone",
    (_: string, path: string) => {
      mkdirSync(`${path}.making`);
      writeFileSync(`${path}.making/x`, "x");
    },
  ],
])("a worktree whose making was cut short so that %s is made anew", async (_title, cut) => {
  const { prepare, checkout, repository, workspaces } = rig();
  const made = await prepare("task-a");
  cut(join(repository, "worktrees", "worktree-1"), made.path);
  const next = await prepare("task-b");
  await workspaces.find(repository, "pool-1");
  expect({
    state: stateOf(next.path),
    saved: git(checkout, "for-each-ref", "--format=%(refname)", "refs/claude-pool"),
    worktrees: git(checkout, "worktree", "list", "--porcelain")
      .split("\n")
      .filter((line) => /^worktree|^locked|^prunable/.test(line)),
  }).toEqual({
    state: stateOf(checkout),
    saved: "",
    worktrees: [`worktree ${checkout}`, `worktree ${next.path}`],
  });
});

it("what stands in a directory that was being made or removed is not taken for anybody's work", async () => {
  const { prepare, save, repository, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "work\n" });
  const { saved } = await save("task-a", made);
  const states: unknown[] = [];
  for (const state of ["making", "removing"]) {
    const mark = join(repository, "worktrees", "worktree-1", "claude-pool.json");
    writeFileSync(mark, readFileSync(mark, "utf8").replace("ready", state));
    rmSync(join(made.path, "a.txt"));
    const again = await prepare("task-a", { start: "saved", before: made });
    states.push([git(again.path, "status", "--porcelain"), git(checkout, "rev-parse", "refs/claude-pool/task-a")]);
  }
  expect(states).toEqual([
    ["?? b.txt", saved?.commit],
    ["?? b.txt", saved?.commit],
  ]);
});

it("a lock on the index that a killed git left is removed when nobody can hold it", async () => {
  const { prepare, repository, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  const lock = join(repository, "worktrees", "worktree-1", "index.lock");
  writeFileSync(lock, "half an index");
  const next = await prepare("task-b");
  expect({
    state: stateOf(next.path),
    saved: git(checkout, "show", "refs/claude-pool/task-a:b.txt"),
    lock: existsSync(lock),
  }).toEqual({
    state: stateOf(checkout),
    saved: "b",
    lock: false,
  });
});

it("a worktree that somebody moved by hand is left where it is, and the place is made anew", async () => {
  const { prepare, folder, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  renameSync(made.path, join(folder, "moved"));
  const next = await prepare("task-b");
  expect({ state: stateOf(next.path), moved: readFileSync(join(folder, "moved", "b.txt"), "utf8") }).toEqual({
    state: stateOf(checkout),
    moved: "b\n",
  });
});

it("the repository's lock of a dead process is taken, that of a living one is waited for and then named", async () => {
  const { repository, prepare } = rig();
  const processes = systemProcesses();
  const file = join(repository, "claude-pool.lock");
  const holder = { pid: 1, start_time: "never", boot_id: processes.bootId, hostname: hostname() };
  writeFileSync(file, JSON.stringify(holder));
  const made = await prepare("task-a");
  writeFileSync(file, JSON.stringify({ ...holder, pid: processes.self.pid, start_time: processes.self.startTime }));
  const held = await repositoryLock(processes, 50)(repository, never, () => Promise.resolve("mine")).catch(
    (error: unknown) => error,
  );
  expect({
    made: existsSync(made.path),
    code: (held as { code: string }).code,
    details: (held as { details: unknown }).details,
  }).toEqual({
    made: true,
    code: "repository_locked",
    details: { lock: file },
  });
});

it("a place is one process's at a time, and who waits for it leaves at the signal, behind whom the next one comes", async () => {
  const { repository, folder } = rig();
  const alone = placeLock(systemProcesses());
  const place = { repository, path: join(folder, "pool", "worktree-1") };
  const abort = new AbortController();
  const order: string[] = [];
  const first = Promise.withResolvers<undefined>();
  const holding = alone(place, never, async () => {
    await first.promise;
    order.push("first");
  });
  const left = alone(place, abort.signal, () => Promise.resolve(order.push("aborted"))).catch(
    (error: unknown) => (error as { code: string }).code,
  );
  const third = alone(place, never, () => Promise.resolve(order.push("third")));
  abort.abort();
  order.push(String(await left));
  first.resolve(undefined);
  await Promise.all([holding, third]);
  expect([order, readdirSync(repository).filter((name) => name.endsWith(".lock"))]).toEqual([
    ["aborted", "first", "third"],
    [],
  ]);
});

it("no two processes are inside of the lock at once, also when some are killed inside", async () => {
  const { repository, folder } = rig();
  const log = join(folder, "log");
  writeFileSync(log, "");
  const children = Array.from({ length: 6 }, (_, index) => {
    const child = spawn(process.execPath, [fixture("lock-holder.ts"), repository, log, String(index < 3 ? 3 : 8)], {
      stdio: "inherit",
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    return once(child, "exit");
  });
  await Promise.all(children);
  const lines = readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const inside: string[] = [];
  const together: string[] = [];
  for (const line of lines) {
    const [what = "", who = ""] = line.split(" ");
    if (what === "in") {
      if (inside.length > 0) together.push(`${who} beside ${inside.join(", ")}`);
      inside.push(who);
    } else inside.splice(inside.indexOf(who), 1);
  }
  expect({ together, entered: lines.filter((line) => line.startsWith("in ")).length }).toEqual({
    together: [],
    entered: 33,
  });
}, 60_000);

it("preparations killed at any moment leave a place that the next one makes, and lose nothing", async () => {
  const { prepare, place, checkout, repository, workspaces } = rig();
  const script = fixture("preparing-child.ts");
  const first = await prepare("task-0");
  write(first.path, { "work.txt": "of task-0\n" });
  for (let kill = 1; kill <= 12; kill += 1) {
    const child = spawn(
      process.execPath,
      [script, checkout, `task-${String(kill)}`, place("worktree-1"), String(kill)],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    await once(child, "exit");
  }
  const last = await prepare("task-last");
  const found = await workspaces.find(repository, "pool-1");
  execFileSync("git", ["fsck", "--no-dangling"], { cwd: checkout, stdio: "pipe" });
  expect({
    state: stateOf(last.path),
    kept: git(checkout, "show", "refs/claude-pool/task-0:work.txt"),
    found: found.map(({ path, owner }) => ({ path, owner })),
  }).toEqual({
    state: stateOf(checkout),
    kept: "of task-0",
    found: [{ path: last.path, owner: "task-last" }],
  });
}, 120_000);

it("saves and removals killed at any moment leave the work where it stands or on its ref, whole", async () => {
  const { prepare, place, workspaces, repository, folder } = rig();
  const script = fixture("saving-child.ts");
  const whole: boolean[] = [];
  for (let kill = 1; kill <= 6; kill += 1) {
    const owner = `task-${String(kill)}`;
    const path = place(`${kill % 2 === 0 ? "clone" : "worktree"}-${String(kill)}`);
    const made = await prepare(owner, { path, isolation: kill % 2 === 0 ? "clone" : "worktree" });
    write(made.path, { "a.txt": "staged\n", "new.txt": `of ${owner}\n` });
    git(made.path, "add", "a.txt");
    write(made.path, { "a.txt": "unstaged\n" });
    const before = stateOf(made.path);
    write(folder, { "workspace.json": JSON.stringify(made) });
    const child = spawn(process.execPath, [script, join(folder, "workspace.json"), owner, String(kill * 3)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await once(child, "exit");
    const again = await prepare(owner, { path: place(`again-${String(kill)}`), start: "saved", before: made });
    whole.push(JSON.stringify(stateOf(again.path)) === JSON.stringify(before));
    await workspaces.remove(again.path, repository);
  }
  expect(whole).toEqual(whole.map(() => true));
}, 120_000);
