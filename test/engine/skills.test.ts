import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { openPool } from "../../src/open-pool.ts";
import type { Pool } from "../../src/pool.ts";
import { scriptedRunner, type ScriptedRunner } from "../../src/testing/scripted-runner.ts";
import { tempFolder } from "../records/temp-store.ts";

interface Place {
  readonly root: string;
  readonly work: string;
  readonly runner: ScriptedRunner;
  open(options?: OpenPoolOptions): Promise<Pool>;
  put(path: string, text: string): string;
  trust(path: string): void;
}

/** A project and a user's folders of their own. */
async function place(): Promise<Place> {
  const root = await tempFolder();
  const work = join(root, "work");
  mkdirSync(work);
  const runner = scriptedRunner();
  const homes = { pool: join(root, "pools"), claude: join(root, "claude") };
  const put = (path: string, text: string): string => {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  };
  return {
    root,
    work,
    runner,
    put,
    trust: (path) => {
      const fingerprint = createHash("sha256").update(readFileSync(path)).digest("hex");
      put("pools/trusted.json", JSON.stringify({ [path]: fingerprint }));
    },
    async open(options = {}) {
      const pool = await openPool({ cwd: work, store: join(root, "pool.db"), runner, homes, ...options });
      onTestFinished(() => pool.close());
      return pool;
    },
  };
}

const greet = `---
name: greet
description: Greets somebody.
metadata:
  arguments: [{name: who, required: true}, {name: how}]
  config: {model: haiku, max_turns: 3}
---
Greet {who}. How: "$1". All: $ARGUMENTS
`;

async function codesOf(calls: readonly Promise<unknown>[]): Promise<readonly string[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((one) => (one.status === "rejected" ? (one.reason as { code: string }).code : "none"));
}

describe("a skill", () => {
  it("runs as an ordinary task with its arguments, its settings under the task's own", async () => {
    const here = await place();
    here.put("work/.claude-pool/skills/greet/SKILL.md", greet);
    const pool = await here.open();
    const task = await pool.skills.submit("greet", { who: "{how} $1" }, { maxTurns: 5, tags: ["t"] });
    const outcome = await task.outcome();
    const record = await pool.get(task.id);
    expect([outcome.state, record.prompt, record.config, record.tags]).toEqual([
      "completed",
      'Greet {how} $1. How: "". All: {how} $1',
      { model: "haiku", maxTurns: 5 },
      ["t"],
    ]);
  });

  it("takes its arguments in their order, too", async () => {
    const here = await place();
    here.put("pools/skills/greet/SKILL.md", greet);
    const pool = await here.open({ slots: 0 });
    const spec = await pool.skills.spec("greet", ["Ann", "loudly"]);
    expect([
      spec.prompt,
      await codesOf([pool.skills.spec("greet", ["a", "b", "c"]), pool.skills.spec("greet", [])]),
    ]).toEqual(['Greet Ann. How: "loudly". All: Ann loudly', ["invalid_options", "invalid_options"]]);
  });

  it("is refused before anything runs when it is unknown, broken, badly named or lacks an argument", async () => {
    const here = await place();
    here.put("work/.claude-pool/skills/bad/SKILL.md", "no front matter");
    here.put("pools/skills/greet/SKILL.md", greet);
    const pool = await here.open({ slots: 0 });
    const calls = [
      pool.skills.submit("gret"),
      pool.skills.submit("bad"),
      pool.skills.submit("../greet"),
      pool.skills.submit("greet", { who: "a", loud: "b" }),
      pool.submitChain([{ name: "one", skill: "nobody" }]),
      pool.submitChain([{ name: "one", skill: "greet", arguments: { whom: "x" } }]),
      pool.skills.remove("../x"),
      pool.skills.save("../x"),
      pool.skills.add({ name: "../x", description: "d", prompt: "p" }),
      pool.skills.add({ name: "big", description: "d", prompt: "x".repeat(1_000_000) }),
      pool.skills.add("nothing"),
      pool.skills.add(greet + "x".repeat(1_000_000)),
    ];
    expect([await codesOf(calls), (await pool.list()).tasks]).toEqual([
      [
        "skill_not_found",
        "invalid_skill",
        "invalid_options",
        "invalid_options",
        "skill_not_found",
        "invalid_options",
        "invalid_options",
        "invalid_options",
        "invalid_options",
        "invalid_options",
        "invalid_skill",
        "invalid_skill",
      ],
      [],
    ]);
  });

  it("that is added at run time is seen by another process of the pool, wins over files, and is gone when removed", async () => {
    const here = await place();
    here.put("pools/skills/greet/SKILL.md", greet);
    const [one, two] = [await here.open({ slots: 0 }), await here.open()];
    await one.skills.add(greet.replace("Greet {", "Hail {"));
    const seen = await two.skills.get("greet");
    const spec = await two.skills.spec("greet", { who: "Ann" });
    const removed = [await two.skills.remove("greet"), await two.skills.remove("greet")];
    expect([seen.source, spec.prompt, removed, (await one.skills.get("greet")).source]).toEqual([
      "runtime",
      'Hail Ann. How: "". All: Ann',
      [true, false],
      "user",
    ]);
  });

  it("that was added at run time can be saved, and then lives in the project's folder alone", async () => {
    const here = await place();
    const pool = await here.open({ slots: 0 });
    const added = await pool.skills.add(greet);
    const path = await pool.skills.save("greet");
    const { dir, ...kept } = await pool.skills.get("greet");
    const folder = join(here.work, ".claude-pool", "skills", "greet");
    expect([path, dir, kept, readdirSync(folder), await codesOf([pool.skills.save("greet")])]).toEqual([
      join(folder, "SKILL.md"),
      folder,
      { ...added, source: "project" },
      ["SKILL.md"],
      ["skill_not_found"],
    ]);
  });

  it("that is built in can be ejected, changed, and wins then", async () => {
    const here = await place();
    const pool = await here.open({ slots: 0 });
    const path = await pool.skills.eject("code_review");
    writeFileSync(
      path,
      readFileSync(path, "utf8")
        .replace("Review this", "Judge this")
        .replace(/^allowed-tools.*\n/m, ""),
    );
    const spec = await pool.skills.spec("code_review", { target: "a.ts" });
    expect([spec.prompt.startsWith("Judge this"), await codesOf([pool.skills.eject("code_review")])]).toEqual([
      true,
      ["skill_exists"],
    ]);
  });

  it("has the same settings as a step of a chain, and what came before as {_previous_output}", async () => {
    const here = await place();
    here.put("pools/skills/greet/SKILL.md", greet.replace("All: $ARGUMENTS", "Before: {_previous_output}"));
    const pool = await here.open();
    const steps = [
      { name: "one", prompt: "one {{previous_output}}" },
      { name: "two", skill: "greet", arguments: { who: "{previous_output}" }, maxTurns: 9 },
    ];
    const chain = await pool.submitChain(steps);
    await chain.outcome();
    const [two] = (await pool.list()).tasks.filter((task) => task.step === 1);
    const [one] = (await pool.list()).tasks.filter((task) => task.step === 0);
    const said = one?.result?.output ?? "";
    expect([two?.prompt, two?.config]).toEqual([
      `Greet ${said}. How: "". Before: ${said}`,
      { model: "haiku", maxTurns: 9, isolation: "none" },
    ]);
  });
});

