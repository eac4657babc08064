/** Everything that stands in a directory is in what is saved of it, whatever state git is in there. */
import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { git, makeRepository, rig, stateOf, write, type Rig } from "./place-rig.ts";

const kept = ["refs/claude-pool", "refs/claude-pool-earlier", "refs/claude-pool-modules"];

/** Saves, removes the directory, and has it made again somewhere else. */
async function thereAndBack(
  { prepare, save, workspaces, repository, place }: Rig,
  owner: string,
  path: string,
): Promise<string> {
  const found = (await workspaces.find(repository, "pool-1")).find((one) => one.path === path);
  const made = await prepare(owner, { start: "saved", path });
  const saved = await save(owner, made);
  await workspaces.remove(path, repository);
  const again = await prepare(owner, { start: "saved", before: saved, path: place("worktree-again") });
  if (found === undefined || existsSync(path)) throw new Error("it was not found, or not removed");
  return again.path;
}

it("when nothing is uncommitted, what is saved is HEAD itself, however often", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  git(made.path, "add", "-A");
  git(made.path, "commit", "-qm", "Work");
  const first = await save("task-a", made);
  const second = await save("task-a", first);
  expect({
    first: first.saved?.commit,
    second: second.saved,
    refs: git(checkout, "for-each-ref", "--format=%(refname)", ...kept),
  }).toEqual({
    first: git(made.path, "rev-parse", "HEAD"),
    second: first.saved,
    refs: "refs/claude-pool/task-a",
  });
});

it("saving what has not changed since makes nothing new", async () => {
  const { prepare, save } = rig();
  const made = await prepare("task-a");
  write(made.path, { "a.txt": "staged\n" });
  git(made.path, "add", "-A");
  write(made.path, { "a.txt": "unstaged\n", "c.txt": "c\n" });
  const first = await save("task-a", made);
  const second = await save("task-a", first, 2);
  expect(second).toEqual(first);
});

it("a staged state that is neither HEAD's nor the files' is kept in a commit of its own", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "a.txt": "staged\n" });
  git(made.path, "add", "-A");
  rmSync(join(made.path, "a.txt"));
  const { saved } = await save("task-a", made);
  const commit = saved?.commit ?? "";
  const [head, index = ""] = git(checkout, "log", "-1", "--format=%P", commit).split(" ");
  expect({
    head,
    tree: git(checkout, "ls-tree", "--name-only", commit).split("\n"),
    index: git(checkout, "show", `${index}:a.txt`),
  }).toEqual({ head: made.baseCommit, tree: [".gitignore", "packages"], index: "staged" });
});

it("a merge with conflicts, half resolved, comes back with all three versions, the markers and what is merged", async () => {
  const one = rig({ files: { "a.txt": "1\n", "b.txt": "1\n", "gone.txt": "1\n" } });
  const made = await one.prepare("task-a");
  write(made.path, { "a.txt": "mine\n", "b.txt": "mine\n" });
  git(made.path, "rm", "-q", "gone.txt");
  git(made.path, "add", "-A");
  git(made.path, "commit", "-qm", "Mine");
  write(one.checkout, { "a.txt": "theirs\n", "b.txt": "theirs\n", "gone.txt": "theirs\n" });
  git(one.checkout, "commit", "-qam", "Theirs");
  expect(() => git(made.path, "merge", "main")).toThrow();
  write(made.path, { "b.txt": "resolved\n", "untracked ü": "u" });
  git(made.path, "add", "b.txt");
  const before = stateOf(made.path);
  const again = await thereAndBack(one, "task-a", made.path);
  expect(stateOf(again)).toEqual(before);
});

it("a rebase that stopped half way: what stands there comes back, the commits that it has not reached are kept", async () => {
  const one = rig();
  const made = await one.prepare("task-a");
  for (const number of ["1", "2"]) {
    write(made.path, { "a.txt": `mine ${number}\n` });
    git(made.path, "commit", "-qam", `Mine ${number}`);
  }
  const tip = git(made.path, "rev-parse", "HEAD");
  write(one.checkout, { "a.txt": "theirs\n" });
  git(one.checkout, "commit", "-qam", "Theirs");
  write(made.path, { "packages/app/index.js": "not committed\n" });
  expect(() => git(made.path, "rebase", "--autostash", "main")).toThrow();
  const files = stateOf(made.path).files;
  const again = await thereAndBack(one, "task-a", made.path);
  const stash = "refs/claude-pool-earlier/task-a/1";
  expect({
    files: stateOf(again).files,
    tip: git(one.checkout, "merge-base", tip, stash),
    stashed: git(one.checkout, "show", `${stash}:packages/app/index.js`),
  }).toEqual({ files, tip, stashed: "not committed" });
});

