/** The ground that a pool stands on, looked at without changing any of it: for `doctor`. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { HostRecord } from "./core/task.ts";
import { findExecutable, versionOf } from "./runner/claude/executable.ts";
import { probeNamespace } from "./runner/claude/namespace.ts";
import { markerVariable, processTable, type ProcessEntry } from "./runner/process-table.ts";
import { systemProcesses } from "./runner/processes.ts";
import { gitList, gitText } from "./workspace/git.ts";
import { isHeld } from "./workspace/repository-lock.ts";
import { repositoryOf } from "./workspace/repository.ts";

export { gitVersion, oldestGit } from "./workspace/git-version.ts";

/**
 * The Claude program and its version.
 *
 * @throws {PoolError} `claude_not_found`.
 */
export async function claudeProgram(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly path: string; readonly version: string | undefined }> {
  const path = findExecutable(option, env);
  return { path, version: await versionOf(path, { ...process.env, ...env }) };
}

/** Can a CLI have a process namespace of its own here? */
export async function hasProcessNamespaces(): Promise<boolean> {
  return (await probeNamespace()) !== undefined;
}

/** @example sqliteVersion() // "3.53.4" */
export function sqliteVersion(): string {
  const db = new DatabaseSync(":memory:");
  try {
    return String(db.prepare("select sqlite_version() as version").get()?.version);
  } finally {
    db.close();
  }
}

/** What SQLite finds wrong with a file; undefined: nothing. */
export function storeDamage(file: string): string | undefined {
  try {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      const answer = String(db.prepare("pragma quick_check(1)").get()?.quick_check);
      return answer === "ok" ? undefined : answer;
    } finally {
      db.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}

/** Is the host at work? Its lease alone would say so for some seconds after a `kill -9`. */
export function isHostAlive(host: HostRecord): boolean {
  if (host.state !== "alive" || host.leaseUntilMs <= Date.now()) return false;
  const processes = systemProcesses();
  const isHere = host.bootId === processes.bootId && host.hostname === hostname();
  return !isHere || processes.isAlive(host);
}

/** A Claude process, or something that one started, whose host is gone. */
export interface Leftover {
  readonly pid: number;
  readonly marker: string;
}

/**
 * Processes that carry a pool's marker and no host; undefined where the system does not show environments.
 *
 * A marker stands for one CLI and all it started. As long as one of them has a parent of another kind than the system's
 * own reaper, that parent is its host, and none of them is left over.
 */
export async function leftoverProcesses(): Promise<readonly Leftover[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const entries = (await processTable().list()).filter((entry) => !entry.zombie);
  const markers = new Map(
    entries.flatMap((entry) => {
      const marker = markerOf(entry.pid);
      return marker === undefined ? [] : [[entry.pid, marker] as const];
    }),
  );
  const hosted = new Set(
    entries.flatMap((entry) => {
      const marker = markers.get(entry.pid);
      return marker !== undefined && hasHost(entry, markers) ? [marker] : [];
    }),
  );
  return [...markers].flatMap(([pid, marker]) => (hosted.has(marker) ? [] : [{ pid, marker }]));
}

/** Registered git worktrees whose directory is gone. */
export function staleWorktrees(directory: string): readonly string[] {
  try {
    const text = execFileSync("git", ["worktree", "list", "--porcelain"], {
      cwd: directory,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const blocks = text.split("\n\n").filter((block) => /^prunable/m.test(block));
    return blocks.map((block) => /^worktree (.*)$/m.exec(block)?.[1] ?? "?");
  } catch {
    return []; // no git, or no repository: there are no worktrees
  }
}

/** How many files are not as they are committed in the first of the directories that is in this repository, if it stands at this commit. */
export async function uncommittedFiles(
  directories: readonly string[],
  repository: string,
  commit: string,
): Promise<number> {
  for (const cwd of directories) {
    if ((await repositoryOf(cwd)) !== repository) continue;
    const call = { cwd, answers: [1, 128] };
    if ((await gitText(["rev-parse", "--verify", "--quiet", "HEAD"], call)) !== commit) return 0;
    return (await gitList(["status", "--porcelain", "-z", "--no-renames"], call)).length;
  }
  return 0;
}

/** A lock file that stands in a repository's git directory. */
export interface RepositoryLockFile {
  readonly path: string;
  readonly ageMs: number;
}

/** Git's locks and the pool's own in the repository of a directory, oldest first; without those that a living process is known to hold. */
export async function repositoryLocks(directory: string): Promise<readonly RepositoryLockFile[]> {
  const repository = await repositoryOf(directory);
  if (repository === undefined) return [];
  const found = readdirSync(repository).filter((name) => name.endsWith(".lock"));
  const trees = existsSync(join(repository, "worktrees")) ? readdirSync(join(repository, "worktrees")) : [];
  const inTrees = trees.map((name) => join("worktrees", name, "index.lock"));
  const locks: RepositoryLockFile[] = [];
  for (const name of [...found, ...inTrees]) {
    const path = join(repository, name);
    // A set-up and a landing take as long as they take.
    if (name.startsWith("claude-pool") && (await isHeld(path, systemProcesses()))) continue;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) locks.push({ path, ageMs: Date.now() - stats.mtimeMs });
  }
  return locks.toSorted((a, b) => b.ageMs - a.ageMs);
}

function hasHost(entry: ProcessEntry, markers: ReadonlyMap<number, string>): boolean {
  return !markers.has(entry.ppid) && !isReaper(entry.ppid);
}

/** Process 1, and what a system puts in its place for a user's orphans. */
function isReaper(pid: number): boolean {
  if (pid <= 1) return true;
  try {
    return ["systemd", "init", "launchd"].includes(readFileSync(`/proc/${String(pid)}/comm`, "utf8").trim());
  } catch {
    return true; // gone in the meantime: so it hosts nothing
  }
}

function markerOf(pid: number): string | undefined {
  try {
    const prefix = `${markerVariable}=`;
    const pairs = readFileSync(`/proc/${String(pid)}/environ`, "utf8").split("\0");
    const marker = pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
    return marker === "" ? undefined : marker; // set to nothing by who wants none
  } catch {
    return undefined; // another user's, or gone
  }
}
