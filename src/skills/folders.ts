/** What lies in the folders of skills and workflows, read with bounds. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { skillName, type SkillSource } from "../core/skill.ts";
import { maxSkillBytes } from "../schema/skill.ts";
import { invalidSkill } from "./yaml-text.ts";

/** A place where skills lie, each in a folder, or workflows, each in a file. */
export interface SkillFolder<S extends SkillSource = SkillSource> {
  readonly path: string;
  readonly source: S;
}

export const workflowEndings = [".yaml", ".yml", ".json"] as const;

/** One entry a name, of the first folder that has it (L1), sorted; an error stays with its own (L2). */
export async function entries<S extends SkillSource, T extends { readonly name: string; readonly source: S }>(
  folders: readonly SkillFolder<S>[],
  namesIn: (folder: string) => Promise<readonly string[]>,
  read: (name: string) => Promise<T>,
): Promise<readonly (T | { readonly name: string; readonly source: S; readonly error: string })[]> {
  const firsts = new Map<string, SkillFolder<S>>();
  const unreadable: { readonly name: string; readonly source: S; readonly error: string }[] = [];
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
      return await read(name);
    } catch (error) {
      return { name, source: folder.source, error: (error as Error).message };
    }
  });
  return [...(await Promise.all(readable)), ...unreadable];
}

/** Folders that hold a SKILL.md. */
export async function skillNames(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const name of await namesIn(folder)) {
    // What begins with a dot is hidden: half a copy that a crash left, too.
    if (!name.startsWith(".") && (await isFile(join(folder, name, "SKILL.md")))) names.push(name);
  }
  return names;
}

export async function workflowNames(folder: string): Promise<readonly string[]> {
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
export async function readBounded(path: string): Promise<string | undefined> {
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

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