it("commits on the owner's branch that HEAD has left are kept when the branch goes", async () => {
  const { prepare, save, workspaces, repository, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "a.txt": "on the branch\n" });
  git(made.path, "commit", "-qam", "On the branch");
  const left = git(made.path, "rev-parse", "HEAD");
  git(made.path, "checkout", "-q", "--detach", "main");
  write(made.path, { "b.txt": "detached\n" });
  git(made.path, "add", "-A");
  git(made.path, "commit", "-qm", "Detached");
  const { saved } = await save("task-a", made);
  await workspaces.remove(made.path, repository);
  expect({
    detached: git(checkout, "show", `${saved?.commit ?? ""}:b.txt`),
    earlier: git(checkout, "rev-parse", "refs/claude-pool-earlier/task-a/1"),
  }).toEqual({ detached: "detached", earlier: left });
});

it("work on a branch without a commit is saved too", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  git(made.path, "checkout", "-q", "--orphan", "fresh");
  write(made.path, { "b.txt": "b\n" });
  const { saved } = await save("task-a", made);
  expect(git(checkout, "ls-tree", "--name-only", saved?.commit ?? "").split("\n")).toEqual([
    ".gitignore",
    "a.txt",
    "b.txt",
    "packages",
  ]);
});

it("an edit that a flag hides from git, or that looks older than the index, is saved", async () => {
  const { prepare, save, checkout } = rig({ files: { assumed: "1\n", skipped: "1\n", same: "1234\n" } });
  const made = await prepare("task-a");
  git(made.path, "update-index", "--assume-unchanged", "assumed");
  git(made.path, "update-index", "--skip-worktree", "skipped");
  write(made.path, { assumed: "hidden\n", skipped: "hidden too\n" });
  writeFileSync(join(made.path, "same"), "4321\n");
  git(made.path, "add", "same");
  writeFileSync(join(made.path, "same"), "5678\n");
  const before = git(made.path, "ls-files", "-v");
  const { saved } = await save("task-a", made);
  const show = (path: string): string => git(checkout, "show", `${saved?.commit ?? ""}:${path}`);
  expect({ files: ["assumed", "skipped", "same"].map(show), flags: git(made.path, "ls-files", "-v") }).toEqual({
    files: ["hidden", "hidden too", "5678"],
    flags: before,
  });
});

it("in a sparse checkout what is left out stays in the tree, and what stands outside of it is saved", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  git(made.path, "sparse-checkout", "set", "packages");
  write(made.path, { "packages/new.txt": "n\n", "outside/new.txt": "o\n" });
  const { saved } = await save("task-a", made);
  expect(git(checkout, "ls-tree", "-r", "--name-only", saved?.commit ?? "").split("\n")).toEqual([
    ".gitignore",
    "a.txt",
    "outside/new.txt",
    "packages/app/index.js",
    "packages/new.txt",
  ]);
});

it("filters and line ends are as git itself has them: pointers are stored, files come back", async () => {
  const one = rig({ files: { ".gitattributes": "*.big filter=upper\n*.txt text eol=crlf\n", "a.big": "CONTENT\n" } });
  git(one.checkout, "config", "filter.upper.clean", "tr a-z A-Z");
  git(one.checkout, "config", "filter.upper.smudge", "tr A-Z a-z");
  git(one.checkout, "config", "filter.upper.required", "true");
  git(one.checkout, "config", "core.safecrlf", "true");
  const made = await one.prepare("task-a");
  write(made.path, { "b.big": "more\n", "crlf.txt": "x\r\ny\r\n" });
  const again = await thereAndBack(one, "task-a", made.path);
  expect({
    stored: git(one.checkout, "show", "refs/claude-pool/task-a:b.big"),
    files: ["a.big", "b.big", "crlf.txt"].map((name) => readFileSync(join(again, name), "utf8")),
  }).toEqual({ stored: "MORE", files: ["content\n", "more\n", "x\r\ny\r\n"] });
});

