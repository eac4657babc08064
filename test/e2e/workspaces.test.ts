/** Isolated work on the real CLI and real git. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import type { Pool } from "../../src/pool.ts";
import { gate, text, toolUse, type Reply } from "../../src/testing/index.ts";
import { beginRepository } from "../git-repository.ts";
import { place, realPool, type Place } from "./real-pool.ts";

/** A pool in a repository with one commit on `main`, which holds `list.txt`. */
async function repositoryPool(options: OpenPoolOptions = {}): Promise<Place & { readonly pool: Pool }> {
  const here = await place();
  beginRepository(here.work, { "list.txt": "one\ntwo\nthree\n" });
  const pool = await realPool(here, { worktreeIsolation: true, allowedTools: ["Bash"], ...options });
  return { ...here, pool };
}

function git(here: Pick<Place, "work">, ...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: here.work, encoding: "utf8" });
}

/** The model runs a command in its directory. */
function bash(command: string): Reply {
  return toolUse("Bash", { command });
}

describe("workspaces on the real CLI", () => {
  test("three tasks edit one repository at once, each on its own; what is reviewed, merged and in conflict lands in the end", async () => {
    const { pool, api, ...here } = await repositoryPool({ slots: 3 });
    const together = gate();
    api
      .on("Markers stand", bash("printf 'ONE\\nTWO\\nthree\\n' > list.txt"), text("resolved"))
      .on("conflicts with what main has become", bash("printf 'ONE\\nTWO\\nthree\\n' > list.txt"), text("resolved"))
      .on("first", bash("printf 'ONE\\ntwo\\nthree\\n' > list.txt"), together, text("upper case one"))
      .on("second", bash("printf 'one, TWO\\ntwo\\nthree\\n' > list.txt"), together, text("upper case two"))
      .on("third", bash("echo new > other.txt"), together, text("a new file"));
    const first = await pool.submit("first");
    const second = await pool.submit("second", { review: true, merge: "auto" });
    const third = await pool.submit("third", { merge: "auto" });
    await Promise.all(["first", "second", "third"].map((name) => api.waitForRequest(name)));
    together.release();
    await pool.wait([first.id, second.id, third.id]);
    const merged = await pool.merge(first.id);
    await pool.approve(second.id);
    const reviewed = await second.outcome();
    const again = await pool.approve(second.id);
    const ended = await second.outcome();
    expect({
      merged: merged.state,
      reviewed: [reviewed.state, reviewed.result?.output],
      again: again.id,
      ended: [ended.state, (await third.outcome()).state],
      list: readFileSync(join(here.work, "list.txt"), "utf8"),
      other: readFileSync(join(here.work, "other.txt"), "utf8"),
      status: git(here, "status", "--porcelain"),
    }).toEqual({
      merged: "merged",
      reviewed: ["pending_review", "resolved"],
      again: second.id,
      ended: ["completed", "completed"],
      list: "ONE\nTWO\nthree\n",
      other: "new\n",
      status: "",
    });
  });

  test("failed checks go back to the worker in its conversation until they pass on the very tree", async () => {
    const { pool, api, ...here } = await repositoryPool({
      checks: [{ name: "test", command: "grep -q right answer.txt" }],
    });
    api
      .on("These checks failed", bash("echo right > answer.txt"), text("mended"))
      .on("answer it", bash("echo wrong > answer.txt"), text("answered"));
    const task = await pool.submit("answer it");
    const outcome = await task.outcome();
    const { workspace } = await pool.get(task.id);
    const runs = await pool.runs(task.id);
    expect({
      state: outcome.state,
      output: outcome.result?.output,
      checks: workspace?.checks?.map(({ name, passed, tree }) => [name, passed, tree === workspace.saved?.tree]),
      superseded: runs.map((run) => run.superseded ?? run.outcome),
      one: new Set(runs.map((run) => run.sessionId)).size,
      shared: existsSync(join(here.work, "answer.txt")),
    }).toEqual({
      state: "completed",
      output: "mended",
      checks: [["test", true, true]],
      superseded: ["checks", "completed"],
      one: 1,
      shared: false,
    });
  });

  test("a slot's second task starts clean, in the process that is already open", async () => {
    const { pool, api, ...here } = await repositoryPool();
    api.on("put it", bash("echo left > left.txt; echo changed > list.txt"), text("left"));
    api.on("look", bash("ls; cat list.txt"), text("looked"));
    const first = await pool.submit("put it");
    await first.outcome();
    const before = (await pool.findSlots())[0]?.process?.pid;
    const second = await pool.submit("look");
    await second.outcome();
    const asked = api.requests.filter((request) => request.path.startsWith("/v1/messages")).at(-1);
    const records = await Promise.all([pool.get(first.id), pool.get(second.id)]);
    expect({
      seen: JSON.stringify(asked?.body).includes("left.txt"),
      one: (await pool.findSlots())[0]?.process?.pid === before,
      paths: new Set(records.map((record) => record.workspace?.path)).size,
      branches: new Set(records.map((record) => record.workspace?.branch)).size,
      saved: git(here, "show", `refs/claude-pool/${first.id}:left.txt`),
    }).toEqual({ seen: false, one: true, paths: 1, branches: 2, saved: "left\n" });
  });

  test("a chain's steps work in one directory of its own, and the chain is merged as one", async () => {
    const { pool, api, ...here } = await repositoryPool({ slots: 2, worktreeIsolation: false });
    api.on("plan it", bash("echo plan > plan.txt"), text("planned"));
    api.on("build it", bash("cat plan.txt > built.txt"), text("built"));
    const chain = await pool.submitChain([
      { name: "plan", prompt: "plan it" },
      { name: "build", prompt: "build it" },
    ]);
    await chain.outcome();
    const merge = await pool.merge(chain.id);
    expect([merge.state, readFileSync(join(here.work, "built.txt"), "utf8")]).toEqual(["merged", "plan\n"]);
  });
});
