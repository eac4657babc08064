import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { homesOf, openSkills } from "../../src/open-skills.ts";
import { skillOf } from "../contract/skills.ts";
import { tempFolder } from "../records/temp-store.ts";

const text = (name: string): string => `---\nname: ${name}\ndescription: d\n---\nGo.\n`;

async function root(): Promise<string> {
  return realpathSync(await tempFolder());
}

function put(path: string, content: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe("the skills of a directory", () => {
  it("are those on the way up to the top of its repository, the nearest first, and none above it", async () => {
    const top = await root();
    const repository = join(top, "repository");
    const below = join(repository, "a/b");
    mkdirSync(join(repository, ".git"), { recursive: true });
    put(join(top, ".claude-pool/skills/above/SKILL.md"), text("above"));
    put(join(repository, ".claude-pool/skills/one/SKILL.md"), text("one"));
    put(join(repository, ".claude-pool/skills/two/SKILL.md"), text("two"));
    const near = put(join(below, ".claude-pool/skills/one/SKILL.md"), text("one"));
    const skills = openSkills(below, { pool: join(top, "pool"), claude: join(top, "claude") });
    const saved = await skills.save({ ...skillOf("three") }, "project", false);
    expect([
      (await skills.get("one"))?.path,
      (await skills.get("two"))?.path,
      await skills.get("above"),
      saved,
    ]).toEqual([
      near,
      join(repository, ".claude-pool/skills/two/SKILL.md"),
      undefined,
      join(repository, ".claude-pool/skills/three/SKILL.md"),
    ]);
  });

  it("are the user's own where the directory is the user's home", async () => {
    const home = await root();
    put(join(home, ".claude-pool/skills/one/SKILL.md"), text("one"));
    put(join(home, ".claude/skills/two/SKILL.md"), text("two"));
    put(join(home, ".claude-pool/workflows/three.yaml"), "steps: [{name: a, prompt: p}]");
    const skills = openSkills(home, homesOf({ HOME: home }));
    const found = [await skills.get("one"), await skills.get("two")].map((one) => [one?.skill.source, one?.isTrusted]);
    expect([found, (await skills.workflow("three"))?.workflow.source]).toEqual([
      [
        ["user", true],
        ["claude_user", true],
      ],
      "user",
    ]);
  });

  it("are written nowhere but in the folder that was named, where a link leads out of it", async () => {
    const top = await root();
    const [project, outside] = [join(top, "project"), join(top, "outside")];
    for (const folder of [join(project, ".claude-pool"), outside]) mkdirSync(folder, { recursive: true });
    symlinkSync(outside, join(project, ".claude-pool/skills"));
    const skills = openSkills(project, { pool: join(top, "pool"), claude: join(top, "claude") });
    const builtin = (await skills.get("code_review"))?.skill ?? skillOf("x");
    const codes = await Promise.allSettled([
      skills.save(skillOf("one"), "project", true),
      skills.eject(builtin, "project"),
    ]);
    const refused = { status: "rejected", reason: expect.objectContaining({ code: "invalid_options" }) as unknown };
    expect([codes, readdirSync(outside)]).toEqual([[refused, refused], []]);
  });

  it("say so when they cannot be written", async () => {
    const top = await root();
    put(join(top, ".claude-pool"), "a file");
    const skills = openSkills(top, { pool: join(top, "pool"), claude: join(top, "claude") });
    const said = expect.stringContaining("cannot be written") as string;
    await expect(skills.save(skillOf("one"), "project", true)).rejects.toMatchObject({
      code: "invalid_options",
      message: said,
    });
  });

  it("do not wait for a file that never ends", async () => {
    const top = await root();
    mkdirSync(join(top, ".claude-pool/skills/pipe"), { recursive: true });
    execFileSync("mkfifo", [join(top, ".claude-pool/skills/pipe/SKILL.md")]);
    const skills = openSkills(top, { pool: join(top, "pool"), claude: join(top, "claude") });
    await expect(skills.get("pipe")).rejects.toMatchObject({ code: "invalid_skill" });
  });
});

it.each([
  [{ HOME: "/h" }, { pool: "/h/.claude-pool", claude: "/h/.claude" }],
  [
    { HOME: "/h", CLAUDE_POOL_HOME: "/p", CLAUDE_CONFIG_DIR: "/c" },
    { pool: "/p", claude: "/c" },
  ],
  [
    { HOME: "/h", CLAUDE_POOL_HOME: "", CLAUDE_CONFIG_DIR: "" },
    { pool: "/h/.claude-pool", claude: "/h/.claude" },
  ],
])("has the user's folders where %j says", (env, homes) => {
  expect(homesOf(env)).toEqual(homes);
});
