import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSkillText, skillOf, writeSkillText, type SkillText } from "../../src/skills/skill-file.ts";
import { parseSkillDefinition } from "../../src/schema/skill.ts";

describe("a SKILL.md", () => {
  it("of the standard keeps what the pool does not know, and takes what Claude Code's own keys say", () => {
    const text = `---
name: pdf-forms
description: >
  Fills forms. Use it for "PDF" --- with
  fields.
license: Apache-2.0
compatibility: Requires Python 3.11+
metadata:
  author: example-org
  version: "1.0"
allowed-tools: Bash(python3:*) Read, Bash(git add:*)
argument-hint: "[file]"
model: opus
disable-model-invocation: true
---

# Forms

Fill $0.
`;
    expect(parseSkillText(text, "SKILL.md", "pdf-forms")).toEqual({
      name: "pdf-forms",
      description: 'Fills forms. Use it for "PDF" --- with fields.',
      prompt: "# Forms\n\nFill $0.",
      arguments: [{ name: "arguments", description: "[file]", required: false }],
      config: { model: "opus", allowedTools: ["Bash(python3:*)", "Read", "Bash(git add:*)"] },
      scope: "task",
      argumentHint: "[file]",
      frontMatter: {
        license: "Apache-2.0",
        compatibility: "Requires Python 3.11+",
        model: "opus",
        "disable-model-invocation": true,
        metadata: { author: "example-org", version: "1.0" },
      },
    });
  });

  it("of the pool has its arguments and settings in the metadata; allowed-tools win over those", () => {
    const text = `---
name: s
description: d
allowed-tools: [Read]
metadata:
  scope: chain
  arguments: [{name: a, description: x, required: true}, {name: b}]
  config: {permission_mode: acceptEdits, allowed_tools: [Bash], mcp_servers: {my_Server: {command: x}}}
---
Go.
`;
    expect(parseSkillText(text, "SKILL.md")).toEqual({
      name: "s",
      description: "d",
      prompt: "Go.",
      arguments: [
        { name: "a", description: "x", required: true },
        { name: "b", required: false },
      ],
      config: { permissionMode: "acceptEdits", allowedTools: ["Read"], mcpServers: { my_Server: { command: "x" } } },
      scope: "chain",
    });
  });

  it.each([
    [
      "a byte order mark and Windows' line ends",
      "\uFEFF---\r\nname: s\r\ndescription: d\r\n---\r\n\r\nOne\r\nTwo\r\n",
      "One\nTwo",
    ],
    [
      "dashes inside values and below",
      "---\nname: s\ndescription: a --- b\nx: |\n  ---\n  y\n--- \nOne\n---\nTwo",
      "One\n---\nTwo",
    ],
    ["no name and no description", "---\nlicense: MIT\n---\nOne\nTwo", "One\nTwo"],
  ])("with %s is read", (_, text, prompt) => {
    expect(parseSkillText(text, "SKILL.md", "s").prompt).toBe(prompt);
  });

  it("reads back as it was written", () => {
    const line = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((text) => text.trim() !== "" && !text.includes("\0"));
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,10}$/);
    const definition = fc.record(
      {
        name,
        description: line,
        prompt: fc
          .array(fc.oneof(line, fc.constantFrom("---", "", "  x", "$1 {a}", "!`id`")), { minLength: 1 })
          .map((lines) => `p${lines.join("\n")}`),
        arguments: fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), required: fc.boolean() }), {
          selector: (one) => one.name,
        }),
        config: fc.record(
          {
            model: fc.constantFrom("opus", "haiku"),
            allowedTools: fc.array(fc.oneof(line, fc.constantFrom("Bash(git add:*, ls)", "a, b", "x y")), {
              minLength: 1,
            }),
            maxTurns: fc.integer({ min: 1, max: 99 }),
            systemPrompt: line,
          },
          { requiredKeys: ["maxTurns"] },
        ),
        scope: fc.constantFrom("task" as const, "chain" as const, "coordinator" as const),
        argumentHint: line,
        frontMatter: fc
          .dictionary(fc.stringMatching(/^[a-z]{9,12}$/), fc.oneof(line, fc.boolean(), fc.integer()))
          .map((fields) => ({ licence: "MIT", ...fields })),
      },
      { requiredKeys: ["name", "description", "prompt", "arguments", "scope"] },
    );
    fc.assert(
      fc.property(definition, (given) => {
        const skill: SkillText = skillOf(parseSkillDefinition(given));
        expect(parseSkillText(writeSkillText(skill), "SKILL.md", skill.name)).toEqual(skill);
      }),
    );
  });
});
