/** The repository behind a directory, and what a task's base is in it. */
import { realpath } from "node:fs/promises";
import { PoolError } from "../core/errors.ts";
import { git } from "./git.ts";

/** Where a directory of the user's is in its repository. */
export interface Ground {
  /** The git common directory. */
  readonly repository: string;
  /** The root of the checkout that the directory is in. */
  readonly root: string;
  /** The directory below it; empty for the root itself. */
  readonly prefix: string;
}

/** What a task begins from. */
export interface Base {
  readonly baseRef: string;
  readonly baseCommit: string;
  readonly target?: string;
}

/** The git common directory behind a directory; undefined: it is in no repository. */
export async function repositoryOf(cwd: string, signal?: AbortSignal): Promise<string | undefined> {
  const args = ["rev-parse", "--path-format=absolute", "--git-common-dir"];
  const { code, stdout, stderr } = await git(args, { cwd, signal, answers: [128] });
  if (code === 0) return realpath(stdout.replace(/\n$/, ""));
  if (/not a git repository/i.test(stderr)) return undefined;
  throw impossible(`Git cannot use the repository of ${cwd}: ${stderr.trim()}`);
}

/** @throws {PoolError} `workspace_impossible` where no worktree can be made. */
export async function groundOf(cwd: string, signal: AbortSignal | undefined): Promise<Ground> {
  const call = { cwd, signal, answers: [128] };
  const args = ["rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--show-prefix"];
  const [{ code, stdout, stderr }, repository] = await Promise.all([git(args, call), repositoryOf(cwd, signal)]);
  if (code !== 0 || repository === undefined) {
    throw impossible(
      repository === undefined
        ? `${cwd} is in no git repository, so no task can be isolated there. Run \`git init\` and commit, or ask for isolation none.`
        : `Git cannot use the repository of ${cwd}: ${stderr.trim()}`,
    );
  }
  const [isBare, isInside, ...rest] = stdout.split("\n");
  const prefix = rest.join("\n").replace(/\n$/, "");
  if (isInside !== "true") {
    throw impossible(
      isBare === "true"
        ? `${cwd} is a bare repository, which has no files to work on. Name a checkout of it as the directory.`
        : `${cwd} is inside a git directory, where no task can work. Name the checkout.`,
    );
  }
  const real = await realpath(cwd);
  // Git ends it with a slash, which `real` does not have.
  const inside = prefix.replace(/\/$/, "");
  const root = inside === "" ? real : real.slice(0, -inside.length - 1);
  return { repository, root, prefix: inside };
}

/** @throws {PoolError} `workspace_impossible` if there is no such base, or the task's directory is not in it. */
export async function baseOf(baseRef: string, ground: Ground, signal: AbortSignal | undefined): Promise<Base> {
  const call = { cwd: ground.root, signal, answers: [1, 128] };
  const commit = await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${baseRef}^{commit}`], call);
  if (commit.code !== 0) throw await noBase(baseRef, ground, signal);
  const baseCommit = commit.stdout.trim();
  const named = await git(["rev-parse", "--symbolic-full-name", "--end-of-options", baseRef], call);
  // `--end-of-options` is printed too by some versions.
  const full = named.stdout.trim().split("\n").at(-1) ?? "";
  const target = full.startsWith("refs/heads/") ? full.slice("refs/heads/".length) : undefined;
  if (ground.prefix !== "") {
    const { stdout } = await git(["cat-file", "-t", `${baseCommit}:${ground.prefix}`], call);
    if (stdout.trim() !== "tree") {
      throw impossible(
        `The directory ${ground.prefix} is not in ${baseRef} (${baseCommit.slice(0, 12)}), so no task can work there. ` +
          "Commit it, or name another base or directory.",
      );
    }
  }
  return { baseRef, baseCommit, ...(target === undefined ? {} : { target }) };
}

async function noBase(baseRef: string, { root }: Ground, signal: AbortSignal | undefined): Promise<PoolError> {
  const head = await git(["rev-parse", "--verify", "--quiet", "HEAD"], { cwd: root, signal, answers: [1, 128] });
  return impossible(
    head.code !== 0
      ? `The repository of ${root} has no commit yet, so there is nothing to begin from. Commit once, then try again.`
      : `The base ${JSON.stringify(baseRef)} is no commit of the repository of ${root}. Name a branch, tag or commit that is there.`,
  );
}

export function impossible(message: string): PoolError {
  return new PoolError("workspace_impossible", message);
}
