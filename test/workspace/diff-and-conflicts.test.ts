import { execFileSync } from "node:child_process";
import { chmodSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { conflictsWith } from "../../src/workspace/conflicts.ts";
import { diffOf } from "../../src/workspace/diff.ts";
import { repository } from "./landing-rig.ts";

const many = Array.from({ length: 30 }, (_, line) => `line ${String(line)}\n`).join("");

describe("a diff", () => {
  it("tells every kind of change, of paths of any kind, and its patch makes the same tree", async () => {
    const rig = repository({
      "a.txt": "1\n2\n",
      "gone.txt": "g\n",
      "old name": many,
      "tool.sh": "x\n",
      "link\u00fc": "l\n",
      bin: "\0\x01",
    });
    const worker = await rig.worker("t1");
    worker.git("mv", "old name", "new\n\u00fc \tname");
    worker.git("commit", "-q", "-m", "Rename");
    for (const path of ["gone.txt", "link\u00fc"]) rmSync(join(worker.path, path));
    worker.write({ "a.txt": "1\n3\n4\n", bin: "\0\x02", '"new"': "n\n" });
    symlinkSync("a.txt", join(worker.path, "link\u00fc"));
    chmodSync(join(worker.path, "tool.sh"), 0o755);
    const workspace = await worker.save();
    const diff = await diffOf({ workspace, of: "saved" });
    execFileSync("git", ["apply", "--index", "-"], { cwd: rig.path, input: diff.patch });
    const { patch, ...facts } = diff;
    expect([facts, rig.git("write-tree")]).toEqual([
      {
        base: workspace.baseCommit,
        commit: workspace.saved.commit,
        files: 7,
        insertions: 4,
        deletions: 3,
        entries: [
          { path: '"new"', status: "added", insertions: 1, deletions: 0 },
          { path: "a.txt", status: "modified", insertions: 2, deletions: 1 },
          { path: "bin", status: "modified" },
          { path: "gone.txt", status: "deleted", insertions: 0, deletions: 1 },
          { path: "link\u00fc", status: "type_changed", insertions: 1, deletions: 1 },
          { path: "new\n\u00fc \tname", from: "old name", status: "renamed", insertions: 0, deletions: 0 },
          { path: "tool.sh", status: "modified", insertions: 0, deletions: 0 },
        ],
      },
      workspace.saved.tree,
    ]);
    expect(patch).toContain("GIT binary patch");
  });

  it("shows none of what others did on the branch, merged into the work or not", async () => {
    const rig = repository({ "a.txt": "a\n", "b.txt": "b\n" });
    const worker = await rig.worker("t1");
    rig.commit("Others", { "b.txt": "B\n" });
    worker.commit("Own", { "a.txt": "A\n" });
    const apart = await diffOf({ workspace: await worker.save(), of: "saved" });
    worker.git("merge", "-q", "--no-edit", "main");
    const together = await diffOf({ workspace: await worker.save(), of: "saved" });
    expect([apart, together].map(({ entries }) => entries.map(({ path }) => path))).toEqual([["a.txt"], ["a.txt"]]);
  });

  it("shows the work still when the branch has it", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.commit("Own", { "b.txt": "b\n" });
    await worker.land();
    const { entries } = await diffOf({ workspace: await worker.save(), of: "saved" });
    expect(entries).toEqual([{ path: "b.txt", status: "added", insertions: 1, deletions: 0 }]);
  });

  it("shows the directory as it stands at this moment, and changes nothing in it", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const workspace = await worker.save();
    worker.write({ "a.txt": "A\n", "c.txt": "c\n" });
    worker.git("add", "c.txt");
    const before = [worker.status(), worker.git("rev-parse", "HEAD"), worker.git("for-each-ref")];
    const [present, saved] = [await diffOf({ workspace, of: "directory" }), await diffOf({ workspace, of: "saved" })];
    expect([
      present.entries.map(({ path }) => path),
      saved.entries.map(({ path }) => path),
      [worker.status(), worker.git("rev-parse", "HEAD"), worker.git("for-each-ref")],
    ]).toEqual([["a.txt", "b.txt", "c.txt"], ["b.txt"], before]);
  });

  it("is empty for work that changed nothing, and nothing of the user's settings has a say", async () => {
    const rig = repository();
    for (const setting of ["diff.external=false", "diff.noprefix=true", "color.ui=always", "diff.renames=false"]) {
      const [key = "", value = ""] = setting.split("=");
      rig.git("config", key, value);
    }
    const worker = await rig.worker("t1");
    const none = await diffOf({ workspace: worker.workspace, of: "saved" });
    worker.write({ "a.txt": "A\n" });
    const { patch } = await diffOf({ workspace: worker.workspace, of: "directory" });
    expect([none.files, none.patch, patch.split("\n").slice(2)]).toEqual([
      0,
      "",
      ["--- a/a.txt", "+++ b/a.txt", "@@ -1 +1 @@", "-a", "+A", ""],
    ]);
  });

  it("says so when its patch is too large, or not in UTF-8", async () => {
    const rig = repository();
    const [large, latin] = [await rig.worker("t1"), await rig.worker("t2")];
    writeFileSync(join(large.path, "large.txt"), "0123456789\n".repeat(1_600_000));
    writeFileSync(join(latin.path, "latin.txt"), Buffer.from([0x66, 0xfc, 0x72, 0x0a]));
    const [first, second] = [
      await diffOf({ workspace: await large.save(), of: "saved" }),
      await diffOf({ workspace: await latin.save(), of: "saved" }),
    ];
    expect([first.patch, first.insertions, first.note, second.insertions, second.note]).toEqual([
      "",
      1_600_000,
      expect.stringContaining("larger than 16 MB") as string,
      1,
      expect.stringContaining("not in UTF-8") as string,
    ]);
  });
});

describe("conflicts told beforehand", () => {
  it("are those of the work against a branch, as it is saved or stands in its directory", async () => {
    const rig = repository({ "a.txt": "a\n", "b \n\u00fc": "b\n" });
    const worker = await rig.worker("t1");
    worker.write({ "a.txt": "worker\n" });
    const workspace = await worker.save();
    rig.commit("Others", { "a.txt": "user\n", "b \n\u00fc": "user\n" });
    worker.write({ "b \n\u00fc": "worker\n" });
    const standing = await conflictsWith(workspace, "main");
    worker.git("checkout", "-q", "--force", "main~1");
    worker.git("clean", "-q", "-fd");
    rig.git("worktree", "remove", "--force", worker.path);
    expect([standing, await conflictsWith(workspace, "main"), await conflictsWith(workspace, "main~1")]).toEqual([
      ["a.txt", "b \n\u00fc"],
      ["a.txt"],
      [],
    ]);
  });

  it("are told between two that are still at work, and nothing is changed by asking", async () => {
    const rig = repository();
    const [one, two] = [await rig.worker("t1"), await rig.worker("t2")];
    one.write({ "a.txt": "one\n", "same.txt": "s\n" });
    two.write({ "a.txt": "two\n", "same.txt": "s\n", "two.txt": "2\n" });
    const state = () => [one.status(), two.status(), rig.git("for-each-ref"), rig.status()];
    const before = state();
    const found = [
      await conflictsWith(one.workspace, two.workspace.branch),
      await conflictsWith(two.workspace, one.workspace.branch),
    ];
    expect([found, state()]).toEqual([[["a.txt"], ["a.txt"]], before]);
  });

  it("cannot be told of a branch that is not there", async () => {
    const worker = await repository().worker("t1");
    await expect(conflictsWith(worker.workspace, "nowhere")).rejects.toMatchObject({ code: "workspace_impossible" });
  });
});
