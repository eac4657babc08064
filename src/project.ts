/**
 * Which project a directory belongs to. The one function behind the place of the store and of the activity log.
 *
 * Builtins only: the hook program uses it too.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { sha256Hex } from "./sha256.ts";

export interface Project {
  /** `name-hash`: readable, and unique for the directory behind it. */
  readonly id: string;
  /** The git common directory, or outside git the directory itself; all links resolved. */
  readonly root: string;
}

/**
 * The project of a directory: every worktree and sub-directory of one repository has the same.
 *
 * @throws the file system's own error if the directory does not exist.
 * @example projectOf(process.cwd()).id // "claude-pool-3f9c1d20a7be"
 */
export function projectOf(directory: string): Project {
  const real = realpathSync(directory);
  const common = gitCommonDirectory(real);
  const root = common ?? real;
  const name = basename(basename(root) === ".git" ? dirname(root) : root).replace(/[^A-Za-z0-9._-]/g, "_") || "root";
  const hash = sha256Hex(root).slice(0, 12);
  return { id: `${name}-${hash}`, root };
}

/** `$CLAUDE_POOL_HOME`, else `~/.claude-pool`: where every project's store lives, outside the working tree. */
export function poolHome(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const home = env.CLAUDE_POOL_HOME;
  return home === undefined || home === "" ? join(env.HOME ?? homedir(), ".claude-pool") : resolve(home);
}

/** The store of the project that a directory belongs to. */
export function storePath(directory: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(poolHome(env), projectOf(directory).id, "pool.db");
}

/** The nearest directory upwards that holds a `.git`, whatever it is; undefined: there is none. */
export function repositoryTop(directory: string): string | undefined {
  for (let here = directory; ; here = dirname(here)) {
    if (existsSync(join(here, ".git"))) return here;
    if (here === dirname(here)) return undefined;
  }
}

function gitCommonDirectory(directory: string): string | undefined {
  const read = commonDirectoryInFiles(directory);
  return read === "ask git" ? askGit(directory) : read;
}

/**
 * What git would answer, read from its files as git reads them, because a process takes longer than a whole hook may. Whatever is unusual is
 * left to git: bare, damaged and other users' repositories, and what lies beyond a mount.
 */
function commonDirectoryInFiles(directory: string): string | undefined {
  const { dev } = statSync(directory);
  for (let at = directory; ; at = dirname(at)) {
    if (statSync(at).dev !== dev || isGitDirectory(at)) return "ask git";
    const dot = join(at, ".git");
    const stat = statSync(dot, { throwIfNoEntry: false });
    if (stat !== undefined) {
      const common = stat.isDirectory() ? dot : commonDirectoryOf(dot);
      const isOwn = process.getuid === undefined || process.getuid() === stat.uid;
      return common !== undefined && isOwn && isGitDirectory(common) ? realpathSync(common) : "ask git";
    }
    if (dirname(at) === at) return undefined;
  }
}

/** Of a worktree or a submodule, whose `.git` is a file that names the place. */
function commonDirectoryOf(dotGit: string): string | undefined {
  try {
    const named = /^gitdir: (.+?)\s*$/u.exec(readFileSync(dotGit, "utf8"))?.[1];
    if (named === undefined) return undefined;
    const own = resolve(dirname(dotGit), named);
    const shared = join(own, "commondir");
    return existsSync(shared) ? resolve(own, readFileSync(shared, "utf8").trim()) : own;
  } catch {
    return undefined; // not readable: git says it better
  }
}

function isGitDirectory(path: string): boolean {
  return ["HEAD", "objects", "refs"].every((name) => existsSync(join(path, name)));
}

function askGit(directory: string): string | undefined {
  try {
    const answer = execFileSync("git", ["rev-parse", "--git-common-dir"], {
      cwd: directory,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 5_000,
      // A variable left by a hook of another repository must not choose this one's.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"))),
    }).trim();
    return answer === "" ? undefined : realpathSync(resolve(directory, answer));
  } catch {
    return undefined; // no git, or no repository: the directory stands for itself
  }
}
