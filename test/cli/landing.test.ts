/** The commands about what tasks changed, on a real repository; the tasks run beforehand on a scripted runner. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPool, type SubmitOptions } from "../../src/index.ts";
import { scriptedRunner } from "../../src/testing/scripted-runner.ts";
import { beginRepository, type Git } from "../git-repository.ts";
import { rig, type Rig } from "./rig.ts";

interface Repository extends Rig {
  /** Runs the prompts one after the other, each in a worktree; `FILE TEXT` writes the text into the file. */
  work(options: SubmitOptions, ...prompts: readonly string[]): Promise<readonly string[]>;
  readonly git: Git;
}

function repository(): Repository {
  const place = rig();
  onTestFinished(() => place[Symbol.dispose]());
  const git = beginRepository(place.project);
  return Object.assign(place, {
    git,
    async work(options: SubmitOptions, ...prompts: readonly string[]) {
      const runner = scriptedRunner(({ prompt }, { cwd }) => {
        const [file = "", text = ""] = prompt.split(" ");
        writeFileSync(join(cwd, file), `${text}\n`);
        return `wrote ${file}`;
      });
      const store = join(place.poolHome, "pool.db");
      const homes = { pool: place.poolHome, claude: place.claudeHome };
      await using pool = await openPool({ cwd: place.project, store, homes, runner, isolation: "worktree" });
      const ids: string[] = [];
      for (const prompt of prompts) {
        const task = await pool.submit(prompt, options);
        await task.outcome();
        ids.push(task.id);
      }
      return ids;
    },
  });
}

