/** Clones: repositories of their own, whose work is kept in the one they were made from. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { git, makeRepository, rig, rigOn, stateOf, tempFolder, write, type Rig } from "./place-rig.ts";

async function clone(one: Rig, owner: string, more: Parameters<Rig["prepare"]>[1] = {}): ReturnType<Rig["prepare"]> {
  return one.prepare(owner, { isolation: "clone", path: one.place("clone-1"), ...more });
}

function objectsOf(gitDir: string): readonly string[] {
  return readdirSync(join(gitDir, "objects"), { recursive: true, encoding: "utf8" })
    .map((name) => join(gitDir, "objects", name))
    .filter((path) => lstatSync(path).isFile());
}

it("a clone borrows no objects, is on the owner's branch, and pushes to where its source does", async () => {
  const one = rig();
  git(one.checkout, "remote", "add", "origin", "https://example.com/somebody/project.git");
  const made = await clone(one, "task-a", { cwd: join(one.checkout, "packages/app") });
  const gitDir = join(made.path, ".git");
  expect({
    made,
    state: stateOf(made.path),
    branch: git(made.path, "branch", "--show-current"),
    alternates: existsSync(join(gitDir, "objects/info/alternates")),
    linked: objectsOf(gitDir).filter((path) => statSync(path).nlink > 1).length > 0,
    origin: git(made.path, "remote", "get-url", "origin"),
    who: git(made.path, "config", "--local", "user.email"),
  }).toEqual({
    made: {
      isolation: "clone",
      repository: one.repository,
      path: one.place("clone-1"),
      cwd: join(one.place("clone-1"), "packages/app"),
      branch: "claude-pool/pool-1/task-a",
      baseRef: "HEAD",
      baseCommit: git(one.checkout, "rev-parse", "HEAD"),
      target: "main",
    },
    state: stateOf(one.checkout),
    branch: "claude-pool/pool-1/task-a",
    alternates: false,
    linked: true,
    origin: "https://example.com/somebody/project.git",
    who: "somebody@example.com",
  });
});

it("a source whose origin is a directory stays the clone's origin", async () => {
  const one = rig();
  git(one.checkout, "remote", "add", "origin", one.folder);
  const made = await clone(one, "task-a");
  expect(git(made.path, "remote", "get-url", "origin")).toBe(one.repository);
});

it("what is saved of a clone is in the repository when the clone is gone: its work, other branches and stashes", async () => {
  const one = rig();
  const made = await clone(one, "task-a");
  git(made.path, "switch", "-q", "-c", "side");
  write(made.path, { "side.txt": "side\n" });
  git(made.path, "add", "-A");
  git(made.path, "commit", "-qm", "Side");
  git(made.path, "switch", "-q", "-");
  write(made.path, { "a.txt": "stashed\n" });
  git(made.path, "stash", "-q");
  write(made.path, { "a.txt": "again\n" });
  git(made.path, "stash", "-q");
  write(made.path, { "a.txt": "staged\n", "new.txt": "new\n" });
  git(made.path, "add", "a.txt");
  write(made.path, { "a.txt": "unstaged\n" });
  const before = stateOf(made.path);
  const saved = await one.save("task-a", made);
  const second = await one.save("task-a", saved);
  await one.workspaces.remove(made.path, one.repository);
  const again = await clone(one, "task-a", { start: "saved", before: saved, path: one.place("clone-2") });
  const refs = git(one.checkout, "for-each-ref", "--format=%(refname)", "refs/claude-pool-earlier").split("\n");
  const kept = refs.map((ref) => [
    git(one.checkout, "show", `${ref}:a.txt`),
    git(one.checkout, "ls-tree", "--name-only", ref, "side.txt"),
  ]);
  expect({
    second,
    gone: existsSync(made.path),
    state: stateOf(again.path),
    kept: kept.toSorted(),
    passing: git(one.checkout, "for-each-ref", "refs/claude-pool-incoming", "refs/claude-pool-saving"),
    user: git(one.checkout, "status", "--porcelain"),
  }).toEqual({
    second: saved,
    gone: false,
    state: before,
    kept: [
      ["again", ""],
      ["one\ntwo\nthree", "side.txt"],
      ["stashed", ""],
    ],
    passing: "",
    user: "",
  });
});

it("a clone's place that holds another owner's work is saved and made anew", async () => {
  const one = rig();
  const first = await clone(one, "task-a");
  write(first.path, { "b.txt": "b\n", "node_modules/x": "x" });
  const second = await clone(one, "task-b");
  expect({ state: stateOf(second.path), saved: git(one.checkout, "show", "refs/claude-pool/task-a:b.txt") }).toEqual({
    state: stateOf(one.checkout),
    saved: "b",
  });
});

it("a clone is made at a commit that is on no branch, and of a shallow repository", async () => {
  const folder = tempFolder();
  const source = join(folder, "source");
  makeRepository(source);
  git(source, "commit", "-q", "--allow-empty", "-m", "Second");
  git(folder, "clone", "-q", "--depth", "1", `file://${source}`, "shallow");
  const one = rigOn(folder, join(folder, "shallow"));
  git(one.checkout, "config", "user.name", "S");
  git(one.checkout, "config", "user.email", "s@example.com");
  git(one.checkout, "checkout", "-q", "--detach");
  write(one.checkout, { "detached.txt": "d\n" });
  git(one.checkout, "add", "-A");
  git(one.checkout, "commit", "-qm", "On no branch");
  const made = await clone(one, "task-a");
  write(made.path, { "new.txt": "new\n" });
  const { saved } = await one.save("task-a", made);
  await one.workspaces.remove(made.path, one.repository);
  expect({
    files: git(one.checkout, "ls-tree", "--name-only", saved?.commit ?? "").split("\n"),
    count: saved?.files,
    shallow: git(one.checkout, "rev-parse", "--is-shallow-repository"),
  }).toEqual({ files: [".gitignore", "a.txt", "detached.txt", "new.txt", "packages"], count: 1, shallow: "true" });
});

it("conflicts of a merged branch are left in a clone's files too", async () => {
  const one = rig();
  const made = await clone(one, "task-a");
  write(made.path, { "a.txt": "mine\n" });
  const saved = await one.save("task-a", made);
  write(one.checkout, { "a.txt": "theirs\n" });
  git(one.checkout, "commit", "-qam", "Theirs");
  const again = await clone(one, "task-a", { start: "saved", before: saved, mergeIn: "main" });
  const status = git(again.path, "status", "--porcelain");
  write(again.path, { "a.txt": "both\n" });
  const resolved = await one.save("task-a", again, 2);
  const parents = git(one.checkout, "log", "-1", "--format=%P", resolved.saved?.commit ?? "").split(" ");
  expect({ status, merged: parents[1] }).toEqual({
    status: "UU a.txt",
    merged: git(one.checkout, "rev-parse", "main"),
  });
});

it("a process in a clone is verified like one in a worktree", async () => {
  const one = rig();
  const made = await clone(one, "task-a");
  await one.workspaces.verify(made, made.path);
  mkdirSync(join(made.path, "node_modules"));
  const elsewhere = await one.workspaces.verify(made, join(made.path, "node_modules")).catch((error: unknown) => error);
  expect((elsewhere as { code: string }).code).toBe("workspace_mismatch");
});

it("large files pointers share the source's store", async () => {
  const one = rig();
  mkdirSync(join(one.repository, "lfs"));
  const made = await clone(one, "task-a");
  expect([git(made.path, "config", "lfs.storage"), readFileSync(join(made.path, "a.txt"), "utf8")]).toEqual([
    join(one.repository, "lfs"),
    "one\ntwo\nthree\n",
  ]);
});

it("a clone is made again when somebody packs the repository while git links its objects", async () => {
  const one = rig();
  const bin = join(one.folder, "bin");
  const missed = "failed to create link 'x/.git/objects/27/95': No such file or directory";
  const script = `#!/bin/sh
case " $* " in *" clone "*)
  if [ ! -e ${bin}/missed ]; then touch ${bin}/missed; mkdir -p ${one.place("clone-1")}.making; echo "fatal: ${missed}" >&2; exit 128; fi;;
esac
exec ${execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim()} "$@"
`;
  write(bin, { git: script });
  chmodSync(join(bin, "git"), 0o755);
  vi.stubEnv("PATH", `${bin}:${process.env.PATH ?? ""}`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const made = await clone(one, "task-a");
  expect(stateOf(made.path)).toEqual(stateOf(one.checkout));
});
