/** Where the log lies, and which project, working tree and branch a directory belongs to. */
import { lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { projectOf } from "../project.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of the log and what lies in it. */
export interface LogFolder {
  readonly root: string;
  readonly file: string;
  readonly lock: string;
  readonly sessions: string;
  readonly archive: string;
}

/** What a terminal that stands in a directory writes to, and as part of what. */
export interface Ground {
  readonly folder: LogFolder;
  readonly project: string;
  /** The top of the working tree; outside git the directory itself. */
  readonly top: string;
  /** The directory, relative to the top, `/` between parts; empty at the top. */
  readonly from: string;
  readonly branch?: string;
  /** The name of a linked worktree; absent in the main one. */
  readonly worktree?: string;
  /** What the user should know: a setting that was not followed, a log inside the repository. */
  readonly warnings: readonly string[];
}

/**
 * The ground of a directory. The project is that of the git common directory, so every worktree and sub-directory shares one; outside git that
 * of `CLAUDE_PROJECT_DIR`, else of the directory itself; `POOL_PROJECT` overrides.
 *
 * @throws the file system's own error if the directory does not exist.
 */
export function groundOf(directory: string, env: Environment = process.env): Ground {
  const real = realpathSync(directory);
  const tree = treeTop(real);
  const named = env.POOL_PROJECT?.replace(/[^\w.@+-]+/g, "_").slice(0, 255) ?? "";
  const fixed = env.CLAUDE_PROJECT_DIR ?? "";
  const top = tree ?? real;
  const { root, warnings } = logRoot(top, env);
  const git = tree === undefined ? {} : headOf(tree);
  return {
    folder: folderAt(root),
    project: named === "" ? projectOf(tree === undefined && isDirectory(fixed) ? fixed : real).id : named,
    top,
    from: relative(top, real).split(sep).join("/"),
    ...git,
    warnings: [...warnings, ...strayLogs(top)],
  };
}

/** The parts of a log folder. */
export function folderAt(root: string): LogFolder {
  return {
    root,
    file: join(root, "instance_state.jsonl"),
    lock: join(root, ".lock"),
    sessions: join(root, "sessions"),
    archive: join(root, "archive"),
  };
}

/**
 * `$POOL_HOME`, else `$CLAUDE_CONFIG_DIR/pool`, else `~/.claude/pool`. A setting that points into the working tree is not followed: whoever wrote
 * the repository would choose what every terminal reads.
 */
function logRoot(top: string, env: Environment): { readonly root: string; readonly warnings: readonly string[] } {
  const home = env.HOME === undefined || env.HOME === "" ? homedir() : env.HOME;
  const config = env.CLAUDE_CONFIG_DIR ?? "";
  const choices = [
    { name: "POOL_HOME", root: env.POOL_HOME ?? "" },
    { name: "CLAUDE_CONFIG_DIR", root: config === "" ? "" : join(config, "pool") },
  ].filter(({ root }) => root !== "");
  const warnings: string[] = [];
  for (const { name, root } of choices) {
    const place = resolve(root);
    if (!isWithin(realest(place), top) || isWithin(realest(home), top)) return { root: place, warnings };
    warnings.push(`${name} points into the working tree ${top}; it is not followed.`);
  }
  return { root: join(home, ".claude", "pool"), warnings };
}

/** Logs where version 1 kept them, inside the working tree: never read, but the user should know. */
function strayLogs(top: string): readonly string[] {
  if (top === homedir()) return [];
  const stray = join(top, ".claude", "pool", "instance_state.jsonl");
  if (lstatSync(stray, { throwIfNoEntry: false }) === undefined) return [];
  return [`${stray} lies in the working tree and is never read: whoever wrote the repository wrote it.`];
}

/** The nearest directory upwards that holds a `.git`. */
function treeTop(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    if (statSync(join(at, ".git"), { throwIfNoEntry: false }) !== undefined) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** Read from git's own files: a process for each hook would cost more than all the rest. */
function headOf(top: string): { readonly branch?: string; readonly worktree?: string } {
  try {
    const dot = join(top, ".git");
    const linked = statSync(dot).isFile();
    const directory = linked ? resolve(top, /^gitdir: (.+)$/m.exec(readFileSync(dot, "utf8"))?.[1] ?? ".") : dot;
    const branch = /^ref: refs\/heads\/(.+)$/m.exec(readFileSync(join(directory, "HEAD"), "utf8"))?.[1];
    return {
      ...(branch === undefined ? {} : { branch }),
      ...(linked && basename(dirname(directory)) === "worktrees" ? { worktree: basename(top) } : {}),
    };
  } catch {
    return {}; // an unusual or damaged repository: an entry goes without them
  }
}

/** The real path of as much of it as exists. */
function realest(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realest(dirname(path)), basename(path));
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!way.startsWith(`..${sep}`) && way !== ".." && resolve(folder, way) === path);
}

function isDirectory(path: string): boolean {
  return path !== "" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
