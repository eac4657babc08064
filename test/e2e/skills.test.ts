import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { text, toolUse } from "../../src/testing/index.ts";
import { place, realPool } from "./real-pool.ts";

const note = (folder: string): string => `---
name: note
description: Writes a note.
metadata:
  arguments: [{name: file, required: true}, {name: words}]
  config: {permission_mode: acceptEdits, model: haiku, max_turns: 4}
---
Write {words} into {file}. See ${folder}
`;

/** Which models the CLI asked for prompts with this text. */
function modelsAsked(requests: readonly { readonly body: unknown }[], said: string): readonly string[] {
  const asked = requests.filter(({ body }) => JSON.stringify(body ?? null).includes(said));
  return [
    ...new Set(asked.map(({ body }) => ((body as { model: string }).model.includes("haiku") ? "haiku" : "another"))),
  ];
}

test("a skill of the project runs on the real CLI with its arguments and settings, alone and as a step of a chain", async () => {
  const here = await place();
  const [alone, chained] = [join(here.work, "alone.txt"), join(here.work, "chained.txt")];
  mkdirSync(join(here.work, ".claude-pool/skills/note"), { recursive: true });
  writeFileSync(join(here.work, ".claude-pool/skills/note/SKILL.md"), note("${CLAUDE_SKILL_DIR}/x"));
  here.api.on("Write $0 {file} !`id`", toolUse("Write", { file_path: alone, content: "a" }), text("wrote one"));
  here.api.on("Find the words", text("{words} $1 {steps.a.output}"));
  here.api.on("Write {words} $1", toolUse("Write", { file_path: chained, content: "c" }), text("wrote two"));
  const pool = await realPool(here, { permissionMode: "plan" });
  const one = await pool.skills.run("note", { file: "alone.txt", words: "$0 {file} !`id`" });
  const chain = await pool.runChain([
    { name: "a", prompt: "Find the words" },
    { name: "b", skill: "note", arguments: { file: "chained.txt", words: "{previous_output}" } },
  ]);
  const tasks = (await pool.list({ order: "oldest" })).tasks.filter((task) => task.kind === "task");
  expect({
    outputs: [one.output, chain.finalOutput],
    files: [readFileSync(alone, "utf8"), readFileSync(chained, "utf8")],
    prompts: [tasks[0]?.prompt, tasks[2]?.prompt],
    models: [modelsAsked(here.api.requests, "into alone.txt"), modelsAsked(here.api.requests, "into chained.txt")],
    modes: [one.permissionMode, tasks[2]?.result?.permissionMode],
  }).toEqual({
    outputs: ["wrote one", "wrote two"],
    files: ["a", "c"],
    prompts: [
      `Write $0 {file} !\`id\` into alone.txt. See ${join(here.work, ".claude-pool/skills/note/x")}`,
      `Write {words} $1 {steps.a.output} into chained.txt. See ${join(here.work, ".claude-pool/skills/note/x")}`,
    ],
    models: [["haiku"], ["haiku"]],
    modes: ["acceptEdits", "acceptEdits"],
  });
});
