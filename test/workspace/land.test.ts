import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mergeMethods } from "../../src/core/merge.ts";
import { conflictsWith } from "../../src/workspace/conflicts.ts";
import { diffOf } from "../../src/workspace/diff.ts";
import { land } from "../../src/workspace/land.ts";
import { lock, never, repository, Rig } from "./landing-rig.ts";

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `${String(from + index)}\n`).join("");

describe("landing", () => {
  it("replays a worker's commits with their authors and dates, and makes one of what was not committed", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    worker.git("add", "-A");
    const author = ["--author=Wörker <w@example.com>", "--date=1700000000 +0130"];
    worker.git("commit", "-q", ...author, "-m", "One\n\nWith a body\n");
    worker.write({ "c.txt": "c\n" });
    rig.commit("Meanwhile", { "a.txt": "A\n" });
    const end = await worker.land();
    const format = "--format=%an|%ae|%ad|%cn|%B";
    expect([end.state, rig.git("log", "-2", "--date=raw", format), rig.files(), rig.status()]).toEqual([
      "merged",
      expect.stringMatching(
        /^User\|user@example.com\|\d+ \+0000\|User\|Do t1\n\nClaude-Pool-Task: t1\n\nWörker\|w@example.com\|1700000000 \+0130\|User\|One\n\nWith a body\n$/,
      ),
      { "a.txt": "A", "b.txt": "b", "c.txt": "c" },
      [],
    ]);
  });

  it("moves the branch to the very commits where it had not moved", async () => {
    const rig = repository();
    const before = rig.git("rev-parse", "main");
    const worker = await rig.worker("t1");
    const commit = worker.commit("One", { "b.txt": "b\n" });
    const end = await worker.land();
    expect([end, rig.git("rev-parse", "main"), rig.read("b.txt")]).toEqual([
      { state: "merged", before, commit },
      commit,
      "b\n",
    ]);
  });

  it("makes a merge commit, or one commit of all, when asked", async () => {
    const rig = repository();
    const [first, second] = [await rig.worker("t1"), await rig.worker("t2")];
    first.commit("One", { "b.txt": "b\n" });
    first.commit("Two", { "b.txt": "B\n" });
    second.commit("Three", { "c.txt": "c\n" });
    second.commit("Four", { "c.txt": "C\n" });
    await first.land({ method: "merge" });
    await second.land({ method: "squash" });
    expect([rig.git("log", "--first-parent", "--format=%s", "main").split("\n"), rig.subjects(), rig.files()]).toEqual([
      ["Do t2", "Merge: Do t1", "Begin"],
      ["Do t2", "Merge: Do t1", "Two", "One", "Begin"],
      { "a.txt": "a", "b.txt": "B", "c.txt": "C" },
    ]);
  });

  it("makes one commit of a history with merges in it", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.git("checkout", "-q", "-b", "side");
    worker.commit("Side", { "s.txt": "s\n" });
    worker.git("checkout", "-q", "claude-pool/pool/t1");
    worker.commit("Own", { "o.txt": "o\n" });
    worker.git("merge", "-q", "--no-edit", "side");
    rig.commit("Meanwhile", { "a.txt": "A\n" });
    await worker.land();
    expect([rig.subjects(), Object.keys(rig.files())]).toEqual([
      ["Do t1", "Meanwhile", "Begin"],
      ["a.txt", "o.txt", "s.txt"],
    ]);
  });

  it("takes a merge under way for what it is, once its conflicts are resolved", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.commit("Own", { "a.txt": "worker\n" });
    rig.commit("Meanwhile", { "a.txt": "user\n" });
    expect(() => worker.git("merge", "-q", "main")).toThrow();
    const half = await worker.land();
    worker.write({ "a.txt": "both\n" });
    const whole = await worker.land();
    expect([half, whole.state, rig.subjects(), rig.files()]).toEqual([
      { state: "conflict", before: rig.git("rev-parse", "main~1"), conflicts: ["a.txt"] },
      "merged",
      ["Do t1", "Meanwhile", "Begin"],
      { "a.txt": "both" },
    ]);
  });

  it.each(mergeMethods)("lists the files that conflict and changes nothing, by %s", async (method) => {
    const rig = repository({ "a b\n\u00fc.txt": "1\n", "z.txt": "z\n" });
    const worker = await rig.worker("t1");
    worker.commit("Own", { "a b\n\u00fc.txt": "2\n", "z.txt": "y\n" });
    const head = rig.commit("Meanwhile", { "a b\n\u00fc.txt": "3\n" });
    const end = await worker.land({ method });
    expect([end, rig.git("rev-parse", "main"), rig.status()]).toEqual([
      { state: "conflict", before: head, conflicts: ["a b\n\u00fc.txt"] },
      head,
      [],
    ]);
  });

  it("says merged at the same commit when the branch has everything already", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    const head = rig.commit("Same", { "b.txt": "b\n" });
    const nothing = await worker.land();
    worker.commit("Own", { "b.txt": "b\n" });
    expect([nothing, await worker.land(), await worker.land({ method: "merge" })]).toEqual(
      Array.from({ length: 3 }, () => ({ state: "merged", before: head, commit: head })),
    );
  });

  it("answers the same when it is asked to land the same work again", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const request = await worker.request({ checks: [{ command: "test -f b.txt" }] });
    const first = await land(request, lock, never);
    rig.commit("Later", { "c.txt": "c\n" });
    expect(await land(request, lock, never)).toEqual(first);
  });

  it("carries renames and modes over, and paths of any kind", async () => {
    const rig = repository({ "old name.txt": numbers(1, 40), "tool.sh": "#!/bin/sh\n" });
    const worker = await rig.worker("t1");
    worker.git("mv", "old name.txt", "new\nn\u00e4me.txt");
    chmodSync(join(worker.path, "tool.sh"), 0o755);
    worker.git("add", "tool.sh");
    worker.git("commit", "-q", "-m", "Rename");
    worker.write({ " leading": "l\n", '"quoted"': "q\n" });
    rig.commit("Meanwhile", { "old name.txt": numbers(0, 40) });
    const end = await worker.land();
    expect([end.state, rig.files(), rig.git("ls-tree", "main", "tool.sh").slice(0, 6), rig.status()]).toEqual([
      "merged",
      { " leading": "l", '"quoted"': "q", "new\nn\u00e4me.txt": numbers(0, 40).trimEnd(), "tool.sh": "#!/bin/sh" },
      "100755",
      [],
    ]);
  });

  it.each([
    ["no branch", "nowhere", "merge_failed"],
    ["a commit that is named after one", "main~0", "merge_failed"],
    ["a branch of the pool's own", "claude-pool/pool/t1", "merge_failed"],
  ])("refuses %s as target", async (_, target, code) => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    expect(await worker.land({ target })).toMatchObject({
      state: "failed",
      code,
      error: expect.stringContaining(target) as string,
    });
  });

  it("moves a branch that is checked out nowhere, and touches no checkout", async () => {
    const rig = repository();
    rig.git("branch", "release");
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const end = await worker.land({ target: "release" });
    expect([end.state, rig.files("release"), rig.files("main"), rig.status()]).toEqual([
      "merged",
      { "a.txt": "a", "b.txt": "b" },
      { "a.txt": "a" },
      [],
    ]);
  });

  it("brings every checkout of the branch along, a linked worktree too, and leaves a detached one alone", async () => {
    const rig = repository();
    const [linked, detached] = [join(rig.path, "../linked"), join(rig.path, "../detached")];
    rig.git("worktree", "add", "-q", "--detach", detached);
    rig.git("checkout", "-q", "--detach");
    rig.git("worktree", "add", "-q", linked, "main");
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const end = await worker.land();
    expect([end.state, readdirSync(linked), readdirSync(detached), rig.status()]).toEqual([
      "merged",
      [".git", "a.txt", "b.txt"],
      [".git", "a.txt"],
      [],
    ]);
  });

  it("works where a submodule is present, and moves it as any file", async () => {
    const rig = repository();
    const inner = repository({ "inner.txt": "1\n" });
    const add = ["-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.path, "sub"];
    rig.git(...add);
    rig.commit("Submodule");
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const end = await worker.land({ checks: [{ command: "test -f b.txt" }] });
    expect([end.state, rig.status(), rig.read("sub/inner.txt"), rig.read("b.txt")]).toEqual([
      "merged",
      [],
      "1\n",
      "b\n",
    ]);
  });

  it("runs checks on the result, in a directory of its own, and lands only what passes", async () => {
    const rig = repository();
    const [first, second] = [await rig.worker("t1"), await rig.worker("t2")];
    first.write({ "one.txt": "1\n" });
    second.write({ "two.txt": "2\n" });
    // Each passes alone; both together do not.
    const checks = [{ name: "not both", command: "pwd; ! { test -f one.txt && test -f two.txt; }" }];
    const landed = await first.land({ checks });
    const before = rig.git("rev-parse", "main");
    const path = rig.place("merge");
    const refused = await second.land({ checks, path });
    expect([landed, refused, rig.git("rev-parse", "main"), rig.git("worktree", "list").includes("merge-")]).toEqual([
      expect.objectContaining({
        state: "merged",
        checks: [expect.objectContaining({ name: "not both", passed: true })],
      }),
      {
        state: "checks_failed",
        before,
        checks: [expect.objectContaining({ passed: false, exitCode: 1, output: `${path}\n` })],
      },
      before,
      false,
    ]);
  });

  it("sets the result up as a worktree is set up, and runs checks where the task's directory is", async () => {
    const rig = repository({ "app/a.txt": "a\n", ".gitignore": ".env\nbuilt\n", ".worktreeinclude": ".env\n" });
    rig.write({ "app/.env": "secret\n" });
    const worker = await rig.worker("t1");
    worker.write({ "app/b.txt": "b\n" });
    const end = await worker.land({
      cwd: join(rig.path, "app"),
      setup: { command: "echo set-up > built", timeoutMs: 10_000 },
      checks: [
        { command: "cat .env b.txt ../built; basename $PWD; basename $CLAUDE_POOL_CHECKOUT; echo $CLAUDE_POOL_PLACE" },
      ],
    });
    expect(end).toMatchObject({ state: "merged", checks: [{ output: "secret\nb\nset-up\napp\nrepository\n2\n" }] });
  });

  it("fails with what the set-up printed when that fails, and the branch stays", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const setup = { command: "echo no network; exit 7", timeoutMs: 10_000 };
    const end = await worker.land({ setup, checks: [{ command: "true" }] });
    expect([end, rig.files()]).toEqual([
      { state: "failed", code: "workspace_failed", error: expect.stringMatching(/code 7[\s\S]*no network/) as string },
      { "a.txt": "a" },
    ]);
  });

  it("begins anew when the branch moves while the checks run: no check of another result counts", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const move = `if ! test -f moved.txt; then cd '${rig.path}' && echo m > moved.txt && git add -A && git commit -q -m Moved; fi`;
    const end = await worker.land({ checks: [{ command: `${move}; ls "$CLAUDE_POOL_WORKTREE"` }] });
    expect([end, rig.subjects()]).toEqual([
      expect.objectContaining({
        state: "merged",
        checks: [expect.objectContaining({ output: "a.txt\nb.txt\nmoved.txt\n" })],
      }),
      ["Do t1", "Moved", "Begin"],
    ]);
  });

  it("lands two at once, one after the other", async () => {
    const rig = repository();
    const [first, second] = [await rig.worker("t1"), await rig.worker("t2")];
    first.write({ "one.txt": "1\n" });
    second.write({ "two.txt": "2\n" });
    const ends = await Promise.all([first.land(), second.land()]);
    expect([ends.map(({ state }) => state), Object.keys(rig.files()), rig.status()]).toEqual([
      ["merged", "merged"],
      ["a.txt", "one.txt", "two.txt"],
      [],
    ]);
  });

  it("gives up when the branch moves every time", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const move = `cd '${rig.path}' && git commit -q --allow-empty -m Moved`;
    const end = await worker.land({ checks: [{ command: move }] });
    expect([end, rig.subjects().length]).toEqual([
      expect.objectContaining({ state: "failed", code: "merge_moved" }),
      6,
    ]);
  });

  it("ends with the signal, leaving no directory and the branch where it was", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const path = rig.place("merge");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "left by a killed merge"), "");
    const caller = new AbortController();
    const ended = worker.land(
      { path, checks: [{ command: `kill -s USR2 ${String(process.pid)}; tail -f /dev/null` }] },
      caller.signal,
    );
    process.once("SIGUSR2", () => {
      caller.abort("shutdown");
    });
    await expect(ended).rejects.toMatchObject({ code: "aborted" });
    expect([rig.files(), readdirSync(join(path, ".."))]).toEqual([{ "a.txt": "a" }, ["worktree-1"]]);
    rmSync(path, { recursive: true, force: true });
  });

  it("lands many workers' edits as the same tree as the edits one after another", async () => {
    const lines = Array.from({ length: 200 }, (_, line) => `line ${String(line)}`);
    const rig = repository({ "big.txt": lines.join("\n") });
    const expected = [...lines];
    const workers = [];
    for (let index = 0; index < 12; index += 1) {
      const worker = await rig.worker(`t${String(index)}`);
      const own = [...lines];
      const line = (index * 53) % 200;
      own[line] = `edit ${String(index)}`;
      expected[line] = `edit ${String(index)}`;
      worker.write({ "big.txt": own.join("\n"), [`new-${String(index)}.txt`]: `${String(index)}\n` });
      if (index % 3 === 0) worker.commit("Own");
      workers.push(worker);
    }
    for (const [index, worker] of workers.entries()) {
      await worker.land({ method: mergeMethods[index % 3] ?? "rebase" });
    }
    expect([rig.files()["big.txt"], Object.keys(rig.files()).length, rig.status()]).toEqual([
      expected.join("\n"),
      13,
      [],
    ]);
  });
});

