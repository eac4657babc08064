/** Chains and reviews on the command line, with the real Claude CLI on a scripted model. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { apiError, gate, startScriptedApi, text, type ScriptedApi } from "../../src/testing/index.ts";
import { rig, type Rig } from "./rig.ts";

let api: ScriptedApi;
let place: Rig;

beforeEach(async () => {
  api = await startScriptedApi();
  place = rig();
  place.userFile({ env: api.environment(place.claudeHome) });
});

afterEach(async () => {
  await api.close();
  place[Symbol.dispose]();
});

function file(name: string, content: string): string {
  const path = join(place.project, name);
  writeFileSync(path, content);
  return path;
}

const twoSteps = `name: release
steps:
  - name: plan
    prompt: Make a plan
  - name: build
    action: { type: prompt, prompt: "Carry out: {previous_output}" }
    failure_policy: { retries: 0 }
`;

describe("claude-pool chain", () => {
  it("runs the chain of a YAML file, says on stderr how each step ended, and prints the last answer", async () => {
    api.on("Make a plan", text("THE-PLAN")).on("Carry out: THE-PLAN", text("built"));
    const ran = await place.run(["chain", "run", file("release.yaml", twoSteps)]);
    expect({
      exit: ran.exitCode,
      stdout: ran.stdout,
      notes: ran.stderr
        .split("\n")
        .filter((line) => /^\d\/2 /.test(line))
        .map((line) => line.split("  ").slice(0, 2)),
    }).toEqual({
      exit: 0,
      stdout: "built\n",
      notes: [
        ["1/2 plan", "completed"],
        ["2/2 build", "completed"],
      ],
    });
  });

  it("shows a failed chain step by step, and resumes it from what failed", async () => {
    api.on("Make a plan", text("THE-PLAN")).on("Carry out", apiError(400));
    const path = file("release.yaml", twoSteps);
    const first = await place.run(["chain", "run", "--json", path]);
    const { id } = JSON.parse(first.stdout) as { readonly id: string };
    const progress = JSON.parse((await place.run(["chain", "progress", "--json", id])).stdout) as {
      readonly steps: readonly { readonly name: string; readonly state: string }[];
    };
    const shown = await place.run(["chain", "progress", id]);
    const resumed = await place.run(["chain", "resume", id]);
    const listed = await place.run(["chain", "list", "--json"]);
    expect({
      exit: first.exitCode,
      states: progress.steps.map((step) => `${step.name} ${step.state}`),
      shown: /build +failed/.test(shown.stdout),
      resumed: resumed.stdout.trim(),
      listed: listed.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { readonly status: string }).status),
    }).toEqual({
      exit: 1,
      states: ["plan completed", "build failed"],
      shown: true,
      resumed: expect.stringMatching(/^chain-/) as unknown,
      listed: ["running", "failed"],
    });
  });

  it("says that a step waits for a reviewer, and goes on when another call approves it", async () => {
    api.on("Make a plan", text("THE-PLAN")).on("Carry out: THE-PLAN", text("built"));
    const reviewed = twoSteps.replace("prompt: Make a plan", "prompt: Make a plan\n    review: true");
    const running = place.spawn(["chain", "run", file("release.yaml", reviewed)]);
    await running.hasSaid("claude-pool review approve task-");
    const waiting = JSON.parse((await place.run(["review", "--json"])).stdout) as { readonly id: string };
    const approved = await place.run(["review", "approve", waiting.id]);
    const ran = await running.ran;
    expect([
      ran.stderr.includes(`1/2 plan waits for a reviewer: claude-pool review show ${waiting.id}`),
      approved.exitCode,
      ran.exitCode,
      ran.stdout,
    ]).toEqual([true, 0, 0, "built\n"]);
  });

  it("is known to every command by the beginning of its id", async () => {
    const id = (await place.run(["chain", "submit", file("release.yaml", twoSteps)])).stdout.trim();
    const begin = id.slice(0, 10);
    const waited = await place.run(["wait", "--timeout", "1ms", begin]);
    const progress = await place.run(["chain", "progress", "--json", begin]);
    const unfinished = await place.run(["result", begin]);
    const cancelled = await place.run(["chain", "cancel", begin]);
    const result = await place.run(["result", "--json", begin]);
    expect({
      waited: [waited.exitCode, waited.stderr.includes("time is over")],
      progress: (JSON.parse(progress.stdout) as { readonly task_id: string }).task_id,
      unfinished: unfinished.exitCode,
      cancelled: [cancelled.exitCode, cancelled.stdout.includes("cancelled")],
      result: (JSON.parse(result.stdout) as { readonly id: string }).id,
      tooShort: (await place.run(["cancel", "chain-"])).exitCode,
    }).toEqual({
      waited: [1, true],
      progress: id,
      unfinished: 4,
      cancelled: [0, true],
      result: id,
      tooShort: 4,
    });
  });

  it("is cancelled by Ctrl-C, and says how to go on", async () => {
    const waiting = gate(text("never said"));
    api.on("Make a plan", waiting);
    const running = place.start(["chain", "run", "--json", file("release.yaml", twoSteps)]);
    await waiting.reached;
    running.interrupt();
    const ran = await running.ran;
    const record = JSON.parse(ran.stdout) as { readonly id: string; readonly state: string };
    expect([ran.exitCode, record.state, ran.stderr.includes(`chain resume ${record.id}`)]).toEqual([
      130,
      "cancelled",
      true,
    ]);
  });

  it.each([
    ["an unknown key", "steps: [{ name: a, promt: x }]", 'Did you mean "prompt"'],
    [
      "a cycle",
      "steps: [{ name: a, prompt: x, needs: [b] }, { name: b, prompt: y, needs: [a] }]",
      "wait for each other",
    ],
    [
      "a reference to a later step",
      'steps: [{ name: a, prompt: "{steps.b.output}" }, { name: b, prompt: y }]',
      "not done before",
    ],
    ["no YAML", "steps: [", "not YAML"],
    ["an isolation that there is not", "isolation: docker\nsteps: [{ name: a, prompt: x }]", "none, worktree, clone"],
    ["checks without isolation", "isolation: none\nsteps: [{ name: a, prompt: x, checks: [make] }]", "has checks"],
  ])("refuses a file with %s, naming it", async (_what, content, said) => {
    const ran = await place.run(["chain", "submit", file("bad.yaml", content)]);
    expect([ran.exitCode, ran.stderr.includes(said), ran.stdout]).toEqual([2, true, ""]);
  });
});

describe("claude-pool review", () => {
  it("lists what waits, takes feedback for another try, and approves", async () => {
    api.on("first draft", text("draft one")).on("too long", text("draft two"));
    const first = await place.run(["run", "--review", "--json", "Write a first draft"]);
    const { id, state } = JSON.parse(first.stdout) as { readonly id: string; readonly state: string };
    const listed = await place.run(["review", "--json"]);
    const approved = await place.run(["review", "approve", id]);
    const again = await place.run(["review", "approve", id]);
    expect({
      state,
      listed: (JSON.parse(listed.stdout) as { readonly id: string }).id === id,
      approved: approved.stdout,
      again: again.exitCode,
    }).toEqual({ state: "pending_review", listed: true, approved: `${id}  completed\n`, again: 4 });
  });

  it("refuses a rejection without a word of feedback", async () => {
    const ran = await place.run(["review", "reject", "task-000000000000", "-"], { stdin: "  \n" });
    expect([ran.exitCode, ran.stderr.includes("feedback")]).toEqual([2, true]);
  });
});