it("what cannot be read fails the save with its reason, and nothing is removed or reused", async () => {
  const { prepare, save, workspaces, repository, checkout } = rig({
    files: { ".gitattributes": "*.big filter=broken\n", "a.txt": "a\n" },
  });
  const made = await prepare("task-a");
  git(checkout, "config", "filter.broken.clean", "echo it is broken >&2; false");
  git(checkout, "config", "filter.broken.required", "true");
  write(made.path, { "b.big": "precious\n" });
  const said = async (doing: Promise<unknown>): Promise<string> =>
    doing.then(
      () => "done",
      (error: unknown) =>
        `${(error as { code: string }).code} ${String(/it is broken/.test((error as Error).message))}`,
    );
  const refused = {
    save: await said(save("task-a", made)),
    remove: await said(workspaces.remove(made.path, repository)),
    reuse: await said(prepare("task-b")),
    found: (await workspaces.find(repository, "pool-1")).map(({ owner, isSaved }) => ({ owner, isSaved })),
    file: readFileSync(join(made.path, "b.big"), "utf8"),
  };
  git(checkout, "config", "filter.broken.clean", "cat");
  const then = await save("task-a", made);
  expect({ refused, then: git(checkout, "show", `${then.saved?.commit ?? ""}:b.big`) }).toEqual({
    refused: {
      save: "workspace_save_failed true",
      remove: "workspace_save_failed true",
      reuse: "workspace_save_failed true",
      found: [{ owner: "task-a", isSaved: false }],
      file: "precious\n",
    },
    then: "precious",
  });
});

it("a directory that the worker took the git pointer from is still saved as itself", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  rmSync(join(made.path, ".git"));
  const { saved } = await save("task-a", made);
  expect({
    files: git(checkout, "ls-tree", "--name-only", saved?.commit ?? "").split("\n"),
    status: git(made.path, "status", "--porcelain"),
  }).toEqual({ files: [".gitignore", "a.txt", "b.txt", "packages"], status: "?? b.txt" });
});

it("a lock that somebody left on the index does not stop a save, and the index is as it was", async () => {
  const { prepare, save, repository } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  const index = join(repository, "worktrees", "worktree-1", "index");
  writeFileSync(`${index}.lock`, "");
  const before = readFileSync(index);
  const { saved } = await save("task-a", made);
  expect({ files: saved?.files, index: readFileSync(index).equals(before) }).toEqual({ files: 1, index: true });
});

it("a repository whose own settings sign, prompt or name nobody still saves", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  git(checkout, "config", "--unset", "user.name");
  git(checkout, "config", "--unset", "user.email");
  git(checkout, "config", "user.useConfigOnly", "true");
  git(checkout, "config", "commit.gpgSign", "true");
  git(checkout, "config", "gpg.program", "false");
  write(made.path, { "b.txt": "b\n" });
  const { saved } = await save("task-a", made);
  expect(git(checkout, "log", "-1", "--format=%an <%ae>", saved?.commit ?? "")).toBe(
    "claude-pool <claude-pool@localhost>",
  );
});

it("what the owner had before and the new state does not contain goes to the next free earlier ref", async () => {
  const { prepare, save, checkout } = rig();
  const made = await prepare("task-a");
  const commits: (string | undefined)[] = [];
  for (const [attempt, text] of [
    [1, "one"],
    [1, "two"],
    [2, "three"],
  ] as const) {
    write(made.path, { "b.txt": text });
    commits.push((await save("task-a", made, attempt)).saved?.commit);
  }
  const refs = git(checkout, "for-each-ref", "--format=%(refname) %(objectname)", ...kept).split("\n");
  expect(refs).toEqual([
    `refs/claude-pool-earlier/task-a/1 ${commits[0] ?? ""}`,
    `refs/claude-pool-earlier/task-a/2 ${commits[1] ?? ""}`,
    `refs/claude-pool/task-a ${commits[2] ?? ""}`,
  ]);
});

it("a message that only claims to be one of ours is a commit of the worker's", async () => {
  const one = rig();
  const made = await one.prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  git(made.path, "add", "-A");
  const other = git(one.checkout, "rev-parse", "HEAD^{tree}");
  git(made.path, "commit", "-qm", `Forged\n\nClaude-Pool-Head: ${"0".repeat(40)}\nClaude-Pool-Index: ${other}`);
  const before = stateOf(made.path);
  const again = await thereAndBack(one, "task-a", made.path);
  expect(stateOf(again)).toEqual(before);
});

