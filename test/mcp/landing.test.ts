/** Isolated work through the tools: its diff, its evidence, its review and its merge; on real repositories. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toolsOf } from "../../src/mcp/tools.ts";
import { eventOf } from "../engine/scripted-pool.ts";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import { repository, writing, type Repository } from "./repository.ts";
import { clientOf, connected, ways, type Connected, type ConnectOptions, type Fields } from "./rig.ts";

async function rig(options: ConnectOptions = {}): Promise<Connected & Repository> {
  const made = repository();
  const pool = { cwd: made.path, isolation: "worktree", permissionMode: "acceptEdits", activityLog: false } as const;
  const here = await connected({ ...options, pool: { ...pool, ...options.pool }, script: options.script ?? writing });
  const call = async (name: string, given?: Fields): Promise<Fields> => {
    const answer = await here.call(name, given);
    toolsOf("full").get(name)?.output.parse(answer);
    return answer;
  };
  return { ...here, ...made, call };
}

const read = (here: Repository, file: string): string => readFileSync(join(here.path, file), "utf8");

describe.each(ways)("over %s on revision %s", (transport, revision) => {
  test("a reviewed task shows its change and its evidence, and an approval merges it", async () => {
    const here = await rig({ transport, revision });
    const checks = [{ name: "there", command: "test -s b.txt" }];
    const { task_id: id } = await here.call("pool_submit_with_review", { prompt: "b.txt new", checks });
    const waited = await here.call("pool_wait", { task_ids: [id] });
    const [shown] = waited.done as readonly Fields[];
    const stat = await here.call("pool_diff", { task_id: id });
    const { patch } = await here.call("pool_diff", { task_id: id, patch: true, of: "saved" });
    const dry = await here.call("pool_merge", { task_id: id, dry_run: true });
    const approved = await here.call("pool_approve_result", { task_id: id, merge: "auto", method: "squash" });
    const { merges } = await here.call("pool_merges", { task_id: id });
    const [merge] = merges as readonly Fields[];
    const undone = await here.call("pool_merges", { merge_id: merge?.id, action: "undo" });
    const { worktrees } = await here.call("pool_worktrees");
    expect({
      worktrees: (worktrees as readonly Fields[]).map((one) => one.explanation),
      changes: shown?.changes,
      checks: (shown?.checks as readonly Fields[]).map(({ name, passed }) => [name, passed]),
      next: String(shown?.next_step).includes("pool_diff"),
      stat: [stat.state, stat.files, stat.of, stat.entries, stat.patch],
      patch: String(patch).includes("+new"),
      dry: [dry.conflicts, dry.with],
      approved: [approved.state, (approved.merge as Fields).state, approved.next_step],
      merge: [merge?.method, merge?.target, merge?.task_id],
      undone: typeof (undone.merges as readonly Fields[])[0]?.undone_at_ms,
      gone: existsSync(join(here.path, "b.txt")),
    }).toEqual({
      worktrees: ["slot"],
      changes: { files: 1, insertions: 1, deletions: 0, branch: expect.stringContaining(String(id)) as unknown },
      checks: [["there", true]],
      next: true,
      stat: [
        "pending_review",
        1,
        "saved",
        [{ path: "b.txt", status: "added", insertions: 1, deletions: 0 }],
        undefined,
      ],
      patch: true,
      dry: [[], "main"],
      approved: ["completed", "merged", "It is in main."],
      merge: ["squash", "main", id],
      undone: "number",
      gone: false,
    });
  });
});

test("worktrees are shown, restored and pruned, and a diff and a merge are resources", async () => {
  const here = await rig();
  const { task_id: id } = await here.call("pool_run", { prompt: "a.txt changed" });
  const { merge } = await here.call("pool_merge", { task_id: id });
  const listed = await here.call("pool_worktrees");
  const path = join(here.path, "..", "look");
  const restored = await here.call("pool_worktrees", { task_id: id, restore: true, path });
  const dry = await here.call("pool_worktrees", { prune: true, dry_run: true });
  const resource = async (uri: string): Promise<string> => {
    const [content] = (await here.client.readResource({ uri })).contents as readonly { readonly text?: string }[];
    return content?.text ?? "";
  };
  expect({
    merged: [(merge as Fields).state, read(here, "a.txt")],
    listed: (listed.worktrees as readonly Fields[]).map((one) => one.explanation),
    restored: [restored.restored_to, readFileSync(join(path, "a.txt"), "utf8"), (restored.task as Fields).task_id],
    dry: (dry.worktrees as readonly Fields[]).length,
    diff: (JSON.parse(await resource(`pool://diffs/${String(id)}`)) as Fields).files,
    patch: await resource(`pool://patches/${String(id)}?of=saved`),
    merge: (JSON.parse(await resource(`pool://merges/${String((merge as Fields).id)}`)) as Fields).state,
    merges: ((JSON.parse(await resource("pool://merges")) as Fields).merges as []).length,
    worktrees: ((JSON.parse(await resource("pool://worktrees")) as Fields).worktrees as []).length,
  }).toEqual({
    merged: ["merged", "changed\n"],
    listed: ["slot"],
    restored: [path, "changed\n", id],
    dry: 1,
    diff: 1,
    patch: expect.stringContaining("+changed") as unknown,
    merge: "merged",
    merges: 1,
    worktrees: 1,
  });
});

test("conflicts are listed, before and after, and the branch has not changed", async () => {
  const here = await rig({ pool: { slots: 2, onMergeConflict: "review" } });
  const ids: string[] = [];
  for (const word of ["left", "right"]) {
    ids.push(String((await here.call("pool_submit_with_review", { prompt: `a.txt ${word}` })).task_id));
  }
  await here.call("pool_wait", { task_ids: ids });
  const [left, right] = ids;
  const between = await here.call("pool_merge", { task_id: left, dry_run: true, with: right });
  const first = await here.call("pool_merge", { task_id: left });
  const second = await here.call("pool_merge", { task_id: right });
  expect([
    between.conflicts,
    between.with,
    [first.state, (first.merge as Fields).state],
    [second.state, (second.merge as Fields).state, second.conflicts],
    String(second.next_step).includes("pool_reject_result"),
    read(here, "a.txt"),
  ]).toEqual([["a.txt"], right, ["completed", "merged"], ["pending_review", "conflict", ["a.txt"]], true, "left\n"]);
});

test("a rejection can begin again from the base", async () => {
  let turn = 0;
  const script: RunnerScript = (_turn, { cwd }) => {
    turn += 1;
    writeFileSync(join(cwd, `${String(turn)}.txt`), "x");
    return "done";
  };
  const here = await rig({ script });
  const { task_id: id } = await here.call("pool_submit_with_review", { prompt: "write" });
  await here.call("pool_wait", { task_ids: [id] });
  await here.call("pool_reject_result", { task_id: id, feedback: "otherwise", start: "base" });
  await here.call("pool_wait", { task_ids: [id] });
  const { entries } = await here.call("pool_diff", { task_id: id });
  expect((entries as readonly Fields[]).map(({ path }) => path)).toEqual(["2.txt"]);
});

/** Completed work whose merge lasts until the pipe is written to. */
async function slowMerge(here: Connected & Repository): Promise<{ readonly id: string; readonly pipe: string }> {
  const [armed, pipe] = [join(here.path, "..", "armed"), join(here.path, "..", "pipe")];
  execFileSync("mkfifo", [pipe]);
  const task = await here.pool.submit("b.txt new", {
    checks: [{ command: `if [ -e ${armed} ]; then cat ${pipe}; fi` }],
  });
  await task.outcome();
  writeFileSync(armed, "");
  writeFileSync(join(here.path, "c.txt"), "c\n");
  here.git("add", "-A");
  here.git("commit", "-q", "-m", "Another tree");
  return { id: task.id, pipe };
}

