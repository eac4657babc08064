/** What is found, rescued, removed and restored, and the refs that keep it. */
import { chmodSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { git, rig, stateOf, write } from "./place-rig.ts";

it("what is found says whose it is, and whether anything of it is in no saved ref", async () => {
  const { prepare, save, place, workspaces, repository } = rig();
  const fresh = await prepare("task-fresh");
  const dirty = await prepare("task-dirty", { path: place("worktree-2") });
  write(dirty.path, { "b.txt": "b\n" });
  const saved = await prepare("task-saved", { path: place("worktree-3") });
  write(saved.path, { "b.txt": "b\n" });
  await save("task-saved", saved);
  const edited = await prepare("task-edited", { path: place("worktree-4") });
  write(edited.path, { "b.txt": "b\n" });
  await save("task-edited", edited);
  write(edited.path, { "b.txt": "later\n" });
  const committed = await prepare("task-committed", { path: place("worktree-5") });
  git(committed.path, "commit", "-q", "--allow-empty", "-m", "Mine");
  const gone = await prepare("task-gone", { path: place("worktree-6") });
  rmSync(gone.path, { recursive: true });
  const clone = await prepare("task-clone", { path: place("clone-7"), isolation: "clone" });
  write(clone.path, { "b.txt": "b\n" });
  write(place("notes"), { "x.txt": "x\n" });
  const found = await workspaces.find(repository, "pool-1");
  const short = found.map(({ path, kind, owner, isSaved, isMissing }) => [path, kind, owner, isSaved, isMissing]);
  expect(short.toSorted()).toEqual(
    [
      [place("clone-7"), "clone", "task-clone", false, undefined],
      [place("notes"), "unknown", undefined, false, undefined],
      [fresh.path, "worktree", "task-fresh", true, undefined],
      [dirty.path, "worktree", "task-dirty", false, undefined],
      [saved.path, "worktree", "task-saved", true, undefined],
      [edited.path, "worktree", "task-edited", false, undefined],
      [committed.path, "worktree", "task-committed", false, undefined],
      [gone.path, "worktree", "task-gone", false, true],
    ].toSorted(),
  );
});

it("everything found can be rescued and removed, after which nothing is found and all of it is on refs", async () => {
  const { prepare, place, workspaces, repository, checkout } = rig();
  const dirty = await prepare("task-dirty");
  write(dirty.path, { "b.txt": "dirty\n", "node_modules/cache/x": "x" });
  chmodSync(join(dirty.path, "node_modules/cache"), 0o500);
  const clone = await prepare("task-clone", { path: place("clone-2"), isolation: "clone" });
  write(clone.path, { "b.txt": "clone\n" });
  const gone = await prepare("task-gone", { path: place("worktree-3") });
  write(gone.path, { "b.txt": "staged\n" });
  git(gone.path, "add", "-A");
  rmSync(gone.path, { recursive: true });
  await prepare("task-fresh", { path: place("worktree-4") });
  write(place("notes"), { "b.txt": "foreign\n" });
  const refs: (string | undefined)[] = [];
  for (const found of await workspaces.find(repository, "pool-1")) {
    refs.push(await workspaces.rescue(found, repository));
    await workspaces.remove(found.path, repository);
  }
  const saved = await workspaces.savedRefs(repository);
  const contents = saved.map(({ ref }) => [ref.replace(/notes-.*/, "notes"), git(checkout, "show", `${ref}:b.txt`)]);
  expect({
    left: await workspaces.find(repository, "pool-1"),
    folder: readdirSync(join(place("x"), "..")),
    contents: contents.toSorted(),
    rescued: refs.filter((ref) => ref !== undefined).length,
    worktrees: git(checkout, "worktree", "list").split("\n").length,
    branches: git(checkout, "branch", "--format=%(refname:short)").split("\n"),
  }).toEqual({
    left: [],
    folder: [],
    contents: [
      ["refs/claude-pool-earlier/task-gone/1", "staged"],
      ["refs/claude-pool/leftover-notes", "foreign"],
      ["refs/claude-pool/task-clone", "clone"],
      ["refs/claude-pool/task-dirty", "dirty"],
    ],
    rescued: 3,
    worktrees: 1,
    branches: ["main"],
  });
});

it("removing what is not there is nothing to do, and removing twice either", async () => {
  const { prepare, workspaces, repository, place } = rig();
  const made = await prepare("task-a");
  await workspaces.remove(place("never"), repository);
  await workspaces.remove(made.path, repository);
  await workspaces.remove(made.path, repository);
  expect(existsSync(made.path)).toBe(false);
});

it("a branch of ours that has what no ref has is not deleted with its directory", async () => {
  const { prepare, save, workspaces, repository, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "b\n" });
  await save("task-a", made);
  git(made.path, "checkout", "-q", "--detach");
  git(checkout, "commit", "-q", "--allow-empty", "-m", "By the user");
  git(checkout, "branch", "-f", made.branch, "main");
  await workspaces.remove(made.path, repository);
  const commit = git(checkout, "rev-parse", "main");
  const refs = git(checkout, "for-each-ref", "--format=%(refname)", "--points-at", commit).split("\n");
  expect(refs).toContain("refs/claude-pool-earlier/task-a/1");
});