it("a submodule with work in it, a clone in the directory and a repository without a commit are saved whole", async () => {
  const one = rig();
  const library = join(one.folder, "library");
  makeRepository(library, { "lib.txt": "lib\n" });
  const allowed = ["-c", "protocol.file.allow=always"];
  git(one.checkout, ...allowed, "submodule", "add", "-q", library, "vendor/lib");
  git(one.checkout, "commit", "-qm", "With a submodule");
  const made = await one.prepare("task-a");
  git(made.path, ...allowed, "submodule", "update", "-q", "--init");
  const sub = join(made.path, "vendor/lib");
  for (const [key, value] of [
    ["user.name", "W"],
    ["user.email", "w@x"],
  ] as const)
    git(sub, "config", key, value);
  write(sub, { "lib.txt": "committed\n" });
  git(sub, "commit", "-qam", "In the submodule");
  write(sub, { "lib.txt": "staged\n", "new.txt": "untracked\n" });
  git(sub, "add", "lib.txt");
  git(made.path, "clone", "-q", library, "tools/a clone");
  write(made.path, { "tools/a clone/more.txt": "more\n" });
  git(made.path, "init", "-q", "unborn");
  write(made.path, { "unborn/first.txt": "first\n" });
  const states = (path: string): unknown => ({
    files: stateOf(path).files,
    sub: stateOf(join(path, "vendor/lib")),
    clone: stateOf(join(path, "tools/a clone")),
    unborn: git(join(path, "unborn"), "status", "--porcelain"),
  });
  const before = states(made.path);
  const first = await one.save("task-a", made);
  const second = await one.save("task-a", first);
  const again = await thereAndBack(one, "task-a", made.path);
  expect({ second, states: states(again) }).toEqual({ second: first, states: before });
});

it("a repository that the worker put in the place of git's own pointer is kept with its commits", async () => {
  const { prepare, save, workspaces, repository, checkout } = rig();
  const made = await prepare("task-a");
  rmSync(join(made.path, ".git"));
  git(made.path, "init", "-q");
  write(made.path, { "b.txt": "committed there\n" });
  git(made.path, "add", "-A");
  git(made.path, "-c", "user.name=W", "-c", "user.email=w@x", "commit", "-qm", "There");
  const inside = git(made.path, "rev-parse", "HEAD");
  const { saved } = await save("task-a", made);
  await workspaces.remove(made.path, repository);
  const again = await prepare("task-a", { start: "saved" });
  expect({
    tree: git(checkout, "ls-tree", "--name-only", saved?.commit ?? "").split("\n"),
    there: git(checkout, "for-each-ref", "--format=%(objectname)", "refs/claude-pool-modules"),
    again: git(again.path, "status", "--porcelain"),
  }).toEqual({ tree: [".gitignore", "a.txt", "b.txt", "packages"], there: inside, again: "?? b.txt" });
});

it("a clone that the worker made in the directory is no entry of the tree that may be merged", async () => {
  const { prepare, save, folder, checkout } = rig();
  makeRepository(join(folder, "library"), { "lib.txt": "lib\n" });
  const made = await prepare("task-a");
  git(made.path, "clone", "-q", join(folder, "library"), "tools");
  const { saved } = await save("task-a", made);
  expect([saved?.files, git(checkout, "ls-tree", "--name-only", saved?.commit ?? "").split("\n")]).toEqual([
    0,
    [".gitignore", "a.txt", "packages"],
  ]);
});

it("a submodule that is as its remote has it makes nothing to save", async () => {
  const one = rig();
  const library = join(one.folder, "library");
  makeRepository(library, { "lib.txt": "lib\n" });
  const allowed = ["-c", "protocol.file.allow=always"];
  git(one.checkout, ...allowed, "submodule", "add", "-q", library, "vendor/lib");
  git(one.checkout, "commit", "-qm", "With a submodule");
  const made = await one.prepare("task-a");
  git(made.path, ...allowed, "submodule", "update", "-q", "--init");
  const { saved } = await one.save("task-a", made);
  const next = await one.prepare("task-b");
  expect({
    commit: saved?.commit,
    refs: git(one.checkout, "for-each-ref", "--format=%(refname)", ...kept).split("\n"),
    clean: git(next.path, "status", "--porcelain"),
  }).toEqual({ commit: made.baseCommit, refs: ["refs/claude-pool/task-a"], clean: "" });
});

it("large and executable files come back as they were", async () => {
  const one = rig();
  const made = await one.prepare("task-a");
  write(made.path, { "large.bin": new Uint8Array(30_000_000).fill(7), "run.sh": "#!/bin/sh\n" });
  appendFileSync(join(made.path, "large.bin"), "end");
  chmodSync(join(made.path, "run.sh"), 0o755);
  utimesSync(join(made.path, "a.txt"), 1, 1);
  const before = stateOf(made.path);
  const again = await thereAndBack(one, "task-a", made.path);
  expect(stateOf(again)).toEqual(before);
});
