/** A repository of a user's, workers' directories in it, and their work landed: all with real git. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { MergeEnd } from "../../src/core/merge.ts";
import type { LandingRequest } from "../../src/core/workspaces-port.ts";
import type { SavedWork, TaskWorkspace } from "../../src/core/workspace.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { checkoutAt, type Checkout } from "../../src/workspace/checkout.ts";
import { land } from "../../src/workspace/land.ts";
import { writeMark } from "../../src/workspace/mark.ts";
import { repositoryLock } from "../../src/workspace/repository-lock.ts";
import { saveWork } from "../../src/workspace/saving.ts";

/** Nothing of this machine's own settings reaches a git of these tests. */
Object.assign(process.env, { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", HOME: "/nonexistent" });

export const lock = repositoryLock(systemProcesses(), 20_000);
export const never = new AbortController().signal;

export type Files = Readonly<Record<string, string>>;

/** A directory with git in it, and what tests do there. */
class Directory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  git(...args: readonly string[]): string {
    return execFileSync("git", args, { cwd: this.path, encoding: "utf8", stdio: "pipe" }).replace(/\n$/, "");
  }

  write(files: Files): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, path)), { recursive: true });
      writeFileSync(join(this.path, path), text);
    }
  }

  commit(message: string, files: Files = {}): string {
    this.write(files);
    this.git("add", "-A");
    this.git("commit", "-q", "--allow-empty", "-m", message);
    return this.git("rev-parse", "HEAD");
  }

  read(path: string): string {
    return readFileSync(join(this.path, path), "utf8");
  }

  /** As `git status --porcelain`, without the pool's own directories. */
  status(): readonly string[] {
    const lines = this.git("status", "--porcelain", "--untracked-files=all").split("\n");
    return lines.filter((line) => line !== "");
  }
}

export class Rig extends Directory {
  readonly repository: string;
  #places = 0;

  constructor(path: string, gitDir = join(path, ".git")) {
    super(path);
    this.repository = gitDir;
  }

  /** Every file of a branch, by path. */
  files(branch = "main"): Files {
    const paths = this.git("ls-tree", "-r", "-z", "--name-only", branch).split("\0");
    const named = paths.filter((path) => path !== "");
    return Object.fromEntries(named.map((path) => [path, this.git("cat-file", "blob", `${branch}:${path}`)]));
  }

  subjects(branch = "main"): readonly string[] {
    return this.git("log", "--topo-order", "--format=%s", branch).split("\n");
  }

  async worker(taskId: string, base = "main"): Promise<Worker> {
    const path = this.place("worktree");
    this.git("worktree", "add", "-q", "-b", `claude-pool/pool/${taskId}`, path, base);
    return this.#at(path, "worktree", taskId, base);
  }

  async clone(taskId: string): Promise<Worker> {
    const path = this.place("clone");
    this.git("clone", "-q", this.path, path);
    const clone = new Directory(path);
    clone.git("checkout", "-q", "-b", `claude-pool/pool/${taskId}`);
    clone.git("config", "user.name", "User");
    clone.git("config", "user.email", "user@example.com");
    return this.#at(path, "clone", taskId, "main");
  }

  async #at(path: string, isolation: "worktree" | "clone", taskId: string, base: string): Promise<Worker> {
    const branch = `claude-pool/pool/${taskId}`;
    const checkout = await checkoutAt(path, this.repository);
    if (checkout === undefined) throw new Error("no checkout");
    await writeMark(checkout.gitDir, { state: "ready", poolId: "pool", owner: taskId, branch });
    const workspace: TaskWorkspace = {
      isolation,
      repository: this.repository,
      path,
      cwd: path,
      branch,
      baseRef: base,
      baseCommit: this.git("rev-parse", base),
      target: "main",
    };
    return new Worker(this, taskId, workspace, checkout);
  }

  place(kind: string): string {
    this.#places += 1;
    return join(this.path, ".claude", "worktrees", "claude-pool", "pool", `${kind}-${String(this.#places)}`);
  }
}

export class Worker extends Directory {
  readonly rig: Rig;
  readonly taskId: string;
  readonly workspace: TaskWorkspace;
  readonly checkout: Checkout;

  constructor(rig: Rig, taskId: string, workspace: TaskWorkspace, checkout: Checkout) {
    super(workspace.path);
    this.rig = rig;
    this.taskId = taskId;
    this.workspace = workspace;
    this.checkout = checkout;
  }

  async save(title = `Do ${this.taskId}`): Promise<TaskWorkspace & { readonly saved: SavedWork }> {
    const workspace = await saveWork({ owner: this.taskId, title, attempt: 1, workspace: this.workspace });
    const { saved } = workspace;
    if (saved === undefined) throw new Error("nothing was saved");
    return { ...workspace, saved };
  }

  /** What is asked for its work. */
  async request(more: Partial<LandingRequest> = {}): Promise<LandingRequest> {
    return {
      title: `Do ${this.taskId}`,
      taskId: this.taskId,
      mergeId: `merge-${this.taskId}`,
      workspace: await this.save(),
      target: "main",
      method: "rebase",
      checks: [],
      path: this.rig.place("merge"),
      cwd: this.rig.path,
      include: [],
      ...more,
    };
  }

  async land(more: Partial<LandingRequest> = {}, signal = never): Promise<MergeEnd> {
    return land(await this.request(more), lock, signal);
  }
}

/** A repository with these files in a first commit on main, which is checked out. */
export function repository(files: Files = { "a.txt": "a\n" }): Rig {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-landing-")));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const root = join(folder, "repository");
  mkdirSync(root);
  const rig = new Rig(root);
  rig.git("init", "-q", "-b", "main");
  rig.git("config", "user.name", "User");
  rig.git("config", "user.email", "user@example.com");
  writeFileSync(join(rig.repository, "info", "exclude"), "/.claude/worktrees/claude-pool/\n");
  rig.commit("Begin", files);
  return rig;
}