/** The arguments with the store that the tasks are in. */
function at(place: Rig, ...argv: readonly string[]): readonly string[] {
  return [...argv, "--store", join(place.poolHome, "pool.db")];
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

describe("claude-pool diff", () => {
  it("prints the patch, the files with how much changed, or the paths", async () => {
    const place = repository();
    const [id = ""] = await place.work({}, "a.txt changed");
    const patch = await place.run(at(place, "diff", id));
    const stat = await place.run(at(place, "task", "diff", "--stat", id));
    const names = await place.run(at(place, "diff", "--name-only", id));
    const json = jsonOf((await place.run(at(place, "diff", "--json", "--stat", id))).stdout);
    expect({
      patch: patch.stdout.includes("-a\n+changed\n"),
      stat: stat.stdout,
      names: names.stdout,
      json: [json.files, json.insertions, json.patch],
    }).toEqual({
      patch: true,
      stat: "M a.txt  +1 -1\n1 file +1 -1\n",
      names: "a.txt\n",
      json: [1, 1, undefined],
    });
  });

  it("exits with 4 for a task that has no work of its own, and with 2 for two forms at once", async () => {
    const place = repository();
    const [id = ""] = await place.work({ isolation: "none" }, "b.txt shared");
    const none = await place.run(at(place, "diff", id));
    const both = await place.run(at(place, "diff", "--stat", "--name-only", id));
    expect([none.exitCode, none.stderr.includes("without isolation"), both.exitCode]).toEqual([4, true, 2]);
  });
});

describe("claude-pool merge", () => {
  it("says beforehand what would conflict, merges, lists and undoes", async () => {
    const place = repository();
    const [first = "", second = ""] = await place.work({}, "a.txt one", "a.txt two");
    const foreseen = await place.run(at(place, "merge", "--dry-run", "--with", second, first));
    const clean = await place.run(at(place, "merge", "--dry-run", first));
    const merged = await place.run(at(place, "merge", first));
    const landed = place.git("show", "main:a.txt");
    const refused = await place.run(at(place, "merge", second));
    const listed = await place.run(at(place, "merge", "list", "--json"));
    const [failed, done] = listed.stdout.trim().split("\n").map(jsonOf);
    const undone = await place.run(at(place, "merge", "undo", String(done?.id)));
    expect({
      foreseen: [foreseen.exitCode, foreseen.stdout],
      clean: [clean.exitCode, clean.stdout],
      merged: [merged.exitCode, merged.stdout.startsWith(`${first}  merged into main as `), landed],
      refused: [refused.exitCode, refused.stdout, refused.stderr.includes("worktree restore")],
      states: [failed?.state, failed?.conflicts, done?.state],
      undone: [undone.exitCode, readFileSync(join(place.project, "a.txt"), "utf8"), place.git("status", "--porcelain")],
    }).toEqual({
      foreseen: [1, `${first}  conflicts with ${second}: a.txt\n`],
      clean: [0, `${first}  merges cleanly with main\n`],
      merged: [0, true, "one"],
      refused: [1, `${second}  conflicts with main: a.txt\n`, true],
      states: ["conflict", ["a.txt"], "merged"],
      undone: [0, "a\n", ""],
    });
  });

  it("queues without waiting, which the next that waits carries out; too late to undo, it says what takes it back", async () => {
    const place = repository();
    const [plain = "", reviewed = ""] = await place.work({ review: true }, "a.txt plain", "b.txt reviewed");
    await place.run(at(place, "review", "approve", "--no-merge", plain));
    const queued = await place.run(at(place, "merge", "--no-wait", plain));
    const approved = await place.run(at(place, "review", "approve", "--merge", "--no-wait", reviewed));
    const untouched = place.git("rev-list", "--count", "main");
    const merged = await place.run(at(place, "merge", plain, reviewed));
    const [, id = ""] = /merge undo (merge-\w+)/.exec(merged.stderr) ?? [];
    const late = await place.run(at(place, "merge", "undo", id));
    const [, range = ""] = /`git revert (\S+)`/.exec(late.stderr) ?? [];
    place.git("-c", "user.name=S", "-c", "user.email=s@e.x", "revert", "--no-edit", range);
    expect({
      queued: [queued.exitCode, queued.stdout, queued.stderr.includes(`claude-pool merge ${plain}`)],
      approved: [approved.exitCode, approved.stderr.includes("A host carries it out")],
      untouched,
      merged: [merged.exitCode, merged.stdout.match(/merged into main/g)?.length],
      late: [late.exitCode, place.git("show", "main:a.txt"), place.git("show", "main:b.txt")],
    }).toEqual({
      queued: [0, `${plain}  waits to be merged into main\n`, true],
      approved: [0, true],
      untouched: "1",
      merged: [0, 2],
      late: [1, "a", "reviewed"],
    });
  });

  it.each<readonly [string, readonly string[], number]>([
    ["a task that there is not", ["merge", "task-000000000000"], 4],
    ["a merge that there is not", ["merge", "show", "merge-0"], 4],
    ["a method that there is not", ["merge", "--method", "octopus", "task-000000000000"], 2],
    ["two tasks without a dry run", ["merge", "--with", "task-1", "task-2"], 2],
  ])("refuses %s", async (_what, argv, code) => {
    const place = repository();
    const ran = await place.run(at(place, ...argv));
    expect([ran.exitCode, ran.stdout]).toEqual([code, ""]);
  });
});

describe("claude-pool review", () => {
  it("shows change and evidence, merges what is approved, and begins again from the base when asked to", async () => {
    const place = repository();
    const checks = [{ name: "has text", command: "test -s a.txt" }];
    const [first = "", second = ""] = await place.work({ review: true, checks }, "a.txt good", "a.txt bad");
    const listed = await place.run(at(place, "review"));
    const shown = await place.run(at(place, "review", "show", first));
    const approved = await place.run(at(place, "review", "approve", "--merge", first));
    const rejected = await place.run(at(place, "review", "reject", "--from-base", "--json", second, "Not so"));
    expect({
      listed: listed.stdout.includes("1 file +1 -1") && listed.stdout.includes("1/1 passed"),
      shown: shown.stdout.includes("M a.txt  +1 -1") && shown.stdout.includes("has text  passed"),
      approved: [approved.exitCode, approved.stdout, approved.stderr.includes("merged into main as")],
      main: place.git("show", "main:a.txt"),
      plan: (jsonOf(rejected.stdout).plan as { readonly start: string }).start,
    }).toEqual({
      listed: true,
      shown: true,
      approved: [0, `${first}  completed\n`, true],
      main: "good",
      plan: "base",
    });
  });
});

describe("claude-pool worktree", () => {
  it("lists, shows, restores and prunes, the refs of what has landed too", async () => {
    const place = repository();
    const [id = ""] = await place.work({}, "a.txt kept");
    const listed = await place.run(at(place, "worktree", "list", "--json"));
    const planned = await place.run(at(place, "worktree", "prune", "--dry-run"));
    const pruned = await place.run(at(place, "worktree", "prune"));
    const empty = await place.run(at(place, "worktree"));
    const shown = await place.run(at(place, "worktree", "show", id));
    const restored = await place.run(at(place, "worktree", "restore", id, "../look"));
    const refs = await place.run(at(place, "worktree", "prune", "--refs"));
    const alone = await place.run(at(place, "worktree", "prune", "--older-than", "30d"));
    await place.run(at(place, "merge", id));
    const dropped = await place.run(at(place, "worktree", "prune", "--refs", "--older-than", "0s"));
    const { explanation, is_saved: isSaved, path } = jsonOf(listed.stdout);
    expect({
      listed: [explanation, isSaved],
      planned: planned.stdout,
      pruned: pruned.stdout,
      empty: [empty.stdout, empty.stderr.includes("No worktrees.")],
      shown: shown.stdout.includes(`refs/claude-pool/${id}`),
      restored: readFileSync(join(restored.stdout.trim(), "a.txt"), "utf8"),
      refs: refs.stdout,
      alone: [alone.exitCode, alone.stderr.includes("give --refs too")],
      dropped: dropped.stdout,
    }).toEqual({
      listed: ["free", true],
      planned: `would go ${String(path)}  (free)\n`,
      pruned: `removed  ${String(path)}  (free)\n`,
      empty: ["", true],
      shown: true,
      restored: "kept\n",
      refs: `stays    refs/claude-pool/${id}  (no branch has it; only force drops it)\n`,
      alone: [2, true],
      dropped: `dropped  refs/claude-pool/${id}  (in main)\n`,
    });
  });
});
