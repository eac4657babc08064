import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkSkillName,
  inertText,
  overSkillConfig,
  renderSkill,
  renderSkillStep,
  type SkillStep,
} from "../../src/core/skill.ts";

function skill(prompt: string, ...names: readonly string[]): SkillStep {
  return {
    name: "s",
    prompt,
    dir: "/skills/s",
    arguments: names.map((name) => ({ name: name.replace("?", ""), required: !name.endsWith("?") })),
  };
}

describe("a skill's prompt", () => {
  it.each([
    ["{target} and {goal}", { target: "a", goal: "b" }, "a and b"],
    ["$0, then $1.", { target: "a", goal: "b" }, "a, then b."],
    ["$ARGUMENTS", { target: "a", goal: "b" }, "a b"],
    ["$ARGUMENTS[0]|$ARGUMENTS[1]|$ARGUMENTS[2]", { target: "a", goal: "b" }, "a|b|"],
    ["$0 $10 $1", { target: "a", goal: "b" }, "a $10 b"],
    [
      "It costs $5.00, $1.50, $1,000 or $0.5; $7 $1k $ARGUMENTSX $0",
      { target: "a" },
      "It costs $5.00, $1.50, $1,000 or $0.5; $7 $1k $ARGUMENTSX a",
    ],
    [
      "\\$0 \\{target} \\$ARGUMENTS \\${CLAUDE_SKILL_DIR} $0",
      { target: "a" },
      "$0 {target} $ARGUMENTS ${CLAUDE_SKILL_DIR} a",
    ],
    ["{other} {target}", { target: "a" }, "{other} a"],
    ["${CLAUDE_SKILL_DIR}/x {target}", { target: "a" }, "/skills/s/x a"],
    ["Go.", { target: "a", goal: "b" }, "Go.\n\nARGUMENTS: a b"],
    ["Before: {_previous_output}", { target: "a", _previous_output: "p" }, "Before: p\n\nARGUMENTS: a"],
  ])("of %j with %j is %j", (prompt, values, expected) => {
    expect(renderSkill(skill(prompt, "target", "goal?"), values)).toBe(expected);
  });

  it("keeps the positions of what stands behind an optional argument that is missing", () => {
    expect(renderSkill(skill("[$0] [$1] [$2] [{b}] $ARGUMENTS", "a", "b?", "c"), { a: "A", c: "C" })).toBe(
      "[A] [] [C] [] A C",
    );
  });

  it("takes free text by words where no argument is declared, quotes holding some together", () => {
    const text = renderSkill(skill("$0|$1|$2|$ARGUMENTS", "arguments?"), { arguments: `fix "the bug" now` });
    expect(text).toBe(`fix|the bug|now|fix "the bug" now`);
  });

  it("does not take what every object has for a value", () => {
    expect(renderSkill(skill("{constructor}|{toString}", "constructor?", "toString?"), {})).toBe("|");
  });

  it.each([
    [{}, `Skill s needs the argument "target".`],
    [{ target: "" }, `Skill s needs the argument "target".`],
    [{ target: "a", gaol: "b" }, `Skill s has no argument "gaol": it takes target, goal.`],
    [{ target: 5 } as unknown as Record<string, string>, `argument "target" must be text`],
    [{ target: "a", _hidden: "b" }, `Skill s has no argument "_hidden": it takes target, goal.`],
  ])("is refused for the arguments %j", (values, message) => {
    expect(() => renderSkill(skill("x", "target", "goal?"), values)).toThrow(message);
  });
});

const hostile = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        "$0",
        "$1",
        "$10",
        "$ARGUMENTS",
        "$ARGUMENTS[1]",
        "{a}",
        "{b}",
        "${CLAUDE_SKILL_DIR}",
        "!`id`",
        "`",
        "\\",
        "$&",
        "$$",
        "$`",
        "{",
        "}",
        "{_previous_output}",
        " ",
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join("")),
);

describe("any argument", () => {
  it("reaches the prompt as it is, through every kind of placeholder", () => {
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        fc.pre(a !== "");
        const text = renderSkillStep(skill("<{a}|$0|$ARGUMENTS[0]|{b}|$1|$ARGUMENTS>", "a", "b?"), { a, b });
        expect(text).toBe(`<${a}|${a}|${a}|${b}|${b}|${[a, b].filter((value) => value !== "").join(" ")}>`);
      }),
    );
  });

  it("reaches it as it is behind text that a command printed, which stays as it is too", () => {
    fc.assert(
      fc.property(hostile, hostile, (printed, a) => {
        const bare = skill("", "a", "b?");
        const prompt = `${inertText(bare, printed)}\n{a}`;
        expect(renderSkillStep({ ...bare, prompt }, { a })).toBe(`${printed}\n${a}`);
      }),
    );
  });
});

it.each(["", "..", "../x", "a/b", "a\\b", "/etc", "A", ".hidden", "a".repeat(65), "a\0b", "a\n", "-a", "con "])(
  "takes %j for no skill name",
  (name) => {
    expect(() => checkSkillName(name)).toThrow("is no skill name");
  },
);

it("puts a task's own settings over the skill's, and adds up tools and servers", () => {
  const config = {
    model: "opus",
    effort: "low",
    allowedTools: ["Read"],
    disallowedTools: ["Bash"],
    mcpServers: { a: { command: "x" } },
  } as const;
  expect([
    overSkillConfig({ config }, { model: "haiku", allowedTools: ["Edit"], mcpServers: { b: { command: "y" } } }),
    overSkillConfig({ config: { allowedTools: ["Read"] } }, { allowedTools: ["Edit"], allowedToolsMode: "replace" }),
    overSkillConfig({}, { model: "haiku" }),
  ]).toEqual([
    {
      model: "haiku",
      effort: "low",
      allowedTools: ["Read", "Edit"],
      disallowedTools: ["Bash"],
      mcpServers: { a: { command: "x" }, b: { command: "y" } },
    },
    { allowedTools: ["Edit"], allowedToolsMode: "replace" },
    { model: "haiku" },
  ]);
});
