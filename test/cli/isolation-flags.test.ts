import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { rig, type Rig } from "./rig.ts";

function place(): Rig {
  const opened = rig();
  onTestFinished(() => opened[Symbol.dispose]());
  return opened;
}

async function submitted(here: Rig, ...flags: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const ran = await here.run(["submit", "--json", ...flags, "x"]);
  const { task_id: id } = JSON.parse(ran.stdout) as { readonly task_id: string };
  return JSON.parse((await here.run(["result", "--json", id])).stdout) as Readonly<Record<string, unknown>>;
}

describe("the flags of isolation", () => {
  it("say where a task works, what proves it done, and how it lands", async () => {
    const flags = ["--isolation", "clone", "--base-ref", "v1", "--check", "make", "--check", "make test"];
    const task = await submitted(place(), ...flags, "--check-retries", "0", "--merge", "auto");
    expect([task.config, task.merge]).toEqual([
      {
        isolation: "clone",
        base_ref: "v1",
        checks: [{ command: "make" }, { command: "make test" }],
        check_retries: 0,
      },
      "auto",
    ]);
  });

  it("have a short form, and a way to ask for no checks", async () => {
    const here = place();
    here.userFile({ checks: ["make"] });
    const task = await submitted(here, "--worktree", "--no-check");
    expect(task.config).toEqual({ isolation: "worktree", checks: [] });
  });

  it("set up a host's tasks", async () => {
    const ran = await place().run(["config", "--json", "--worktree", "--check", "make"]);
    const { settings } = JSON.parse(ran.stdout) as { readonly settings: Record<string, { readonly value: unknown }> };
    expect([settings.isolation?.value, settings.checks?.value]).toEqual(["worktree", [{ command: "make" }]]);
  });

  it.each<readonly [string, readonly string[], string]>([
    ["two kinds", ["--worktree", "--isolation", "clone"], "say two things"],
    ["a kind that there is not", ["--isolation", "docker"], "one of none, worktree, clone"],
    ["an option of git as a base", ["--base-ref=--upload-pack=x"], "does not begin with -"],
    ["a blank check", ["--check", " "], "--check"],
    ["checks in the shared directory", ["--isolation", "none", "--check", "make"], "has checks, but works without"],
    ["a merge from the shared directory", ["--isolation", "none", "--merge", "auto"], "is to be merged by itself"],
    ["a way to merge that there is not", ["--merge", "soon"], "one of manual, auto"],
  ])("refuse %s", async (_what, flags, said) => {
    const ran = await place().run(["submit", ...flags, "x"]);
    expect([ran.exitCode, ran.stderr.includes(said), ran.stdout]).toEqual([2, true, ""]);
  });

  it("that are configured are refused in the shared directory too", async () => {
    const here = place();
    here.userFile({ checks: ["make"] });
    const ran = await here.run(["submit", "--isolation", "none", "x"]);
    expect([ran.exitCode, ran.stderr.includes("give it an empty list of checks")]).toEqual([2, true]);
  });
});

describe("a chain", () => {
  const steps = "steps: [{ name: a, prompt: x }]";

  async function isolationOf(here: Rig, text: string): Promise<unknown> {
    writeFileSync(join(here.project, "chain.yaml"), text);
    const ran = await here.run(["chain", "submit", "--json", join(here.project, "chain.yaml")]);
    const { task_id: id } = JSON.parse(ran.stdout) as { readonly task_id: string };
    const tasks = await here.run(["list", "--json", "--kind", "task", "--limit", "1"]);
    const step = JSON.parse(tasks.stdout) as {
      readonly chain_id: string;
      readonly config: { readonly isolation: string };
    };
    return step.chain_id === id ? step.config.isolation : "none of its steps";
  }

  it("works in a worktree in a repository, else where it stands, unless something says otherwise", async () => {
    const outside = place();
    const inside = place();
    mkdirSync(join(inside.project, ".git"));
    const found = [await isolationOf(outside, steps), await isolationOf(inside, steps)];
    const explicit = await isolationOf(inside, `isolation: none\n${steps}`);
    inside.userFile({ isolation: "clone" });
    const configured = await isolationOf(inside, steps);
    expect([...found, explicit, configured]).toEqual(["none", "worktree", "none", "clone"]);
  });
});