describe("landing where the repository is of a special kind", () => {
  it("moves the branch of a bare repository, and the linked worktree that it is checked out in", async () => {
    const rig = repository();
    const bare = `${rig.path}.git`;
    rig.git("clone", "-q", "--bare", rig.path, bare);
    const main = new Rig(join(rig.path, "..", "checkout"));
    execFileSync("git", ["worktree", "add", "-q", main.path, "main"], { cwd: bare });
    for (const [key, value] of [
      ["user.name", "User"],
      ["user.email", "u@example.com"],
    ])
      main.git("config", key ?? "", value ?? "");
    const worker = await new Rig(main.path, bare).worker("t1");
    worker.write({ "b.txt": "b\n" });
    const end = await worker.land({ checks: [{ command: "echo $CLAUDE_POOL_CHECKOUT" }] });
    expect([end, main.read("b.txt"), main.status()]).toEqual([
      expect.objectContaining({ state: "merged", checks: [expect.objectContaining({ output: `${bare}\n` })] }),
      "b\n",
      ["?? .claude/worktrees/claude-pool/pool/worktree-1/"],
    ]);
  });

  it("lands in a shallow clone what began from its commits", async () => {
    const origin = repository();
    origin.commit("Second", { "a.txt": "A\n" });
    const path = join(origin.path, "..", "shallow");
    origin.git("clone", "-q", "--depth", "1", `file://${origin.path}`, path);
    const rig = new Rig(path);
    writeFileSync(join(rig.repository, "info", "exclude"), "/.claude/\n");
    rig.git("config", "user.name", "User");
    rig.git("config", "user.email", "u@example.com");
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    rig.commit("Third", { "c.txt": "c\n" });
    expect([(await worker.land()).state, rig.files(), rig.subjects()]).toEqual([
      "merged",
      { "a.txt": "A", "b.txt": "b", "c.txt": "c" },
      ["Do t1", "Third", "Second"],
    ]);
  });

  it("has filters such as that of LFS do their work in every checkout, and judges the files that they make", async () => {
    const rig = repository();
    rig.git("config", "filter.swap.clean", "sed 's/content of/pointer to/'");
    rig.git("config", "filter.swap.smudge", "sed 's/pointer to/content of/'");
    rig.git("config", "filter.swap.required", "true");
    rig.commit("Attributes", { ".gitattributes": "*.bin filter=swap\n", "old.bin": "content of old\n" });
    const worker = await rig.worker("t1");
    worker.write({ "new.bin": "content of new\n", "old.bin": "content of old, changed\n" });
    const end = await worker.land({ checks: [{ command: "cat *.bin" }] });
    expect([end, rig.read("new.bin"), rig.files()["new.bin"], rig.status()]).toEqual([
      expect.objectContaining({
        state: "merged",
        checks: [expect.objectContaining({ passed: true, output: "content of new\ncontent of old, changed\n" })],
      }),
      "content of new\n",
      "pointer to new",
      [],
    ]);
  });

  it("lands the work of a clone, and shows and compares what stands in it", async () => {
    const rig = repository();
    const worker = await rig.clone("t1");
    worker.commit("Own", { "a.txt": "clone\n" });
    const [other] = [await rig.worker("t2")];
    other.write({ "a.txt": "other\n" });
    worker.write({ "b.txt": "b\n" });
    const before = rig.git("for-each-ref");
    const shown = await diffOf({ workspace: worker.workspace, of: "directory" });
    const conflicts = await conflictsWith(worker.workspace, other.workspace.branch);
    const after = rig.git("for-each-ref");
    const end = await worker.land();
    expect([shown.entries.map(({ path }) => path), conflicts, after, end.state, rig.files()]).toEqual([
      ["a.txt", "b.txt"],
      ["a.txt"],
      before,
      "merged",
      { "a.txt": "clone", "b.txt": "b" },
    ]);
  });
});
