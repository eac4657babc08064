/** Diffs, reviews, merges and worktrees through the pool, on real repositories. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { OpenPoolOptions, Pool } from "../../src/index.ts";
import { completed, failed } from "../../src/testing/outcomes.ts";
import { beginRepository, type Git } from "../git-repository.ts";
import { scriptedPool } from "./scripted-pool.ts";

interface Rig {
  readonly pool: Pool;
  readonly repository: string;
  readonly git: Git;
}

/**
 * A repository with `a.txt` and `b.txt`; a prompt `FILE TEXT` writes the text into the file of the task's worktree, and
 * `read FILE` fails at first, then answers with the file.
 */
async function rig(options: OpenPoolOptions = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "claude-pool-landing-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const repository = join(folder, "a repository");
  await mkdir(repository);
  const git = beginRepository(repository, { "a.txt": "a.txt\n", "b.txt": "b.txt\n" });
  let reads = 0;
  const { pool } = await scriptedPool(
    { cwd: repository, isolation: "worktree", permissionMode: "acceptEdits", ...options },
    async ({ prompt }, { cwd }) => {
      const [, file, text] = /^(\S+\.txt) (\S+)/.exec(prompt) ?? [];
      if (file !== undefined) await writeFile(join(cwd, file), `${text ?? ""}\n`);
      const [, read] = /^read (\S+)/.exec(prompt) ?? [];
      if (read === undefined) return "done";
      reads += 1;
      return reads === 1 ? failed("error") : completed(await readFile(join(cwd, read), "utf8"));
    },
  );
  return { pool, repository, git };
}

async function done(pool: Pool, prompt: string, options = {}): Promise<string> {
  const task = await pool.submit(prompt, options);
  await task.outcome();
  return task.id;
}

describe("work that was done", () => {
  test("is shown as a diff, and is merged into the branch that it began from", async () => {
    const { pool, repository, git } = await rig();
    const id = await done(pool, "a.txt changed");
    const { files, insertions, deletions, entries, patch } = await pool.diff(id);
    const merge = await pool.merge(id);
    expect({
      diff: { files, insertions, deletions, entries, hasPatch: patch.includes("+changed") },
      merge: [merge.state, merge.target, merge.method, merge.commit],
      checkout: [await readFile(join(repository, "a.txt"), "utf8"), git("status", "--porcelain")],
      queue: (await pool.merges.list()).map((one) => one.id),
    }).toEqual({
      diff: {
        files: 1,
        insertions: 1,
        deletions: 1,
        entries: [{ path: "a.txt", status: "modified", insertions: 1, deletions: 1 }],
        hasPatch: true,
      },
      merge: ["merged", "main", "rebase", git("rev-parse", "main")],
      checkout: ["changed\n", ""],
      queue: [merge.id],
    });
  });

  test("lands by itself when it is to be merged by itself, and is done then", async () => {
    const { pool, git } = await rig();
    const task = await pool.submit("a.txt landed", { merge: "auto" });
    const { state } = await task.outcome();
    expect([state, git("show", "main:a.txt")]).toEqual(["completed", "landed"]);
  });

  test("is done without a merge when it changed nothing", async () => {
    const { pool } = await rig();
    const task = await pool.submit("look around", { merge: "auto" });
    const { state } = await task.outcome();
    const refused = await pool.merge(task.id).catch((error: unknown) => (error as { code: string }).code);
    expect([state, refused, await pool.merges.list()]).toEqual(["completed", "nothing_to_merge", []]);
  });

  test("is merged when it is approved, and can be taken back", async () => {
    const { pool, git } = await rig();
    const before = git("rev-parse", "main");
    const id = await done(pool, "a.txt reviewed", { review: true, merge: "auto" });
    const approved = await pool.approve(id);
    const landed = git("show", "main:a.txt");
    const [merge] = await pool.merges.list({ taskId: id });
    const undone = await pool.merges.undo(merge?.id ?? "");
    const again = await pool.merges.undo(undone.id).catch((error: unknown) => (error as { code: string }).code);
    expect([approved.state, landed, git("rev-parse", "main") === before, again]).toEqual([
      "completed",
      "reviewed",
      true,
      "invalid_transition",
    ]);
  });

  test("is waited for no longer than its caller wants, also while it is this process that merges it", async () => {
    const { pool, repository, git } = await rig({
      checks: [{ name: "fast at first", command: '[ "$(cat b.txt)" = b.txt ] || sleep 600' }],
    });
    const id = await done(pool, "a.txt changed");
    await writeFile(join(repository, "b.txt"), "slow\n");
    git("commit", "-q", "-a", "-m", "From here on the check takes long");
    const stop = new AbortController();
    const begun = startOfMerge(pool);
    const merging = pool.merge(id, { signal: stop.signal }).catch((error: unknown) => (error as { code: string }).code);
    await begun;
    stop.abort();
    const [merge] = await pool.merges.list();
    expect([await merging, merge?.state]).toEqual(["aborted", "merging"]);
  });

  test("is merged again without a move, and only the merge that moved the branch can be taken back", async () => {
    const { pool, git } = await rig();
    const id = await done(pool, "a.txt landed");
    const first = await pool.merge(id);
    const head = git("rev-parse", "main");
    const again = await pool.merge(id);
    const refused = await pool.merges.undo(again.id).catch((error: unknown) => (error as { message: string }).message);
    expect([again.state, again.before, again.commit, refused, git("rev-parse", "main") === first.commit]).toEqual([
      "merged",
      head,
      head,
      `Cannot undo merge ${again.id}: it moved nothing, because its work had landed already.`,
      true,
    ]);
  });

  test("is known as taken back when who took it back died after its branch had moved", async () => {
    const { pool, git } = await rig();
    const merge = await pool.merge(await done(pool, "a.txt landed"));
    git("reset", "--hard", "-q", merge.before ?? "");
    const undone = await pool.merges.undo(merge.id);
    expect([undone.undoneAtMs !== undefined, git("rev-parse", "main")]).toEqual([true, merge.before]);
  });

  test("that conflicts is told so beforehand, and stays in review with its files when it is tried", async () => {
    const { pool, git } = await rig({ slots: 2, onMergeConflict: "review" });
    const [first, second] = await Promise.all([
      done(pool, "a.txt one", { review: true }),
      done(pool, "a.txt two", { review: true }),
    ]);
    const between = await pool.previewMerge(first, { with: second });
    const clean = await pool.previewMerge(second);
    await pool.approve(first, { merge: "auto" });
    const dirty = await pool.previewMerge(second);
    const tried = await pool.approve(second, { merge: "auto" });
    const [merge] = await pool.merges.list({ taskId: second });
    expect({
      foreseen: [between.conflicts, clean.conflicts, dirty.conflicts],
      tried: [tried.state, tried.mergeId, merge?.state, merge?.conflicts],
      main: git("show", "main:a.txt"),
    }).toEqual({
      foreseen: [["a.txt"], [], ["a.txt"]],
      tried: ["pending_review", undefined, "conflict", ["a.txt"]],
      main: "one",
    });
  });
});

