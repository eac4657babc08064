import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { FolderSkills } from "../../src/skills/folder-skills.ts";
import { skillsContract, type SkillsPlace } from "../contract/skills.ts";
import { tempFolder } from "../records/temp-store.ts";

const sources = ["project", "claude_project", "user", "claude_user", "builtin"] as const;

async function open(): Promise<SkillsPlace> {
  const root = await tempFolder();
  const trusted = new Map<string, string>();
  const put = (path: string, text: string): string => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  return {
    skills: new FolderSkills({
      skills: sources.map((source) => ({ source, path: join(root, source, "skills") })),
      workflows: (["project", "user", "builtin"] as const).map((source) => ({
        source,
        path: join(root, source, "workflows"),
      })),
      homes: {
        project: { path: join(root, "project"), within: root },
        user: { path: join(root, "user"), within: root },
      },
      isTrusted: (path, fingerprint) => trusted.get(path) === fingerprint,
    }),
    putSkill: (source, folder, text) => put(join(root, source, "skills", folder, "SKILL.md"), text),
    putWorkflow: (source, file, text) => put(join(root, source, "workflows", file), text),
    async trust(path) {
      trusted.set(path, createHash("sha256").update(readFileSync(path)).digest("hex"));
      return Promise.resolve();
    },
  };
}

skillsContract("folders", open);
