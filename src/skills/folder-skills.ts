/**
 * Skills and workflows in folders: the project's, the user's, and those that come with the package.
 *
 * L1. The first folder that has a name wins, with a broken file too: nothing runs in place of what was meant.
 * L2. A broken file hides no other: it is listed with its error.
 * L3. What is written is whole or not there, and nothing is written outside the folder that was named.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { PoolError } from "../core/errors.ts";
import type { FoundSkill, FoundWorkflow, RestrictedFile, Skills } from "../core/ports.ts";
import { checkSkillName, skillName, type Skill, type SkillEntry, type SkillSource } from "../core/skill.ts";
import type { WorkflowEntry, WorkflowSource } from "../core/workflow.ts";
import { maxSkillBytes } from "../schema/skill.ts";
import { commandsOf, withCommandsRun } from "./commands.ts";
import { needsTrust } from "./needs-trust.ts";
import { ejectSkill, saveSkill, type SkillHome } from "./save.ts";
import { parseSkillText } from "./skill-file.ts";
import { parseWorkflowText } from "./workflow-file.ts";
import { invalidSkill } from "./yaml-text.ts";

/** A place where skills lie, each in a folder, or workflows, each in a file. */
export interface SkillFolder {
  readonly path: string;
  readonly source: SkillSource;
}

export interface FolderSkillsOptions {
  /** The strongest first. */
  readonly skills: readonly SkillFolder[];
  readonly workflows: readonly (SkillFolder & { readonly source: WorkflowSource })[];
  /** Where `save` and `eject` write. */
  readonly homes: { readonly project: SkillHome; readonly user: SkillHome };
  /** Does the user trust this file of the project as it is? Asked with the hash of its text. */
  readonly isTrusted: (path: string, fingerprint: string) => boolean;
  readonly commandTimeoutMs?: number;
  readonly commandMaxBytes?: number;
}

/** @example folderSkills({ skills: [{ path: ".claude-pool/skills", source: "project" }], … }).get("code_review") */
export function folderSkills(options: FolderSkillsOptions): Skills {
  const limits = { timeoutMs: options.commandTimeoutMs ?? 10_000, maxBytes: options.commandMaxBytes ?? 65_536 };

  async function get(name: string): Promise<FoundSkill | undefined> {
    checkSkillName(name);
    for (const folder of options.skills) {
      const path = join(folder.path, name, "SKILL.md");
      const text = await readBounded(path);
      if (text !== undefined) return found(text, path, folder.source);
    }
    return undefined;
  }

  function found(text: string, path: string, source: SkillSource): FoundSkill {
    const dir = join(path, "..");
    const skill: Skill = { ...parseSkillText(text, path, basename(dir)), dir, source };
    return { skill, path, ...trust(text, path, source, needsTrust(skill.config, commandsOf(skill.prompt))) };
  }

  function trust(text: string, path: string, source: SkillSource, needs: readonly string[]) {
    const fingerprint = createHash("sha256").update(text).digest("hex");
    const isOwn = source !== "project" && source !== "claude_project";
    return { needs, fingerprint, isTrusted: isOwn || options.isTrusted(path, fingerprint) };
  }

  async function workflow(name: string): Promise<FoundWorkflow | undefined> {
    checkSkillName(name, "workflow");
    for (const { path: folder, source } of options.workflows) {
      for (const ending of workflowEndings) {
        const path = join(folder, name + ending);
        const text = await readBounded(path);
        if (text === undefined) continue;
        const read = parseWorkflowText(text, path, name, source);
        const needs = read.steps.flatMap((step) => needsTrust(step, []).map((need) => `step ${step.name}: ${need}`));
        return { workflow: read, path, ...trust(text, path, source, needs) };
      }
    }
    return undefined;
  }

  async function list(): Promise<readonly SkillEntry[]> {
    return entries(options.skills, skillNames, async (name, { source }) => {
      const file = await get(name);
      if (file === undefined) throw new Error("it has just been removed");
      const { prompt: _, ...entry } = file.skill;
      return { ...entry, source };
    });
  }

  async function workflows(): Promise<readonly WorkflowEntry[]> {
    const all = await entries(options.workflows, workflowNames, async (name) => {
      const file = await workflow(name);
      if (file === undefined) throw new Error("it has just been removed");
      const { steps: _, ...entry } = file.workflow;
      return entry;
    });
    return all as readonly WorkflowEntry[];
  }

  async function restricted(): Promise<readonly RestrictedFile[]> {
    const files = await Promise.all([
      ...(await list()).filter(isFine).map(({ name }) => get(name)),
      ...(await workflows()).filter(isFine).map(({ name }) => workflow(name)),
    ]);
    return files.flatMap((file) => {
      if (file === undefined || file.needs.length === 0) return [];
      const { source } = "skill" in file ? file.skill : file.workflow;
      return source === "project" || source === "claude_project" ? [file] : [];
    });
  }

  return {
    get,
    list,
    workflow,
    workflows,
    restricted,
    commands: (skill) => commandsOf(skill.prompt),
    runCommands: (skill, cwd) => withCommandsRun(skill, { ...limits, cwd }),
    save: (skill, to, replace) => saveSkill(options.homes[to], skill, replace),
    eject: (skill, to) => ejectSkill(options.homes[to], skill),
  };
}

