/** Skills and workflows at the program, with the real Claude CLI on a scripted model. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Call } from "../../src/cli/call.ts";
import { program } from "../../src/cli/program.ts";
import { startScriptedApi, text, type ScriptedApi } from "../../src/testing/index.ts";
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

const greet = `---
name: greet
description: Greets somebody.
allowed-tools: Read
metadata:
  arguments: [{name: who, required: true}, {name: how}]
  config: {max_turns: 3, model: haiku}
---
Greet {who}, {how}: $1
`;

function put(path: string, content: string): void {
  const folder = join(place.project, path, "..");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(place.project, path), content);
}

describe("claude-pool skill", () => {
  it("runs a skill with its arguments, its settings under the flags", async () => {
    api.on("Greet Ann", text("Hello Ann."));
    await place.run(["skill", "add", "-"], { stdin: greet });
    const ran = await place.run([
      "skill",
      "run",
      "greet",
      "--arg",
      "who=Ann",
      "--arg",
      "how=$0 {who}",
      "--model",
      "sonnet",
      "--json",
    ]);
    const record = JSON.parse(ran.stdout) as Record<string, unknown>;
    const plain = await place.run(["skill", "run", "greet", "Ann", "loudly"]);
    expect([ran.exitCode, record.prompt, record.config, plain.exitCode, plain.stdout]).toEqual([
      0,
      "Greet Ann, $0 {who}: $0 {who}",
      { max_turns: 3, model: "sonnet", allowed_tools: ["Read"] },
      0,
      "Hello Ann.\n",
    ]);
  });

  it("adds, lists, shows, saves, ejects and removes", async () => {
    put("draft/SKILL.md", greet);
    put(".claude-pool/skills/broken/SKILL.md", "nothing");
    const added = await place.run(["skill", "add", "draft"]);
    const listed = await place.run(["skill", "list", "--json"]);
    const lines = listed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { name: string; source: string; error?: string });
    const saved = await place.run(["skill", "save", "greet"]);
    const shown = await place.run(["skill", "show", "greet"]);
    const ejected = await place.run(["skill", "eject", "code_review", "--to", "user"]);
    const gone = await place.run(["skill", "remove", "greet"]);
    const again = await place.run(["skill", "eject", "code_review", "--to", "user"]);
    const file = join(place.project, ".claude-pool/skills/greet/SKILL.md");
    expect([
      added.stdout,
      lines
        .filter(({ name }) => name === "greet" || name === "broken")
        .map(({ name, source, error }) => [name, source, error !== undefined]),
      lines.length,
      saved.stdout,
      shown.stdout,
      ejected.stdout,
      [gone.exitCode, again.exitCode],
    ]).toEqual([
      "greet\n",
      [
        ["broken", "project", true],
        ["greet", "runtime", false],
      ],
      17,
      `${file}\n`,
      "Greet {who}, {how}: $1\n",
      `${join(place.poolHome, "skills/code_review/SKILL.md")}\n`,
      [4, 4],
    ]);
  });

  it.each([
    [["show", "grete"], 4, "Did you mean"],
    [["run", "../greet"], 2, "is no skill name"],
    [["run", "greet"], 2, `needs the argument "who"`],
    [["run", "greet", "--arg", "whom=x"], 2, `has no argument "whom"`],
    [["run", "greet", "--arg", "who"], 2, "expected name=value"],
    [["run", "greet", "Ann", "--arg", "who=x"], 2, "give one of them"],
    [["run", "broken"], 2, "must begin with front matter"],
    [["save", "greet", "--to", "elsewhere"], 2, "expected project or user"],
    [["add", "missing.md"], 2, "Cannot read"],
  ])("%j ends with %i and says why", async (argv, exitCode, said) => {
    put(".claude-pool/skills/broken/SKILL.md", "nothing");
    await place.run(["skill", "add", "-"], { stdin: greet });
    const ran = await place.run(["skill", ...argv]);
    expect([ran.exitCode, ran.stderr.includes(said), ran.stdout]).toEqual([exitCode, true, ""]);
  });

  it("runs a project's skill that needs trust only after `trust`, until it is revoked or changed", async () => {
    api.on("Greet Ann", text("Hello Ann."));
    const path = ".claude/skills/greet/SKILL.md";
    put(path, greet.replace("Greet {who}", "Greet {who} !`echo from here`"));
    const settings = JSON.parse(readFileSync(join(place.poolHome, "claude-pool.json"), "utf8")) as object;
    place.userFile({ ...settings, skill_commands: true });
    const run = (): ReturnType<Rig["run"]> => place.run(["skill", "run", "greet", "Ann", "--json"]);
    const before = await run();
    const trusted = await place.run(["trust"]);
    const after = await run();
    await place.run(["trust", "--revoke"]);
    const revoked = await run();
    expect([
      [before.exitCode, before.stderr.includes("only a trusted project may set")],
      trusted.stdout,
      (JSON.parse(after.stdout) as { prompt: string }).prompt,
      revoked.exitCode,
    ]).toEqual([[2, true], 'command "echo from here"\nallowed_tools Read\n', "Greet Ann from here, : ", 2]);
  });

  it("refuses a project's file that switches commands on by itself", async () => {
    place.projectFile({ skill_commands: true });
    const ran = await place.run(["skill", "list"]);
    expect([ran.exitCode, ran.stderr.includes("skill_commands")]).toEqual([2, true]);
  });
});

describe("claude-pool workflow", () => {
  it("lists, shows, runs and submits a chain with arguments", async () => {
    api.on("Find x.ts", text("one bug"));
    api.on("Mend one bug in x.ts", text("mended"));
    const steps = [
      { name: "find", prompt: "Find {file}" },
      { name: "mend", prompt: "Mend {previous_output} in {file}" },
    ];
    put(
      ".claude-pool/workflows/mend.json",
      JSON.stringify({ description: "Mends.", arguments: [{ name: "file", required: true }], steps }),
    );
    const listed = await place.run(["workflow", "list"]);
    const shown = await place.run(["workflow", "show", "mend", "--json"]);
    const ran = await place.run(["workflow", "run", "mend", "x.ts"]);
    const submitted = await place.run(["workflow", "submit", "mend", "--arg", "file=x.ts", "--json"]);
    const unknown = await place.run(["workflow", "run", "mned", "x.ts"]);
    expect([
      listed.stdout
        .split("\n")
        .find((line) => line.startsWith("mend"))
        ?.split(/ +/),
      (JSON.parse(shown.stdout) as { steps: unknown }).steps,
      [ran.exitCode, ran.stdout],
      typeof (JSON.parse(submitted.stdout) as { task_id: unknown }).task_id,
      [unknown.exitCode, unknown.stderr.includes(`Did you mean "mend"?`)],
    ]).toEqual([["mend", "project", "file", "Mends."], steps, [0, "mended\n"], "string", [4, true]]);
  });
});

it("lets a second process of the pool see a skill that another added at run time", async () => {
  put("draft/SKILL.md", greet);
  const other = await place.spawn(["skill", "add", "draft"]).ran;
  const shown = await place.run(["skill", "show", "greet", "--json"]);
  expect([other.exitCode, (JSON.parse(shown.stdout) as { source: string }).source]).toEqual([0, "runtime"]);
});

it("names only commands and flags in the built-in skills that there are", () => {
  const { skills, call } = builtins();
  const unknown = skills.flatMap(({ name, text }) =>
    [...text.matchAll(/`claude-pool ([^`]+)`/g)]
      .map((match) => match[1] ?? "")
      .filter((line) => !exists(call, line))
      .map((line) => `${name}: ${line}`),
  );
  expect([skills.length, unknown]).toEqual([15, []]);
});

function builtins() {
  const folder = new URL("../../skills/", import.meta.url);
  const skills = readdirSync(folder).map((name) => ({
    name,
    text: readFileSync(new URL(`${name}/SKILL.md`, folder), "utf8"),
  }));
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdout, stderr, stdin: new PassThrough(), env: {}, cwd: "/", onInterrupt: () => () => undefined };
  return { skills, call: program(new Call(io)) };
}

/** Is this a command with such flags? Only its first words are the command. */
function exists(root: Command, line: string): boolean {
  let command = root;
  for (const word of line.split(" ")) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
  }
  const flags = [...line.matchAll(/--[a-z-]+/g)].map(([flag]) => flag);
  return command !== root && flags.every((flag) => command.options.some((option) => option.long === flag));
}
