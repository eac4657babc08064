/** Writing skills into folders (L3 of folder-skills.ts). */
import { randomUUID } from "node:crypto";
import { cp, link, mkdir, open, realpath, rename, rm, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { invalidOptions, PoolError } from "../core/errors.ts";
import { checkSkillName, type Skill } from "../core/skill.ts";
import { writeSkillText } from "./skill-file.ts";

/** A place that is written to: `<path>/skills`, which no link may lead out of `within`. */
export interface SkillHome {
  readonly path: string;
  readonly within: string;
}

/**
 * Writes a skill to `<home>/skills/<name>/SKILL.md`; resolves to the file's path.
 *
 * @throws {PoolError} `skill_exists` unless it may be replaced; `invalid_options` for a name or folder that leads elsewhere.
 */
export async function saveSkill(home: SkillHome, skill: Skill, replace: boolean): Promise<string> {
  const folder = await folderIn(home, skill.name);
  const target = join(folder, "SKILL.md");
  const beside = join(folder, `.SKILL.md.${randomUUID()}`);
  try {
    await writeDurably(beside, writeSkillText(skill));
    // A link fails where there is a file already; a rename takes its place.
    await (replace ? rename(beside, target) : link(beside, target));
  } catch (error) {
    throw isExisting(error) ? exists(skill.name, target, error) : notWritten(target, error);
  } finally {
    await rm(beside, { force: true });
  }
  return target;
}

/**
 * Copies a skill's whole folder, to be edited there; resolves to the new SKILL.md.
 *
 * @throws {PoolError} as `saveSkill`; `invalid_options` for a skill without a folder.
 */
export async function ejectSkill(home: SkillHome, skill: Skill): Promise<string> {
  checkSkillName(skill.name);
  if (skill.dir === undefined) {
    throw invalidOptions(`Skill ${skill.name} was added at run time and has no folder: save it instead.`, "skill");
  }
  const skills = await folderIn(home);
  const target = join(skills, skill.name);
  const beside = join(skills, `.${skill.name}.${randomUUID()}`);
  try {
    await cp(skill.dir, beside, { recursive: true, errorOnExist: true });
    await rename(beside, target); // fails unless there is nothing, or an empty folder
  } catch (error) {
    throw isExisting(error) ? exists(skill.name, target, error) : notWritten(target, error);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  return join(target, "SKILL.md");
}

/** `<home>/skills`, or one skill's folder in it, made if need be: one level at a time, since a link may stand at each. */
async function folderIn(home: SkillHome, name?: string): Promise<string> {
  if (name !== undefined) checkSkillName(name);
  let folder = home.path;
  for (const level of ["", "skills", ...(name === undefined ? [] : [name])]) {
    folder = join(folder, level);
    const [real, above] = await made(folder, home.within);
    if (real === above || real.startsWith(above.endsWith(sep) ? above : above + sep)) continue;
    throw invalidOptions(`${folder} leads to ${real}, out of ${above}: nothing is written there.`, "to");
  }
  return folder;
}

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: "wx" });
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Both with every link resolved. */
async function made(folder: string, within: string): Promise<readonly [string, string]> {
  try {
    await mkdir(folder, { recursive: true });
    return [await realpath(folder), await realpath(within)];
  } catch (error) {
    throw notWritten(folder, error);
  }
}

function isExisting(error: unknown): boolean {
  return ["EEXIST", "ENOTEMPTY", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function exists(name: string, target: string, cause: unknown): PoolError {
  return new PoolError(
    "skill_exists",
    `${target} exists already: skill ${name} was not written.`,
    { file: target },
    cause,
  );
}

function notWritten(path: string, cause: unknown): PoolError {
  const text = `${path} cannot be written: ${(cause as Error).message}. Mend that, or name the other place with \`to\` (\`--to\`).`;
  return new PoolError("invalid_options", text, { field: "to" }, cause);
}