const workflowEndings = [".yaml", ".yml", ".json"] as const;

/** One entry a name, of the first folder that has it (L1), sorted; an error stays with its own (L2). */
async function entries<T extends { readonly name: string; readonly source: SkillSource }>(
  folders: readonly SkillFolder[],
  namesIn: (folder: string) => Promise<readonly string[]>,
  read: (name: string, folder: SkillFolder) => Promise<T>,
): Promise<readonly (T | { readonly name: string; readonly source: SkillSource; readonly error: string })[]> {
  const firsts = new Map<string, SkillFolder>();
  const unreadable: { readonly name: string; readonly source: SkillSource; readonly error: string }[] = [];
  for (const folder of folders) {
    try {
      for (const name of await namesIn(folder.path)) if (!firsts.has(name)) firsts.set(name, folder);
    } catch (error) {
      unreadable.push({ name: folder.path, source: folder.source, error: (error as Error).message });
    }
  }
  const sorted = [...firsts].sort(([a], [b]) => (a < b ? -1 : 1));
  const readable = sorted.map(async ([name, folder]) => {
    try {
      return await read(name, folder);
    } catch (error) {
      return { name, source: folder.source, error: (error as Error).message };
    }
  });
  return [...(await Promise.all(readable)), ...unreadable];
}

/** Folders that hold a SKILL.md. */
async function skillNames(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const name of await namesIn(folder)) {
    // What begins with a dot is hidden: half a copy that a crash left, too.
    if (!name.startsWith(".") && (await isFile(join(folder, name, "SKILL.md")))) names.push(name);
  }
  return names;
}

async function workflowNames(folder: string): Promise<readonly string[]> {
  const files = (await namesIn(folder)).flatMap((file) => {
    const ending = workflowEndings.find((one) => file.endsWith(one));
    return ending === undefined ? [] : [file.slice(0, -ending.length)];
  });
  return files.filter((name) => skillName.test(name));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isAbsence(error)) return false;
    return true; // it is there and cannot be looked at: reading it says why
  }
}

/** The text of a file of bounded size; undefined if there is none. @throws {PoolError} `invalid_skill`. */
async function readBounded(path: string): Promise<string | undefined> {
  try {
    const { size, isFile } = await sizeOf(path);
    if (!isFile) throw invalidSkill(path, "it is no file");
    if (size > maxSkillBytes) {
      throw invalidSkill(path, `it has ${String(size)} bytes, and at most ${String(maxSkillBytes)} are read`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (isAbsence(error)) return undefined;
    if (error instanceof PoolError) throw error;
    throw invalidSkill(path, `cannot be read as text: ${(error as Error).message}`, error);
  }
}

async function sizeOf(path: string): Promise<{ readonly size: number; readonly isFile: boolean }> {
  const info = await stat(path);
  return { size: info.size, isFile: info.isFile() };
}

function isFine(entry: { readonly error?: string }): boolean {
  return entry.error === undefined;
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