describe("commands inside a skill", () => {
  const withCommand = (command: string, more = ""): string =>
    `---\nname: look\ndescription: d\n${more}metadata:\n  arguments: [{name: x}]\n---\nSee !\`${command}\` for {x}.\n`;

  it("run where the user's own skill is, on the template before any argument, in the task's directory", async () => {
    const here = await place();
    here.put("work/sub/file.txt", "");
    here.put(
      "pools/skills/look/SKILL.md",
      withCommand("ls; printf '\\173x} \\044ARGUMENTS \\0440 \\140id\\140'; echo $CLAUDE_SKILL_DIR"),
    );
    const pool = await here.open({ slots: 0, skillCommands: true });
    const spec = await pool.skills.spec("look", { x: "!`touch hacked`; $(touch hacked)" }, { cwd: "sub" });
    expect([spec.prompt, readdirSync(join(here.work, "sub"))]).toEqual([
      `See file.txt\n{x} $ARGUMENTS $0 \`id\`${join(here.root, "pools/skills/look")} for !\`touch hacked\`; $(touch hacked).`,
      ["file.txt"],
    ]);
  });

  it.each([
    ["they are not enabled", "pools", {}, "skill_commands_off"],
    ["the project is not trusted", "work/.claude-pool", { skillCommands: true }, "untrusted_config"],
    ["Claude's part of the project is not trusted", "work/.claude", { skillCommands: true }, "untrusted_config"],
  ] as const)("are refused, not dropped, when %s", async (_, folder, options, code) => {
    const here = await place();
    here.put(`${folder}/skills/look/SKILL.md`, withCommand("touch ran"));
    const pool = await here.open({ slots: 0, ...options });
    const steps = [{ name: "a", skill: "look" }];
    expect([
      await codesOf([pool.skills.submit("look"), pool.submitChain(steps)]),
      (await pool.list()).tasks,
      readdirSync(here.work).includes("ran"),
    ]).toEqual([[code, code], [], false]);
  });

  it("run for a project's skill as the user has read it, and no longer when it changes", async () => {
    const here = await place();
    const path = here.put("work/.claude-pool/skills/look/SKILL.md", withCommand("echo hi"));
    const pool = await here.open({ slots: 0, skillCommands: true });
    here.trust(path);
    const { prompt } = await pool.skills.spec("look", { x: "y" });
    here.put("work/.claude-pool/skills/look/SKILL.md", withCommand("echo ho"));
    expect([prompt, await codesOf([pool.skills.spec("look")])]).toEqual(["See hi for y.", ["untrusted_config"]]);
  });

  it("are refused in a skill that was added at run time", async () => {
    const here = await place();
    const pool = await here.open({ slots: 0, skillCommands: true });
    await pool.skills.add(withCommand("id"));
    expect(await codesOf([pool.skills.spec("look")])).toEqual(["skill_commands_off"]);
  });

  it.each([
    ["ends badly", "echo no >&2; exit 3", "skill_command_failed", "it ended with code 3. no"],
    ["would want an argument", "cat {x}", "invalid_skill", "holds {x}"],
    ["would want all arguments", "cat $ARGUMENTS", "invalid_skill", "holds $ARGUMENTS"],
    [
      "makes a placeholder with the text behind it",
      "printf '\\173'`x} !`echo",
      "skill_command_failed",
      "would make a placeholder",
    ],
  ])("fail the submission with a clear error when one %s", async (_, command, code, message) => {
    const here = await place();
    here.put("pools/skills/look/SKILL.md", withCommand(command));
    const pool = await here.open({ slots: 0, skillCommands: true });
    await expect(pool.skills.spec("look", { x: "a" })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe("a workflow", () => {
  const flow = `description: d
arguments: [{name: what, required: true}]
priority: 3
steps:
  - {name: one, prompt: "Do {what}"}
  - {name: two, prompt: "Check {previous_output} of {what}"}
`;

  it("runs as a chain with its arguments, which are text whatever they hold", async () => {
    const here = await place();
    here.put("work/.claude-pool/workflows/flow.yaml", flow);
    const pool = await here.open();
    const result = await pool.workflows.run("flow", { what: "{previous_output} {steps.x.y}" });
    const tasks = (await pool.list({ order: "oldest" })).tasks.filter((task) => task.kind === "task");
    expect([result.success, tasks.map((task) => [task.prompt, task.priority])]).toEqual([
      true,
      [
        ["Do {previous_output} {steps.x.y}", 3],
        [`Check ${result.steps[0]?.output ?? ""} of {previous_output} {steps.x.y}`, 3],
      ],
    ]);
  });

  it("is refused before anything runs when it is unknown, badly named, lacks an argument or is not trusted", async () => {
    const here = await place();
    here.put("pools/workflows/flow.yaml", flow);
    here.put("work/.claude-pool/workflows/risky.yaml", "steps: [{name: a, prompt: p, allowed_tools: [Bash]}]\n");
    const pool = await here.open({ slots: 0 });
    const calls = [
      pool.workflows.submit("flwo"),
      pool.workflows.submit("../flow"),
      pool.workflows.submit("flow"),
      pool.workflows.submit("flow", { what: "x", why: "y" }),
      pool.workflows.submit("risky"),
    ];
    expect([await codesOf(calls), (await pool.list()).tasks]).toEqual([
      ["workflow_not_found", "invalid_options", "invalid_options", "invalid_options", "untrusted_config"],
      [],
    ]);
  });

  it("that is built in makes a chain that is admitted, with the built-in skills", async () => {
    const here = await place();
    const pool = await here.open({ slots: 0 });
    const listed = await pool.workflows.list();
    for (const { name, arguments: list = [] } of listed) {
      await pool.workflows.submit(name, Object.fromEntries(list.map((argument) => [argument.name, "x"])));
    }
    expect([listed.map(({ name, error }) => [name, error]), (await pool.listChains()).length]).toEqual([
      [
        ["issue_to_pr", undefined],
        ["refactor_and_test", undefined],
        ["review_and_fix", undefined],
      ],
      3,
    ]);
  });
});

it("brings the built-in skills, each with a description and arguments that its prompt uses", async () => {
  const here = await place();
  const pool = await here.open({ slots: 0 });
  const listed = await pool.skills.list();
  const unused: string[] = [];
  for (const { name, arguments: list = [] } of listed) {
    const skill = await pool.skills.resolve(name);
    for (const argument of list)
      if (!skill.prompt.includes(`{${argument.name}}`)) unused.push(`${name}: ${argument.name}`);
  }
  expect([listed.map(({ name, scope, error }) => [name, scope, error]), unused]).toEqual([
    [
      ["chain_implement_issue", "chain", undefined],
      ["chain_watcher", "coordinator", undefined],
      ["code_review", "task", undefined],
      ["create_pr", "task", undefined],
      ["implement", "task", undefined],
      ["issue_triage", "coordinator", undefined],
      ["issue_watcher", "coordinator", undefined],
      ["loop_monitor", "coordinator", undefined],
      ["plan_then_execute", "chain", undefined],
      ["pool_dashboard", "coordinator", undefined],
      ["pre_push", "task", undefined],
      ["rebase_onto_main", "task", undefined],
      ["refactor", "task", undefined],
      ["summarize", "task", undefined],
      ["write_tests", "task", undefined],
    ],
    [],
  ]);
});