test("a merge that takes longer than a call answers with its id, and the same call goes on with it", async () => {
  const here = await rig({ answerWithinMs: 1 });
  const { id, pipe } = await slowMerge(here);
  const first = await here.call("pool_merge", { task_id: id });
  const patient = await clientOf(here.pool);
  const again = patient.callTool({ name: "pool_merge", arguments: { task_id: id } });
  await writeFile(pipe, "go");
  const { structuredContent } = await again;
  const [early, late] = [first.merge as Fields, (structuredContent as Fields).merge as Fields];
  expect([early.state === "merged", String(first.next_step).includes("pool_merge"), late.state, late.id]).toEqual([
    false,
    true,
    "merged",
    early.id,
  ]);
});

test.each(["2026-07-28", "2025-11-25"])(
  "a call that the client cancels takes its merge out of the queue, and tells what it waits for (%s)",
  async (revision) => {
    const here = await rig({ revision });
    const { id, pipe } = await slowMerge(here);
    const next = await here.pool.submit("d.txt new");
    await next.outcome();
    const { id: slow } = await here.pool.merge(id, { wait: false });
    const carrying = here.pool.merges.wait(slow);
    await eventOf(here.pool, "merge.started");
    const [stop, told] = [new AbortController(), [] as string[]];
    const heard = Promise.withResolvers<undefined>();
    const calling = here.client.callTool(
      { name: "pool_merge", arguments: { task_id: next.id } },
      {
        signal: stop.signal,
        onprogress: ({ message }) => {
          told.push(message ?? "");
          heard.resolve(undefined);
        },
      },
    );
    const failed = expect(calling).rejects.toThrow();
    await heard.promise;
    stop.abort();
    await failed;
    await eventOf(here.pool, "merge.ended", next.id);
    const [merge] = await here.pool.merges.list({ taskId: next.id });
    await writeFile(pipe, "go");
    expect([told, merge?.state, (await carrying).state]).toEqual([
      [`${merge?.id ?? ""} is in the queue`],
      "cancelled",
      "merged",
    ]);
  },
);

