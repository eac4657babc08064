/** What every implementation of the `Skills` port keeps; each runs the whole suite. */
import { describe, expect, it } from "vitest";
import type { Skills } from "../../src/core/skills-port.ts";
import type { Skill } from "../../src/core/skill.ts";

/** A place with an empty project, user's folder and built-in folder; files are put by source and path below `skills` or `workflows`. */
export interface SkillsPlace {
  readonly skills: Skills;
  /** Puts a skill's SKILL.md. */
  readonly putSkill: (
    source: "project" | "claude_project" | "user" | "claude_user" | "builtin",
    folder: string,
    text: string,
  ) => string;
  readonly putWorkflow: (source: "project" | "user" | "builtin", file: string, text: string) => string;
  /** The user trusts the project's file as it is now. */
  readonly trust: (path: string) => Promise<void>;
}

const text = (name: string, prompt = "Go."): string => `---\nname: ${name}\ndescription: d\n---\n${prompt}\n`;

export function skillsContract(name: string, open: () => Promise<SkillsPlace>): void {
  describe(`Skills: ${name}`, () => {
    it("takes a skill from the first place that has it, and none that nobody has", async () => {
      const { skills, putSkill } = await open();
      const sources = ["builtin", "claude_user", "user", "claude_project", "project"] as const;
      const seen: unknown[] = [];
      for (const source of sources) {
        putSkill(source, "one", text("one", source));
        const found = await skills.get("one");
        seen.push([found?.skill.source, found?.skill.prompt]);
      }
      expect([seen, await skills.get("two")]).toEqual([sources.map((source) => [source, source]), undefined]);
    });

    it.each([
      ["no front matter", "Go.", "must begin with front matter"],
      ["a front matter without an end", "---\nname: bad\n", "has no end"],
      ["a front matter that is no YAML", "---\nname: [bad\n---\nGo.", "not YAML"],
      ["a front matter that is a list", "---\n- bad\n---\nGo.", "expected fields"],
      ["another name than its folder's", text("other"), `its name is "other", but its folder is "bad"`],
      ["a name that walks out of its folder", text("../bad"), "is no skill name"],
      ["no prompt", "---\nname: bad\n---\n \n", "there is no prompt"],
      [
        "an unknown setting",
        "---\nname: bad\nmetadata:\n  config:\n    modle: opus\n---\nGo.",
        `Did you mean "model"?`,
      ],
      [
        "two arguments of one name",
        "---\nname: bad\nmetadata:\n  arguments: [{name: a}, {name: a}]\n---\nGo.",
        "a name of their own",
      ],
      [
        "aliases that would fill the memory",
        `---\na: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c]\n---\nGo.`,
        "not YAML that can be used",
      ],
      ["a megabyte", text("bad", "x".repeat(1_000_000)), "at most 262144 are read"],
    ])(
      "lists a file with %s with its error beside the others, and runs nothing in its place",
      async (_, broken, message) => {
        const { skills, putSkill } = await open();
        putSkill("project", "bad", broken);
        putSkill("builtin", "bad", text("bad"));
        putSkill("builtin", "good", text("good"));
        const listed = await skills.list();
        await expect(skills.get("bad")).rejects.toMatchObject({
          code: "invalid_skill",
          message: expect.stringContaining(message) as string,
        });
        expect(listed).toEqual([
          { name: "bad", source: "project", error: expect.stringContaining(message) as string },
          expect.objectContaining({ name: "good", source: "builtin" }),
        ]);
      },
    );

    it.each(["..", "../good", "good/..", "/etc/passwd", "a\0b", ""])("refuses to look for %j", async (bad) => {
      const { skills, putSkill } = await open();
      putSkill("project", "good", text("good"));
      const calls = [
        skills.get(bad),
        skills.workflow(bad),
        skills.save(skillOf(bad), "user", true),
        skills.eject(skillOf(bad), "user"),
      ];
      const codes = (await Promise.allSettled(calls)).map((call) =>
        call.status === "rejected" ? (call.reason as { code: string }).code : "none",
      );
      expect(codes).toEqual(["invalid_options", "invalid_options", "invalid_options", "invalid_options"]);
    });

    it("writes a skill that reads back as it was, and replaces none unasked", async () => {
      const { skills } = await open();
      const skill = skillOf("mine");
      await skills.save(skill, "project", false);
      const again = await Promise.allSettled([skills.save({ ...skill, prompt: "Other." }, "project", false)]);
      const { dir: _, ...kept } = (await skills.get("mine"))?.skill ?? skill;
      await skills.save({ ...skill, prompt: "Other." }, "project", true);
      expect([kept, again, (await skills.get("mine"))?.skill.prompt]).toEqual([
        { ...skill, source: "project" },
        [{ status: "rejected", reason: expect.objectContaining({ code: "skill_exists" }) as unknown }],
        "Other.",
      ]);
    });

    it("copies a built-in skill to be changed, once", async () => {
      const { skills, putSkill } = await open();
      putSkill("builtin", "one", text("one"));
      const builtin = (await skills.get("one"))?.skill as Skill;
      await skills.eject(builtin, "project");
      const again = await Promise.allSettled([skills.eject(builtin, "project")]);
      expect([(await skills.get("one"))?.skill.source, again]).toEqual([
        "project",
        [{ status: "rejected", reason: expect.objectContaining({ code: "skill_exists" }) as unknown }],
      ]);
    });

    it("says of the project's files alone what needs trust, and trusts the very text that was trusted", async () => {
      const { skills, putSkill, putWorkflow, trust } = await open();
      const risky = "---\nname: risky\nallowed-tools: Bash(git add:*), Read\n---\nSee !`git log`.\n";
      const path = putSkill("project", "risky", risky);
      putSkill("user", "own", risky.replace("risky", "own"));
      const flow = putWorkflow(
        "project",
        "flow.yaml",
        "steps:\n  - {name: a, prompt: p, permission_mode: bypassPermissions}\n",
      );
      const before = (await skills.restricted()).map((file) => [file.path, file.needs, file.isTrusted]);
      await trust(path);
      const after = (await skills.get("risky"))?.isTrusted;
      putSkill("project", "risky", risky.replace("log", "log; id"));
      expect([before, after, (await skills.get("risky"))?.isTrusted, (await skills.get("own"))?.isTrusted]).toEqual([
        [
          [path, ['command "git log"', "allowed_tools Bash(git add:*), Read"], false],
          [flow, ["step a: permission_mode bypassPermissions"], false],
        ],
        true,
        false,
        true,
      ]);
    });

    it.each([
      ["no steps", "description: d\n", "steps"],
      ["a reference to no step", "steps:\n  - {name: a, prompt: '{steps.b.output}'}\n", "names no step of this chain"],
      ["another name", "name: other\nsteps: [{name: a, prompt: p}]\n", `its name is "other"`],
    ])("lists a workflow with %s with its error", async (_, broken, message) => {
      const { skills, putWorkflow } = await open();
      putWorkflow("user", "bad.yaml", broken);
      putWorkflow("builtin", "good.json", '{"steps":[{"name":"a","prompt":"p"}]}');
      expect(await skills.workflows()).toEqual([
        { name: "bad", source: "user", error: expect.stringContaining(message) as string },
        { name: "good", description: "", arguments: [], options: {}, source: "builtin" },
      ]);
    });
  });
}

/** A skill with everything that a file can hold. */
export function skillOf(name: string): Skill {
  return {
    name,
    description: 'What: "it" does\n--- \nand when',
    prompt: "Do {target}.\n\n---\n\n  indented, with $1 and `code`",
    arguments: [
      { name: "target", description: "what", required: true },
      { name: "goal", required: false },
    ],
    config: {
      model: "opus",
      permissionMode: "acceptEdits",
      allowedTools: ["Bash(git add:*, git log)", "Read"],
      mcpServers: { one_two: { command: "x", args: ["Y"] } },
      jsonSchema: { type: "object", properties: { camelCase: { type: "string" } } },
      maxBudgetUsd: 0.5,
    },
    scope: "chain",
    argumentHint: "[target] [goal]",
    frontMatter: { license: "MIT", "disable-model-invocation": true, metadata: { author: "me", aB: { cD: 1 } } },
    source: "runtime",
  };
}
