/** Prompts with arguments: one of the project, one that is added at run time, and both in a workflow. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "claude-pool";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.on("Count the notes", text("one note")).on("Translate", text("eine Notiz")).otherwise(text("Understood."));

mkdirSync(join(stage.folder, ".claude-pool/skills/count"), { recursive: true });
writeFileSync(
  join(stage.folder, ".claude-pool/skills/count/SKILL.md"),
  `---
name: count
description: Counts the notes in a file.
metadata:
  arguments: [{ name: file, required: true }]
  config: { max_turns: 5 }
---
Count the notes in {file}.
`,
);
mkdirSync(join(stage.folder, ".claude-pool/workflows"));
writeFileSync(
  join(stage.folder, ".claude-pool/workflows/count_in.yaml"),
  `description: Counts, and says it in another language.
arguments: [{ name: file, required: true }, { name: language, required: true }]
steps:
  - { name: count, skill: count, arguments: { file: "{file}" } }
  - { name: say, skill: translate, arguments: { text: "{previous_output}", language: "{language}" } }
`,
);

await using pool = await openPool(stage.options);
await pool.skills.add({
  name: "translate",
  description: "Translates a text.",
  prompt: "Translate into {language}: {text}",
  arguments: [
    { name: "text", required: true },
    { name: "language", required: true },
  ],
});

for (const { name, source } of await pool.skills.list()) if (source !== "builtin") console.log(name, source);
console.log((await pool.skills.run("count", { file: "notes.md" })).output);

const { steps, finalOutput } = await pool.workflows.run("count_in", { file: "notes.md", language: "German" });
console.log(steps.map((step) => step.name).join(", "), "->", finalOutput);
