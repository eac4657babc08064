/** Isolated work by the program alone: the real CLI on a scripted model, in a real repository. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startScriptedApi, text, toolUse, type ScriptedApi } from "../../src/testing/index.ts";
import { beginRepository, type Git } from "../git-repository.ts";
import { rig, type Rig } from "./rig.ts";

let api: ScriptedApi;
let place: Rig;
let git: Git;

beforeEach(async () => {
  api = await startScriptedApi();
  place = rig();
  const variables = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  place.userFile({ env: { ...api.environment(place.claudeHome), ...variables }, allowed_tools: ["Bash"] });
  git = beginRepository(place.project);
});

afterEach(async () => {
  await api.close();
  place[Symbol.dispose]();
});

describe("claude-pool run --worktree", () => {
  it("says where the work is, sends failed checks back, and merges it when asked to", async () => {
    api
      .on("These checks failed", toolUse("Bash", { command: "echo mended > a.txt" }), text("Mended."))
      .on("Change a.txt", toolUse("Bash", { command: "echo broken > a.txt" }), text("Changed."));
    writeFileSync(join(place.project, "notes.txt"), "mine\n");
    const ran = await place.run([
      "run",
      "--worktree",
      "--permission-mode",
      "acceptEdits",
      "--check",
      "grep -q mended a.txt",
      "Change a.txt",
    ]);
    const [, id = ""] = /claude-pool merge (task-\w+)/.exec(ran.stderr) ?? [];
    rmSync(join(place.project, "notes.txt"));
    const untouched = git("show", "main:a.txt");
    const diff = await place.run(["task", "diff", "--stat", id]);
    const events = await place.run(["events", "--json"]);
    const merged = await place.run(["merge", id]);
    expect({
      ran: [ran.exitCode, ran.stdout, ran.stderr.includes(`1 file +1 -1, saved on refs/claude-pool/${id}`)],
      without: ran.stderr.includes("1 file of yours is not committed, and isolated work begins without it."),
      untouched,
      diff: diff.stdout,
      rounds: events.stdout.split("\n").filter((line) => line.includes('"task.checks_failed"')).length,
      merged: [merged.exitCode, git("show", "main:a.txt"), git("status", "--porcelain")],
    }).toEqual({
      ran: [0, "Mended.\n", true],
      without: true,
      untouched: "a",
      diff: "M a.txt  +1 -1\n1 file +1 -1\n",
      rounds: 1,
      merged: [0, "mended", ""],
    });
  });
});
