/** A directory is made what its request says, and nothing that stood there before is lost. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openWorkspaces } from "../../src/workspace/open-workspaces.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { git, makeRepository, never, rig, rigOn, stateOf, tempFolder, write } from "./place-rig.ts";

function head(path: string): string {
  return git(path, "rev-parse", "HEAD");
}

it("a worktree is made on the owner's branch, from the base, and the user's own checkout stays clean", async () => {
  const { prepare, checkout, repository, place } = rig({ name: "ä project" });
  const made = await prepare("task-a", { cwd: join(checkout, "packages", "app") });
  expect({
    made,
    branch: git(made.path, "branch", "--show-current"),
    worker: git(made.path, "status", "--porcelain"),
    user: git(checkout, "status", "--porcelain"),
    exclude: readFileSync(join(repository, "info", "exclude"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("/")),
  }).toEqual({
    made: {
      isolation: "worktree",
      repository,
      path: place("worktree-1"),
      cwd: join(place("worktree-1"), "packages", "app"),
      branch: "claude-pool/pool-1/task-a",
      baseRef: "HEAD",
      baseCommit: head(checkout),
      target: "main",
    },
    branch: "claude-pool/pool-1/task-a",
    worker: "",
    user: "",
    exclude: ["/.claude/worktrees/claude-pool/"],
  });
});

it("eight are made at once, each by itself, and the exclude file has one line for all", async () => {
  const { prepare, place, repository } = rig();
  const numbers = Array.from({ length: 8 }, (_, index) => String(index + 1));
  const made = await Promise.all(
    numbers.map((number) => prepare(`task-${number}`, { path: place(`worktree-${number}`) })),
  );
  const lines = readFileSync(join(repository, "info", "exclude"), "utf8").split("\n");
  expect({
    paths: made.map(({ path }) => readFileSync(join(path, "a.txt"), "utf8").length),
    branches: made.map(({ branch }) => branch),
    lines: lines.filter((line) => line === "/.claude/worktrees/claude-pool/").length,
    locks: readdirSync(repository).filter((name) => name.startsWith("claude-pool.lock")),
  }).toEqual({
    paths: numbers.map(() => 14),
    branches: numbers.map((number) => `claude-pool/pool-1/task-${number}`),
    lines: 1,
    locks: [],
  });
});

it("a directory is made clean for the next owner: the last one's work is on its ref, installed dependencies stay", async () => {
  const { prepare, checkout } = rig();
  const first = await prepare("task-a");
  write(first.path, {
    "a.txt": "changed\n",
    "new.txt": "new\n",
    "node_modules/dep/index.js": "installed",
    "deep/er/file": "x",
  });
  git(first.path, "rm", "-q", "packages/app/index.js");
  const second = await prepare("task-b");
  expect({
    path: second.path,
    state: stateOf(second.path),
    dependency: existsSync(join(second.path, "node_modules/dep/index.js")),
    saved: git(checkout, "ls-tree", "-r", "--name-only", "refs/claude-pool/task-a").split("\n"),
    branches: git(checkout, "branch", "--format=%(refname:short)").split("\n"),
  }).toEqual({
    path: first.path,
    state: stateOf(checkout),
    dependency: true,
    saved: [".gitignore", "a.txt", "deep/er/file", "new.txt"],
    branches: ["claude-pool/pool-1/task-b", "main"],
  });
});

it("what the last owner had git ignore, and the base does not, is gone for the next", async () => {
  const { prepare } = rig();
  const first = await prepare("task-a");
  write(first.path, { ".gitignore": "secret/\n", "secret/key": "k", "node_modules/x": "y" });
  const second = await prepare("task-b");
  expect(git(second.path, "status", "--porcelain", "-uall")).toBe("");
});

it("a rebase, a bisect and a hidden edit of the last owner do not reach the next", async () => {
  const { prepare, checkout } = rig();
  const first = await prepare("task-a");
  write(first.path, { "a.txt": "mine\n" });
  git(first.path, "commit", "-qam", "Mine");
  write(checkout, { "a.txt": "theirs\n" });
  git(checkout, "commit", "-qam", "Theirs");
  expect(() => git(first.path, "rebase", "main")).toThrow();
  git(first.path, "update-index", "--assume-unchanged", "packages/app/index.js");
  write(first.path, { "packages/app/index.js": "hidden\n" });
  const second = await prepare("task-b");
  expect({
    status: git(second.path, "status"),
    state: stateOf(second.path),
    saved: git(checkout, "show", "refs/claude-pool/task-a:packages/app/index.js"),
  }).toEqual({
    status: "On branch claude-pool/pool-1/task-b\nnothing to commit, working tree clean",
    state: stateOf(checkout),
    saved: "hidden",
  });
});

it("a sparse checkout of the last owner does not reach the next", async () => {
  const { prepare, checkout } = rig();
  const first = await prepare("task-a");
  git(first.path, "sparse-checkout", "set", "packages");
  write(first.path, { "other/new.txt": "outside of it\n" });
  const second = await prepare("task-b");
  expect({
    state: stateOf(second.path),
    saved: git(checkout, "ls-tree", "-r", "--name-only", "refs/claude-pool/task-a").split("\n"),
  }).toEqual({
    state: stateOf(checkout),
    saved: [".gitignore", "a.txt", "other/new.txt", "packages/app/index.js"],
  });
});

it("work that goes on in its directory finds it exactly as it stands", async () => {
  const { prepare, save } = rig();
  const made = await prepare("task-a");
  write(made.path, { "a.txt": "staged\n", "new.txt": "new\n" });
  git(made.path, "add", "a.txt");
  write(made.path, { "a.txt": "unstaged\n" });
  git(made.path, "switch", "-q", "-c", "elsewhere");
  const before = stateOf(made.path);
  const saved = await save("task-a", made);
  const again = await prepare("task-a", { start: "saved", before: saved });
  expect({ again, state: stateOf(again.path), on: git(again.path, "branch", "--show-current") }).toEqual({
    again: saved,
    state: before,
    on: "elsewhere",
  });
});

it("work that goes on in another directory is saved where it stands first, and its branch follows it", async () => {
  const { prepare, place, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "new.txt": "never saved by anybody\n" });
  const before = stateOf(made.path);
  const moved = await prepare("task-a", { path: place("worktree-2"), start: "saved", before: made });
  expect({
    state: stateOf(moved.path),
    branch: git(moved.path, "branch", "--show-current"),
    left: git(made.path, "branch", "--show-current"),
    saved: git(checkout, "show", "refs/claude-pool/task-a:new.txt"),
  }).toEqual({
    state: before,
    branch: "claude-pool/pool-1/task-a",
    left: "",
    saved: "never saved by anybody",
  });
});

it("a start from the base leaves what the owner had on his refs", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "a.txt": "committed\n" });
  git(made.path, "commit", "-qam", "First try");
  write(made.path, { "b.txt": "and more\n" });
  const saved = await save("task-a", made);
  const again = await prepare("task-a", { start: "base", before: saved });
  write(again.path, { "c.txt": "second try\n" });
  const second = await save("task-a", again, 2);
  expect({
    saved: again.saved,
    files: git(checkout, "ls-tree", "--name-only", second.saved?.commit ?? "").split("\n"),
    earlier: git(checkout, "rev-parse", "refs/claude-pool-earlier/task-a/1"),
    content: git(checkout, "show", "refs/claude-pool-earlier/task-a/1:b.txt"),
  }).toEqual({
    saved: undefined,
    files: [".gitignore", "a.txt", "c.txt", "packages"],
    earlier: saved.saved?.commit,
    content: "and more",
  });
});

it("where no worktree can be made, the error says why", async () => {
  const folder = tempFolder();
  const empty = join(folder, "empty");
  mkdirSync(empty);
  const fresh = join(folder, "fresh");
  mkdirSync(fresh);
  git(fresh, "init", "-q");
  const whole = join(folder, "whole");
  makeRepository(whole);
  git(folder, "clone", "-q", "--bare", whole, "bare.git");
  mkdirSync(join(whole, "not-committed"));
  const workspaces = openWorkspaces({ processes: systemProcesses() });
  const attempt = async (cwd: string, baseRef = "HEAD"): Promise<string> => {
    const path = join(folder, "place");
    const request = { poolId: "p", owner: "task-a", isolation: "worktree" as const, path, cwd, baseRef };
    return workspaces.prepare({ ...request, start: "base", include: [] }, never).then(
      () => "made",
      (error: unknown) => `${(error as { code: string }).code}: ${(error as Error).message}`,
    );
  };
  expect({
    outside: await attempt(empty),
    noCommit: await attempt(fresh),
    bare: await attempt(join(folder, "bare.git")),
    inside: await attempt(join(whole, ".git")),
    base: await attempt(whole, "no-such-branch"),
    option: await attempt(whole, "--help"),
    directory: await attempt(join(whole, "not-committed")),
    left: existsSync(join(folder, "place")),
  }).toEqual({
    outside: `workspace_impossible: ${empty} is in no git repository, so no task can be isolated there. Run \`git init\` and commit, or ask for isolation none.`,
    noCommit: `workspace_impossible: The repository of ${fresh} has no commit yet, so there is nothing to begin from. Commit once, then try again.`,
    bare: `workspace_impossible: ${join(folder, "bare.git")} is a bare repository, which has no files to work on. Name a checkout of it as the directory.`,
    inside: `workspace_impossible: ${join(whole, ".git")} is inside a git directory, where no task can work. Name the checkout.`,
    base: `workspace_impossible: The base "no-such-branch" is no commit of the repository of ${whole}. Name a branch, tag or commit that is there.`,
    option: `workspace_impossible: The base "--help" is no commit of the repository of ${whole}. Name a branch, tag or commit that is there.`,
    directory: `workspace_impossible: The directory not-committed is not in HEAD (${head(whole).slice(0, 12)}), so no task can work there. Commit it, or name another base or directory.`,
    left: false,
  });
});

it("a base is a branch, a tag, a commit or a detached HEAD; only a branch is where the work goes", async () => {
  const { prepare, checkout, place } = rig();
  const first = head(checkout);
  git(checkout, "tag", "v1");
  git(checkout, "switch", "-q", "-c", "feature/x");
  git(checkout, "commit", "-q", "--allow-empty", "-m", "More");
  const bases = ["HEAD", "main", "feature/x", "v1", first.slice(0, 10), "HEAD~1"];
  const found: unknown[] = [];
  for (const [index, baseRef] of bases.entries()) {
    const { baseCommit, target } = await prepare(`task-${String(index)}`, {
      baseRef,
      path: place(`worktree-${String(index)}`),
    });
    found.push([baseRef, baseCommit, target]);
  }
  git(checkout, "checkout", "-q", "--detach");
  const { target } = await prepare("task-detached", { path: place("worktree-9") });
  const last = git(checkout, "rev-parse", "feature/x");
  expect([...found, target]).toEqual([
    ["HEAD", last, "feature/x"],
    ["main", first, "main"],
    ["feature/x", last, "feature/x"],
    ["v1", first, undefined],
    [first.slice(0, 10), first, undefined],
    ["HEAD~1", first, undefined],
    undefined,
  ]);
});

it("a shallow clone, a linked worktree and a submodule are repositories like others", async () => {
  const folder = tempFolder();
  const source = join(folder, "source");
  makeRepository(source);
  git(source, "commit", "-q", "--allow-empty", "-m", "Second");
  git(folder, "clone", "-q", "--depth", "1", `file://${source}`, "shallow");
  git(source, "worktree", "add", "-q", "-b", "side", join(folder, "linked"));
  makeRepository(join(folder, "super"));
  git(join(folder, "super"), "-c", "protocol.file.allow=always", "submodule", "add", "-q", source, "sub");
  const made: unknown[] = [];
  for (const checkout of ["shallow", "linked", "super/sub"]) {
    const { prepare, save } = rigOn(folder, join(folder, checkout));
    const one = await prepare("task-a");
    write(one.path, { "new.txt": "new\n" });
    const { saved, target } = await save("task-a", one);
    made.push([one.path, target, saved?.files]);
  }
  expect(made).toEqual([
    [join(folder, "shallow/.claude/worktrees/claude-pool/pool-1/worktree-1"), "main", 1],
    [join(folder, "source/.claude/worktrees/claude-pool/pool-1/worktree-1"), "side", 1],
    [join(folder, "super/sub/.claude/worktrees/claude-pool/pool-1/worktree-1"), "main", 1],
  ]);
});

it("a branch that the user has checked out is left to him, and the owner gets the next one", async () => {
  const { prepare, save, checkout, workspaces, repository } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  git(made.path, "add", "-A");
  git(made.path, "commit", "-qm", "Work");
  const saved = await save("task-a", made);
  git(made.path, "checkout", "-q", "--detach");
  git(checkout, "switch", "-q", "claude-pool/pool-1/task-a");
  await workspaces.remove(made.path, repository);
  const again = await prepare("task-a", { start: "saved", before: saved });
  expect({
    branch: again.branch,
    on: git(again.path, "branch", "--show-current"),
    user: git(checkout, "branch", "--show-current"),
    files: readFileSync(join(again.path, "b.txt"), "utf8"),
  }).toEqual({
    branch: "claude-pool/pool-1/task-a-2",
    on: "claude-pool/pool-1/task-a-2",
    user: "claude-pool/pool-1/task-a",
    files: "b\n",
  });
});

it("what is at the path and not the pool's is moved aside, never written to", async () => {
  const { prepare, place, workspaces, repository } = rig();
  write(place("worktree-1"), { "precious.txt": "mine\n" });
  mkdirSync(join(place("worktree-2"), ".."), { recursive: true });
  writeFileSync(place("worktree-2"), "a file\n");
  makeRepository(place("worktree-3"));
  mkdirSync(place("worktree-4"));
  for (const number of ["1", "2", "3", "4"]) await prepare(`task-${number}`, { path: place(`worktree-${number}`) });
  const names = readdirSync(join(place("x"), ".."));
  const aside = (number: string): string =>
    join(place("x"), "..", names.find((name) => name.startsWith(`worktree-${number}.found-`)) ?? "none");
  const found = await workspaces.find(repository, "pool-1");
  expect({
    first: readFileSync(join(aside("1"), "precious.txt"), "utf8"),
    second: readFileSync(aside("2"), "utf8"),
    third: git(aside("3"), "log", "--format=%s"),
    fourth: existsSync(aside("4")) && aside("4").endsWith("none"),
    kinds: found.map(({ kind, isSaved }) => `${kind} ${String(isSaved)}`),
  }).toEqual({
    first: "mine\n",
    second: "a file\n",
    third: "Begin",
    fourth: false,
    kinds: [
      "worktree true",
      "unknown false",
      "worktree true",
      "unknown false",
      "worktree true",
      "unknown false",
      "worktree true",
    ],
  });
});

it("paths that lead through links are the same paths", async () => {
  const folder = tempFolder();
  makeRepository(join(folder, "real"));
  symlinkSync(join(folder, "real"), join(folder, "link"));
  mkdirSync(join(folder, "elsewhere"));
  symlinkSync(join(folder, "elsewhere"), join(folder, "real", ".claude"));
  const { prepare, workspaces, save } = rigOn(folder, join(folder, "link"));
  const made = await prepare("task-a");
  const again = await prepare("task-a", { start: "saved", before: made });
  await workspaces.verify(again, join(folder, "real/.claude/worktrees/claude-pool/pool-1/worktree-1"));
  write(made.path, { "x.txt": "x\n" });
  const { saved } = await save("task-a", again);
  expect({ path: made.path, same: again.path, files: saved?.files }).toEqual({
    path: join(folder, "elsewhere/worktrees/claude-pool/pool-1/worktree-1"),
    same: made.path,
    files: 1,
  });
});

it("a configured base directory is taken from the main checkout, or as it is", async () => {
  const inside = rig({ base: "build/work trees" });
  const made = await inside.prepare("task-a");
  const outsideFolder = tempFolder();
  const outside = rig({ base: outsideFolder });
  const other = await outside.prepare("task-a");
  expect({
    inside: made.path,
    status: git(inside.checkout, "status", "--porcelain"),
    outside: other.path,
    exclude: readFileSync(join(outside.repository, "info", "exclude"), "utf8").includes(outsideFolder),
  }).toEqual({
    inside: join(inside.checkout, "build/work trees/pool-1/worktree-1"),
    status: "",
    outside: join(outsideFolder, "pool-1/worktree-1"),
    exclude: false,
  });
});

it("no hook of the user's runs, and no variable of a hook misleads", async () => {
  const { prepare, save, checkout, repository } = rig();
  for (const hook of ["post-checkout", "reference-transaction", "post-index-change", "post-commit"]) {
    write(join(repository, "hooks"), { [hook]: `#!/bin/sh\ntouch '${checkout}/ran'\n` });
    chmodSync(join(repository, "hooks", hook), 0o755);
  }
  rmSync(join(checkout, "ran"), { force: true });
  process.env.GIT_DIR = "/nonexistent";
  process.env.GIT_INDEX_FILE = "/nonexistent";
  try {
    const made = await prepare("task-a");
    write(made.path, { "x.txt": "x\n" });
    await save("task-a", made);
  } finally {
    delete process.env.GIT_DIR;
    delete process.env.GIT_INDEX_FILE;
  }
  expect(existsSync(join(checkout, "ran"))).toBe(false);
});

it("a branch is merged into the directory with its conflicts in the files, and a save says what was merged", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "a.txt": "mine\n", "mine.txt": "uncommitted\n" });
  const saved = await save("task-a", made);
  write(checkout, { "a.txt": "theirs\n", "theirs.txt": "t\n" });
  git(checkout, "add", "-A");
  git(checkout, "commit", "-qm", "Theirs");
  const again = await prepare("task-a", { start: "saved", before: saved, mergeIn: "main" });
  const conflicted = readFileSync(join(again.path, "a.txt"), "utf8");
  const status = git(again.path, "status", "--porcelain");
  const twice = await prepare("task-a", { start: "saved", before: again, mergeIn: "main" });
  write(twice.path, { "a.txt": "both\n" });
  const resolved = await save("task-a", twice, 2);
  const parents = git(checkout, "log", "-1", "--format=%P", resolved.saved?.commit ?? "").split(" ");
  expect({
    markers: /<<<<<<<[^]*mine[^]*=======[^]*theirs[^]*>>>>>>>/.test(conflicted),
    status,
    subject: git(made.path, "log", "-1", "--format=%s"),
    merged: parents[1],
    files: resolved.saved?.files,
  }).toEqual({
    markers: true,
    status: "UU a.txt\nA  theirs.txt",
    subject: "Do task-a",
    merged: head(checkout),
    files: 2,
  });
});

it("a process that stands elsewhere than was meant is found out", async () => {
  const { prepare, workspaces, checkout } = rig();
  const made = await prepare("task-a");
  const verdict = (cwd = made.cwd): Promise<string> =>
    workspaces.verify(made, cwd).then(
      () => "as meant",
      (error: unknown) => `${(error as { code: string }).code}: ${(error as Error).message}`,
    );
  const good = await verdict();
  const elsewhere = await verdict(checkout);
  git(made.path, "switch", "-q", "-c", "other");
  const branch = await verdict();
  git(made.path, "switch", "-q", made.branch);
  renameSync(join(made.path, ".git"), join(made.path, "was-git"));
  git(made.path, "init", "-q");
  const gitDir = await verdict();
  const end = "; it was stopped before it did anything.";
  expect({ good, elsewhere, branch, gitDir }).toEqual({
    good: "as meant",
    elsewhere: `workspace_mismatch: The process works in ${checkout}, and was to work in ${made.path}${end}`,
    branch: `workspace_mismatch: The process stands on refs/heads/other, and was to stand on refs/heads/${made.branch}${end}`,
    gitDir: `workspace_mismatch: The process works on the git directory ${join(made.path, ".git")}, and was to work on ${join(checkout, ".git/worktrees/worktree-1")}${end}`,
  });
});

it("an aborted preparation rejects as aborted, and the next one makes the directory", async () => {
  const { workspaces, request, prepare } = rig();
  const early = await workspaces.prepare(request("task-a"), AbortSignal.abort()).catch((error: unknown) => error);
  const made = await prepare("task-a");
  expect({ early: (early as { code: string }).code, status: git(made.path, "status", "--porcelain") }).toEqual({
    early: "aborted",
    status: "",
  });
});
