/**
 * A directory of the pool's and the git directory behind it.
 *
 * O1. Which git directory it is comes from the repository's own register, never from the directory: a worker that removed or
 *     replaced its `.git` would else have us read, and write, the repository around it.
 */
import { lstat, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isMissing } from "./file-errors.ts";
import type { GitCall } from "./git.ts";

export interface Checkout {
  readonly kind: "worktree" | "clone";
  /** The root of the directory, all links resolved. */
  readonly path: string;
  /** Its own git directory: of a worktree the one below `worktrees/`. */
  readonly gitDir: string;
  /** The git common directory of the repository that keeps its work. */
  readonly repository: string;
}

/** A worktree that is registered with git. */
export interface Registered {
  readonly gitDir: string;
  readonly path: string;
}

/** How git is called in it (O1). */
export function within(checkout: Pick<Checkout, "path" | "gitDir">, signal?: AbortSignal): GitCall {
  return {
    cwd: checkout.path,
    signal,
    env: { GIT_DIR: checkout.gitDir, GIT_WORK_TREE: checkout.path },
  };
}

/** The pool's worktree or clone at a path; undefined: there is none, or not one of this repository. */
export async function checkoutAt(path: string, repository: string): Promise<Checkout | undefined> {
  if (!(await isDirectory(path))) return undefined;
  const real = await realpath(path);
  const worktree = await registeredAt(real, repository);
  if (worktree !== undefined) {
    await mendLink(real, worktree.gitDir);
    return { kind: "worktree", path: real, gitDir: worktree.gitDir, repository };
  }
  const gitDir = join(real, ".git");
  const isClone = (await isDirectory(gitDir)) && (await isThere(join(gitDir, "HEAD")));
  return isClone ? { kind: "clone", path: real, gitDir, repository } : undefined;
}

/** The worktree that is registered for a path, whether its directory is there or not. */
export async function registeredAt(path: string, repository: string): Promise<Registered | undefined> {
  const wanted = await realOf(path);
  return (await registered(repository)).find((worktree) => worktree.path === wanted);
}

/** Every linked worktree that git has registered; read from its files, since half-made ones make git itself stumble. */
export async function registered(repository: string): Promise<readonly Registered[]> {
  const folder = join(repository, "worktrees");
  const found: Registered[] = [];
  for (const name of await namesIn(folder)) {
    const gitDir = join(folder, name);
    const link = (await textOf(join(gitDir, "gitdir")))?.replace(/\n$/, "");
    if (link === undefined || link === "") continue;
    found.push({ gitDir, path: await realOf(dirname(resolve(gitDir, link))) });
  }
  return found;
}

/** A path with its links resolved as far as it is there. */
export async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    return join(await realOf(dirname(path)), basename(path));
  }
}

export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Is there anything of this name, a dangling link included? */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** What a small file says; undefined: it is not there. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Puts back the `.git` file that a worker removed; another `.git` in its place is left as it is. */
async function mendLink(path: string, gitDir: string): Promise<void> {
  const link = join(path, ".git");
  if (await isThere(link)) return;
  try {
    await writeFile(link, `gitdir: ${gitDir}\n`, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // another who looked has put it back
  }
}
