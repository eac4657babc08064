/** Where this process's pool looks for skills and workflows. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Skills } from "./core/skills-port.ts";
import type { SkillSource } from "./core/skill.ts";
import { poolHome } from "./project.ts";
import { FolderSkills } from "./skills/folder-skills.ts";
import type { SkillFolder } from "./skills/folders.ts";
import { readTrust } from "./trust-list.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The user's folders. */
export interface Homes {
  readonly pool: string;
  readonly claude: string;
}

/** What CLAUDE_POOL_HOME and CLAUDE_CONFIG_DIR say, else ~/.claude-pool and ~/.claude. */
export function homesOf(env: Environment): Homes {
  const claude = env.CLAUDE_CONFIG_DIR;
  const isGiven = claude !== undefined && claude !== "";
  return { pool: poolHome(env), claude: isGiven ? claude : join(dirname(poolHome({ HOME: env.HOME })), ".claude") };
}

/**
 * The skills of a directory: those of its project, from the directory up to the top of its repository, the user's, and the
 * package's own.
 */
export function openSkills(cwd: string, homes: Homes): Skills {
  const builtin = fileURLToPath(new URL("../", import.meta.url));
  const places = projectFolders(cwd);
  const userSkills = [join(homes.pool, "skills"), join(homes.claude, "skills")];
  const inProject = (below: string, source: SkillSource): readonly SkillFolder[] =>
    // The home directory may itself be the project: what lies there is the user's own.
    places.map((place) => ({ path: join(place, below), source })).filter(({ path }) => !userSkills.includes(path));
  const top = places.at(-1) ?? cwd;
  return new FolderSkills({
    skills: [
      ...inProject(join(".claude-pool", "skills"), "project"),
      ...inProject(join(".claude", "skills"), "claude_project"),
      { path: join(homes.pool, "skills"), source: "user" },
      { path: join(homes.claude, "skills"), source: "claude_user" },
      { path: join(builtin, "skills"), source: "builtin" },
    ],
    workflows: [
      ...places
        .map((place) => join(place, ".claude-pool", "workflows"))
        .filter((path) => path !== join(homes.pool, "workflows"))
        .map((path) => ({ path, source: "project" as const })),
      { path: join(homes.pool, "workflows"), source: "user" },
      { path: join(builtin, "workflows"), source: "builtin" },
    ],
    homes: {
      project: { path: join(top, ".claude-pool"), within: top },
      user: { path: homes.pool, within: homes.pool },
    },
    isTrusted: (path, fingerprint) => readTrust(homes.pool)[path] === fingerprint,
  });
}

/** From a directory up to the top of its repository; outside one, the directory alone. */
function projectFolders(cwd: string): readonly string[] {
  const above: string[] = [];
  for (let here = cwd; ; here = dirname(here)) {
    above.push(here);
    if (existsSync(join(here, ".git"))) return above;
    if (here === dirname(here)) return [cwd];
  }
}
