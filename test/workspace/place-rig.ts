/** A user's repository and the pool's directories in it, made and saved by the real port on real git. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { onTestFinished } from "vitest";
import type { WorkspaceRequest, Workspaces } from "../../src/core/workspaces-port.ts";
import type { TaskWorkspace } from "../../src/core/workspace.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { openWorkspaces } from "../../src/workspace/open-workspaces.ts";

/** Nothing of this machine's own settings reaches a git of these tests. */
Object.assign(process.env, { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", HOME: "/nonexistent" });

export const never = new AbortController().signal;

export function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync("git", args, { cwd, encoding: "utf8", stdio: "pipe" }).replace(/\n$/, "");
}

export function tempFolder(name = "claude-pool-workspace-"): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), name)));
  onTestFinished(() => {
    // Tests take rights away from files and directories.
    execFileSync("chmod", ["-R", "u+rwX", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export type Files = Readonly<Record<string, string | Uint8Array>>;

export function write(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Makes a repository with one commit. */
export function makeRepository(path: string, files: Files = standard): void {
  mkdirSync(path, { recursive: true });
  git(path, "init", "-q", "-b", "main");
  git(path, "config", "user.name", "Somebody");
  git(path, "config", "user.email", "somebody@example.com");
  write(path, files);
  git(path, "add", "-A");
  git(path, "commit", "-q", "-m", "Begin");
}

const standard: Files = {
  "a.txt": "one\ntwo\nthree\n",
  "packages/app/index.js": "export {};\n",
  ".gitignore": "node_modules/\n*.log\n",
};

export interface Rig {
  readonly workspaces: Workspaces;
  /** The user's checkout. */
  readonly checkout: string;
  readonly repository: string;
  readonly folder: string;
  readonly place: (name: string) => string;
  readonly request: (owner: string, more?: Partial<WorkspaceRequest>) => WorkspaceRequest;
  /** A worktree for the owner at `worktree-1`, unless it is said otherwise. */
  readonly prepare: (owner: string, more?: Partial<WorkspaceRequest>) => Promise<TaskWorkspace>;
  readonly save: (owner: string, workspace: TaskWorkspace, attempt?: number) => Promise<TaskWorkspace>;
}

export function rig(options: { readonly name?: string; readonly files?: Files; readonly base?: string } = {}): Rig {
  const folder = tempFolder();
  const checkout = join(folder, options.name ?? "project");
  makeRepository(checkout, options.files);
  return rigOn(folder, checkout, options.base);
}

export function rigOn(folder: string, checkout: string, base?: string): Rig {
  const repository = realpathSync(git(checkout, "rev-parse", "--path-format=absolute", "--git-common-dir"));
  const workspaces = openWorkspaces({
    processes: systemProcesses(),
    ...(base === undefined ? {} : { baseDirectory: base }),
  });
  const place = (name: string): string => workspaces.pathOf({ repository, poolId: "pool-1", name });
  const request: Rig["request"] = (owner, more = {}) => ({
    poolId: "pool-1",
    owner,
    isolation: "worktree",
    path: place("worktree-1"),
    cwd: checkout,
    baseRef: "HEAD",
    start: "base",
    include: [],
    ...more,
  });
  return {
    workspaces,
    checkout,
    repository,
    folder,
    place,
    request,
    prepare: (owner, more) => workspaces.prepare(request(owner, more), never),
    save: (owner, workspace, attempt = 1) => workspaces.save({ owner, title: `Do ${owner}`, attempt, workspace }),
  };
}

/** All that git tells of a directory, and every byte that it does not ignore. */
export interface State {
  readonly head: string;
  readonly status: readonly string[];
  readonly index: readonly string[];
  readonly merging: string;
  readonly files: Readonly<Record<string, string>>;
}

export function stateOf(path: string): State {
  return {
    head: git(path, "rev-parse", "HEAD"),
    status: nul(git(path, "status", "--porcelain=v2", "-z", "-uall")),
    index: nul(git(path, "ls-files", "-s", "-z")),
    merging: existsSync(mergeHead(path)) ? readFileSync(mergeHead(path), "utf8") : "",
    files: filesOf(path),
  };
}

function mergeHead(path: string): string {
  return git(path, "rev-parse", "--path-format=absolute", "--git-path", "MERGE_HEAD");
}

/** Every file that git does not ignore: kind, executable or not, and a hash of its bytes. */
function filesOf(path: string): Readonly<Record<string, string>> {
  const listed = nul(git(path, "ls-files", "-z", "--cached", "--others", "--exclude-standard"));
  const found: Record<string, string> = {};
  for (const name of new Set(listed)) {
    if (name.endsWith("/") || lstatSync(join(path, name), { throwIfNoEntry: false })?.isDirectory() === true) {
      for (const inside of walk(join(path, name))) found[relative(path, inside)] = describe(inside);
    } else if (lstatSync(join(path, name), { throwIfNoEntry: false }) !== undefined)
      found[name] = describe(join(path, name));
  }
  return found;
}

function walk(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === ".git") return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}

function describe(path: string): string {
  const is = lstatSync(path);
  if (is.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  const hash = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
  return `${(is.mode & 0o100) === 0 ? "file" : "program"} ${hash}`;
}

function nul(text: string): readonly string[] {
  return text
    .split("\0")
    .filter((record) => record !== "")
    .toSorted();
}