it("saved work is restored into a directory of the user's, on a branch if he names one, and never over anything", async () => {
  const { prepare, save, workspaces, repository, checkout, folder } = rig();
  const made = await prepare("task-a");
  write(made.path, { "a.txt": "committed\n" });
  git(made.path, "commit", "-qam", "Committed");
  write(made.path, { "a.txt": "staged\n", "new ü.txt": "new\n" });
  git(made.path, "add", "a.txt");
  const before = stateOf(made.path);
  const { saved } = await save("task-a", made);
  const ref = saved?.ref ?? "";
  await workspaces.restore({ repository, ref, path: join(folder, "detached") });
  await workspaces.restore({ repository, ref, path: join(folder, "on a branch"), branch: "mine" });
  const over = await workspaces.restore({ repository, ref, path: checkout }).catch((error: unknown) => error);
  const unknown = await workspaces
    .restore({ repository, ref: "refs/claude-pool/none", path: join(folder, "x") })
    .catch((error: unknown) => error);
  const taken = await workspaces
    .restore({ repository, ref, path: join(folder, "y"), branch: "main" })
    .catch((error: unknown) => error);
  expect({
    detached: stateOf(join(folder, "detached")),
    branch: stateOf(join(folder, "on a branch")),
    on: git(join(folder, "on a branch"), "branch", "--show-current"),
    errors: [over, unknown, taken].map((error) => (error as { code: string }).code),
    left: [existsSync(join(folder, "x")), existsSync(join(folder, "y"))],
  }).toEqual({
    detached: before,
    branch: before,
    on: "mine",
    errors: ["invalid_options", "workspace_failed", "invalid_options"],
    left: [false, false],
  });
});

it("refs that keep work are listed with what they are, and dropped one by one; others are not", async () => {
  const { prepare, save, workspaces, repository, checkout } = rig();
  const made = await prepare("task-a");
  write(made.path, { "b.txt": "1" });
  await save("task-a", made);
  write(made.path, { "b.txt": "2" });
  git(made.path, "init", "-q", "nested");
  write(made.path, { "nested/x": "x" });
  await save("task-a", made, 2);
  const listed = await workspaces.savedRefs(repository);
  const main = git(checkout, "rev-parse", "main");
  const refused = await workspaces.dropRef(repository, "refs/heads/main", main).catch((error: unknown) => error);
  for (const { ref, commit } of listed) await workspaces.dropRef(repository, ref, commit);
  expect({
    listed: listed.map(({ ref, subject, atMs }) => [ref, subject, atMs > 1_600_000_000_000]),
    refused: (refused as { code: string }).code,
    left: git(checkout, "for-each-ref", "--format=%(refname)").split("\n"),
  }).toEqual({
    listed: expect.arrayContaining([
      ["refs/claude-pool/task-a", "Do task-a", true],
      ["refs/claude-pool-earlier/task-a/1", "Do task-a", true],
    ]) as unknown,
    refused: "invalid_options",
    left: [`refs/heads/${made.branch}`, "refs/heads/main"],
  });
});
