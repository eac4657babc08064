/**
 * Copies of files that git ignores, such as `.env`, from the user's checkout into a directory to work in.
 *
 * I1. A file is copied if it matches .worktreeinclude (in the root of the user's checkout) or the list, in the syntax of
 *     .gitignore as git itself reads it, and if git ignores it in both places: nothing tracked is touched, and no copy is
 *     ever saved as work. Repositories inside the repository are not entered.
 * I2. For a fresh start the copies are made equal to the user's files; where work goes on, only what is missing is copied.
 * I3. Symlinks stay symlinks, and nothing is written through one: no copy leaves the directory.
 */
import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { copyFile, cp, lstat, mkdir, readlink, rename, rm, symlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { within, type Checkout } from "./checkout.ts";
import { isMissing } from "./file-errors.ts";
import { git, gitList, type GitCall } from "./git.ts";

export interface Including {
  /** The root of the user's checkout. */
  readonly from: string;
  readonly to: Pick<Checkout, "path" | "gitDir">;
  readonly patterns: readonly string[];
  readonly isFresh: boolean;
}

/** Copies what is to be copied; resolves to the paths. @throws {PoolError} `workspace_failed`, `aborted`. */
export async function copyIgnored(wanted: Including, signal: AbortSignal): Promise<readonly string[]> {
  const paths = await chosen(wanted, signal);
  if (paths.length === 0) return [];
  const scratch = join(wanted.to.gitDir, "claude-pool-copies");
  await mkdir(scratch, { recursive: true });
  try {
    return await copyAll(wanted, paths, scratch, signal);
  } finally {
    await rm(scratch, { force: true, recursive: true });
  }
}

async function copyAll(
  wanted: Including,
  paths: readonly string[],
  scratch: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const copied: string[] = [];
  for (const path of paths) {
    if (signal.aborted) throw new PoolError("aborted", "Copying ignored files was cut short.", {}, signal.reason);
    try {
      if (await copy(wanted, path, scratch)) copied.push(path);
    } catch (error) {
      if (isMissing(error)) continue; // gone since it was listed
      const why = error instanceof Error ? error.message : String(error);
      throw new PoolError("workspace_failed", `${path} could not be copied to ${wanted.to.path}: ${why}`, {}, error);
    }
  }
  return copied;
}

/** I1. */
async function chosen({ from, to, patterns }: Including, signal: AbortSignal): Promise<readonly string[]> {
  const file = join(from, ".worktreeinclude");
  const isThere = (await existing(file))?.isFile() === true;
  if (!isThere && patterns.length === 0) return [];
  const sources = [
    ...(isThere ? [`--exclude-from=${file}`] : []),
    ...patterns.map((pattern) => `--exclude=${pattern}`),
  ];
  const listed = await gitList(["ls-files", "-z", "--others", "--ignored", ...sources], { cwd: from, signal });
  const files = listed.filter((path) => !path.endsWith("/"));
  const own = await ignoredIn({ cwd: from, signal }, files);
  const reachable: string[] = [];
  for (const path of own) if (await isDirectoryWay(to.path, dirname(path))) reachable.push(path);
  return ignoredIn(within(to, signal), reachable);
}

async function ignoredIn(call: GitCall, paths: readonly string[]): Promise<readonly string[]> {
  const tracked = await gitList(["ls-files", "-z", "--stage"], call);
  const modules = tracked.filter((entry) => entry.startsWith("160000 ")).map((entry) => entry.replace(/^.*?\t/, ""));
  const outside = paths.filter((path) => !modules.some((module) => path.startsWith(`${module}/`)));
  if (outside.length === 0) return [];
  // `check-ignore` knows no literal paths; behind `./` nothing is read as a pattern.
  const input = outside.map((path) => `./${path}\0`).join("");
  const env = { ...call.env, GIT_LITERAL_PATHSPECS: "0" };
  const { stdout } = await git(["check-ignore", "-z", "--stdin"], { ...call, env, input, answers: [1] });
  return stdout.split("\0").flatMap((path) => (path === "" ? [] : [path.slice(2)]));
}

async function copy({ from, to, isFresh }: Including, path: string, scratch: string): Promise<boolean> {
  const [source, target] = [join(from, path), join(to.path, path)];
  const [is, was] = [await lstat(source), await existing(target)];
  if (was !== undefined && (!isFresh || isSame(is, was))) return false;
  await mkdir(dirname(target), { recursive: true });
  // Beside the directory, so that what a crash leaves half written is neither taken for the file nor for work.
  const half = join(scratch, randomUUID());
  if (is.isSymbolicLink()) await symlink(await readlink(source), half);
  else if (is.isFile()) {
    await copyFile(source, half, constants.COPYFILE_FICLONE);
    await utimes(half, is.atime, is.mtime);
  } else return false; // a socket or pipe holds nothing
  await rm(target, { force: true, recursive: true });
  await moveTo(half, target);
  return true;
}

/** A copy's time is that of the original, rounded to a millisecond. */
function isSame(is: Stats, was: Stats): boolean {
  return was.size === is.size && Math.abs(was.mtimeMs - is.mtimeMs) < 2;
}

/** I3: a tracked symlink may stand where the user's checkout has a directory. */
async function isDirectoryWay(root: string, way: string): Promise<boolean> {
  let path = root;
  for (const part of way === "." ? [] : way.split("/")) {
    path = join(path, part);
    const found = await existing(path);
    if (found === undefined) return true;
    if (!found.isDirectory()) return false;
  }
  return true;
}

async function moveTo(half: string, target: string): Promise<void> {
  try {
    await rename(half, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    await cp(half, target, { verbatimSymlinks: true, preserveTimestamps: true });
    await rm(half, { force: true });
  }
}

async function existing(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