describe("a chain", () => {
  test("works in one worktree, is merged as one, and when resumed goes on with the files of the steps that are done", async () => {
    const { pool, git } = await rig();
    const steps = [
      { name: "write", prompt: "a.txt chained" },
      { name: "read", prompt: "read a.txt" },
    ];
    const chain = await pool.submitChain(steps);
    const first = await chain.outcome();
    const resumed = await pool.resumeChain(chain.id);
    const second = await resumed.outcome();
    const progress = await pool.chainProgress(resumed.id);
    const diff = await pool.diff(resumed.id);
    const merge = await pool.merge(resumed.id);
    expect({
      ended: [first.state, second.state],
      read: progress.steps.map((step) => step.output),
      changed: diff.entries.map(({ path }) => path),
      merged: [merge.state, git("show", "main:a.txt")],
    }).toEqual({
      ended: ["failed", "completed"],
      read: ["done", "chained\n"],
      changed: ["a.txt"],
      merged: ["merged", "chained"],
    });
  });
});

describe("the pool's directories", () => {
  test("are explained, and pruned with what stands there saved", async () => {
    const { pool, repository, git } = await rig({ slots: 1, scaling: { minSlots: 0, maxSlots: 1 } });
    const id = await done(pool, "a.txt kept");
    const [held] = await pool.worktrees.list();
    await pool.scaleDown(1);
    await stopped(pool);
    const [free] = await pool.worktrees.list();
    const [planned] = await pool.worktrees.prune({ dryRun: true });
    const isThere = existsSync(free?.path ?? "");
    const [removed] = await pool.worktrees.prune();
    const shown = await pool.worktrees.show(id);
    const restored = await pool.worktrees.restore(id);
    expect({
      held: [held?.explanation, held?.slotId, held?.kind, held?.taskId],
      free: [free?.explanation, free?.isSaved, planned?.isRemoved, isThere],
      removed: [removed?.isRemoved, existsSync(removed?.path ?? ""), await pool.worktrees.list()],
      shown: [shown.stands, shown.refs.map(({ ref }) => ref)],
      restored: [basename(restored), await readFile(join(restored, "a.txt"), "utf8")],
      clean: git("status", "--porcelain"),
      main: await readFile(join(repository, "a.txt"), "utf8"),
    }).toEqual({
      held: ["slot", "slot-1", "worktree", id],
      free: ["free", true, true, true],
      removed: [true, false, []],
      shown: [false, [`refs/claude-pool/${id}`]],
      restored: [id, "kept\n"],
      clean: "",
      main: "a.txt\n",
    });
  });

  test("leave refs, which are dropped once a branch has what they keep, or when that is waived", async () => {
    const { pool, git } = await rig({ slots: 1, scaling: { minSlots: 0, maxSlots: 1 } });
    const merged = await done(pool, "a.txt merged");
    const asIs = await done(pool, "b.txt asis");
    const undone = await done(pool, "c.txt undone");
    const unmerged = await done(pool, "d.txt unmerged");
    const waiting = await done(pool, "e.txt waiting", { review: true });
    await pool.merge(merged, { method: "squash" });
    git("branch", "kept", `refs/claude-pool/${asIs}`);
    const { id } = await pool.merge(undone);
    await pool.merges.undo(id);
    git("update-ref", "refs/claude-pool/task-of-another", `refs/claude-pool/${unmerged}`);
    git("update-ref", "refs/claude-pool/task-of-others", "main");
    const held = await pool.worktrees.pruneRefs({ dryRun: true });
    await pool.scaleDown(1);
    await stopped(pool);
    await pool.worktrees.prune();
    const young = await pool.worktrees.pruneRefs({ olderThanMs: 3_600_000 });
    const planned = await pool.worktrees.pruneRefs({ dryRun: true });
    const before = git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/claude-pool").split("\n");
    await pool.worktrees.pruneRefs();
    const after = git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/claude-pool").split("\n");
    await pool.worktrees.pruneRefs({ force: true });
    const forced = git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/claude-pool").split("\n");
    const restoring = await pool.worktrees.restore(merged).catch((error: unknown) => String(error));
    expect({
      held: held.find((one) => one.taskId === waiting)?.stays,
      young: young.filter((one) => one.isRemoved === true),
      planned: Object.fromEntries(
        planned.map((one) => [one.ref.split("/").at(-1), [one.branch, one.isRemoved]] as const),
      ) as unknown,
      before: before.toSorted(),
      after: after.toSorted(),
      forced: forced.toSorted(),
      restoring: /There is no ref .* any more/.test(restoring),
    }).toEqual({
      held: "the task is pending review",
      young: [],
      planned: {
        [merged]: ["main", true],
        [asIs]: ["kept", true],
        [undone]: [undefined, undefined],
        [unmerged]: [undefined, undefined],
        [waiting]: [undefined, undefined],
        "task-of-another": [undefined, undefined],
        "task-of-others": ["main", undefined],
      },
      before: [merged, asIs, undone, unmerged, waiting, "task-of-another", "task-of-others"].toSorted(),
      after: [undone, unmerged, waiting, "task-of-another", "task-of-others"].toSorted(),
      forced: [waiting, "task-of-another", "task-of-others"].toSorted(),
      restoring: true,
    });
  });

  test("keep the ref of what a slot's directory holds", async () => {
    const { pool } = await rig();
    const id = await done(pool, "a.txt held");
    const [held] = await pool.worktrees.list();
    const [stays] = await pool.worktrees.pruneRefs({ force: true });
    expect([stays?.taskId, stays?.stays]).toEqual([id, `its work stands in ${String(held?.path)}`]);
  });

  test("say why there is nothing to show of a task without one", async () => {
    const { pool } = await rig();
    const id = await done(pool, "look", { isolation: "none" });
    await expect(pool.worktrees.show(id)).rejects.toMatchObject({ code: "nothing_to_merge" });
  });
});

async function stopped(pool: Pool): Promise<void> {
  for await (const event of pool.events({ after: 0 })) if (event.type === "slot.stopped") return;
}

async function startOfMerge(pool: Pool): Promise<void> {
  for await (const event of pool.events({ after: 0 })) if (event.type === "merge.started") return;
}