test("what a diff is too long for is a link to the rest, which the resource has", async () => {
  const long = Array.from({ length: 4_000 }, (_, line) => `line-${String(line)}`).join("_");
  const here = await rig();
  const { task_id: id } = await here.call("pool_run", { prompt: `b.txt ${long}` });
  const answer = await here.call("pool_diff", { task_id: id, patch: true });
  const [cut] = answer.cut as readonly { readonly uri: string; readonly kept: number; readonly field: string }[];
  const whole = (await here.pool.diff(String(id))).patch;
  let text = String(answer.patch);
  for (let uri: string | undefined = cut?.uri; uri !== undefined;) {
    const [part, next] = (await here.client.readResource({ uri })).contents as readonly {
      readonly uri: string;
      readonly text?: string;
    }[];
    text += part?.text ?? "";
    uri = next?.uri;
  }
  expect([cut?.field, cut?.uri, text === whole]).toEqual([
    "patch",
    `pool://patches/${String(id)}?from=${String(cut?.kept)}&of=saved`,
    true,
  ]);
});

test.each<[string, Fields, string]>([
  ["pool_merge", { task_id: "task-000000000000" }, "No task"],
  ["pool_merges", { merge_id: "merge-000000000000" }, "No merge"],
  ["pool_merges", { action: "undo" }, "merge_id"],
  ["pool_worktrees", { restore: true }, "task_id"],
  ["pool_diff", { task_id: "task-000000000000", of: "save" }, 'Did you mean "saved"?'],
])("%s says of %j what is wrong", async (name, given, said) => {
  const here = await rig({ pool: { slots: 0 } });
  expect(String((await here.refusal(name, given)).message)).toContain(said);
});

test("a task that ran in the shared directory has no work to show or to merge", async () => {
  const here = await rig({ pool: { isolation: "none" } });
  const { task_id: id } = await here.call("pool_run", { prompt: "say it" });
  const refusals = [
    await here.refusal("pool_diff", { task_id: id }),
    await here.refusal("pool_merge", { task_id: id }),
    await here.refusal("pool_worktrees", { task_id: id }),
  ];
  expect(refusals.map((one) => one.code)).toEqual(Array.from({ length: 3 }, () => "nothing_to_merge"));
});

test("every field of a workspace and of a claim is taken by each tool that makes tasks", async () => {
  const here = await rig({ pool: { slots: 0 } });
  const fields = {
    isolation: "clone",
    base_ref: "main",
    checks: ["true", { name: "two", command: "true", timeout_ms: 5 }],
    check_retries: 1,
    merge: "auto",
    paths: ["src/**"],
    claim_wait_ms: 5,
  };
  const { isolation, base_ref, merge: _merge, ...ofStep } = fields;
  await here.call("pool_submit", { prompt: "one", ...fields });
  await here.call("pool_submit_with_review", { prompt: "two", ...fields });
  await here.call("pool_submit_chain", { isolation, base_ref, steps: [{ name: "a", prompt: "x", ...ofStep }] });
  await here.call("pool_fan_out_chains", { isolation, base_ref, chains: [[{ name: "a", prompt: "x", ...ofStep }]] });
  const { tasks } = await here.pool.list({ order: "oldest", kind: "task" });
  const taken = tasks.map(({ config, merge, paths }) => [config?.isolation, config?.checks?.length, merge, paths]);
  expect(taken).toEqual([
    ["clone", 2, "auto", ["src/**"]],
    ["clone", 2, "auto", ["src/**"]],
    ["clone", 2, undefined, ["src/**"]],
    ["clone", 2, undefined, ["src/**"]],
  ]);
});
