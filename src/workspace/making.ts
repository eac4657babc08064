/** A fresh worktree or clone, or one that is there made clean for another owner. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { branchOf } from "../core/workspace.ts";
import { dropBranch, takeBranch } from "./branches-of-owner.ts";
import { isThere, namesIn, realOf, registeredAt, textOf, within, type Checkout } from "./checkout.ts";
import { dropHalfRegistered } from "./clearing.ts";
import { git, gitList } from "./git.ts";
import { writeMark, type Mark } from "./mark.ts";
import { inRepository } from "./refs.ts";
import type { RepositoryLock } from "./repository-lock.ts";

export interface Making {
  readonly repository: string;
  readonly path: string;
  readonly poolId: string;
  readonly owner: string;
  /** What the branch begins at. */
  readonly commit: string;
}

/** A worktree with its files at the commit, on the owner's branch; marked as being made. */
export async function makeWorktree(
  making: Making,
  lock: RepositoryLock,
  signal: AbortSignal,
): Promise<[Checkout, Mark]> {
  const { repository, poolId, owner, commit } = making;
  const path = await realOf(making.path);
  const made = await lock(repository, signal, async (): Promise<[Checkout, Mark]> => {
    await dropHalfRegistered(repository);
    const branch = await takeBranch({ ...making, path }, commit, signal);
    // Not aborted half way: what follows says whose it is.
    const add = ["worktree", "add", "--quiet", "--force", "--no-checkout", "-B", branch, "--", path, commit];
    await git(add, inRepository(repository));
    const found = await registeredAt(path, repository);
    if (found === undefined) throw new Error(`git made no worktree at ${path}`);
    const mark: Mark = { state: "making", poolId, owner, branch };
    await writeMark(found.gitDir, mark);
    return [{ kind: "worktree", path: found.path, gitDir: found.gitDir, repository }, mark];
  });
  await checkOut(made[0], signal);
  return made;
}

/** A clone with its files at the commit, on the owner's branch; marked as being made. */
export async function makeClone(making: Making, signal: AbortSignal): Promise<[Checkout, Mark]> {
  const { repository, poolId, owner, commit } = making;
  await mkdir(dirname(making.path), { recursive: true });
  const path = await realOf(making.path);
  const draft = `${path}${draftSuffix}`;
  await cloneTo(draft, repository, signal);
  const inside = within({ path: draft, gitDir: join(draft, ".git") }, signal);
  const has = await git(["cat-file", "-e", `${commit}^{commit}`], { ...inside, answers: [1, 128] });
  if (has.code !== 0) await git(["fetch", "--quiet", "--no-tags", "--update-shallow", "origin", commit], inside);
  await takeSettings(repository, draft, signal);
  const branch = branchOf(poolId, owner);
  await git(["update-ref", `refs/heads/${branch}`, commit], inside);
  await git(["symbolic-ref", "HEAD", `refs/heads/${branch}`], inside);
  const mark: Mark = { state: "making", poolId, owner, branch };
  await writeMark(join(draft, ".git"), mark);
  await rename(draft, path);
  const clone: Checkout = { kind: "clone", path, gitDir: join(path, ".git"), repository };
  await checkOut(clone, signal);
  return [clone, mark];
}

/** Git lists the objects first and links them after: what somebody packs in between is missed, and a new look finds it. */
async function cloneTo(draft: string, repository: string, signal: AbortSignal): Promise<void> {
  const call = { cwd: dirname(draft), signal, timeoutMs: 600_000 };
  for (let attempt = 1; ; attempt += 1) {
    await rm(draft, { recursive: true, force: true });
    try {
      await git(["clone", "--quiet", "--local", "--no-checkout", "--", repository, draft], call);
      return;
    } catch (error) {
      const said = error instanceof PoolError ? String(error.details.stderr) : "";
      if (attempt === maxAttempts || !/objects.*: No such file or directory/.test(said)) throw error;
    }
  }
}

const maxAttempts = 10;

/** Of a clone whose making was cut short: nothing of anybody's. */
export const draftSuffix = ".making";

/** A worktree whose work is saved, with the new owner's branch and files; what git ignores stays. */
export async function reuseWorktree(
  checkout: Checkout,
  before: Mark | undefined,
  making: Making,
  lock: RepositoryLock,
  signal: AbortSignal,
): Promise<Mark> {
  const { repository, poolId, owner, commit } = making;
  const call = { ...within(checkout, signal), timeoutMs: 600_000 };
  const mark = await lock(repository, signal, async () => {
    const branch = await takeBranch({ ...making, path: checkout.path }, commit, signal);
    const next: Mark = { state: "making", poolId, owner, branch };
    await writeMark(checkout.gitDir, next);
    return next;
  });
  await showAll(checkout, signal);
  // What the last owner left goes by what he had git ignore; afterwards by what the base has it ignore.
  await git(["clean", "-ffdq"], call);
  for (const name of underWay) await rm(join(checkout.gitDir, name), { recursive: true, force: true });
  await rm(join(checkout.gitDir, "locked"), { force: true });
  await lock(repository, signal, async () => {
    const own = within(checkout);
    await git(["update-ref", `refs/heads/${mark.branch}`, commit], own);
    await git(["symbolic-ref", "HEAD", `refs/heads/${mark.branch}`], own);
    if (before !== undefined && before.branch !== mark.branch)
      await dropBranch({ repository, ...before }, before.branch);
  });
  await checkOut(checkout, signal);
  await git(["clean", "-ffdq"], call);
  return mark;
}

/** Can it be made clean by git's own means? Sparse patterns and initialised submodules of the last owner stay otherwise. */
export async function canBeReused(checkout: Checkout): Promise<boolean> {
  const { repository, gitDir } = checkout;
  for (const file of ["config.worktree", join("info", "sparse-checkout")]) {
    if ((await textOf(join(gitDir, file))) !== (await textOf(join(repository, file)))) return false;
  }
  return (await namesIn(join(gitDir, "modules"))).length === 0 && !(await isDirectoryLink(checkout));
}

/** A worker may have put a repository of its own in place of git's pointer. */
async function isDirectoryLink({ path }: Checkout): Promise<boolean> {
  return isThere(join(path, ".git", "HEAD"));
}

/** What a merge, rebase or bisect leaves in a git directory. */
const underWay = [
  ...[
    "rebase-merge",
    "rebase-apply",
    "sequencer",
    "MERGE_HEAD",
    "MERGE_MODE",
    "MERGE_MSG",
    "MERGE_AUTOSTASH",
    "AUTO_MERGE",
  ],
  ...[
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "SQUASH_MSG",
    "ORIG_HEAD",
    "FETCH_HEAD",
    "BISECT_LOG",
    "BISECT_START",
  ],
  ...["BISECT_TERMS", "BISECT_NAMES", "BISECT_EXPECTED_REV", "BISECT_ANCESTORS_OK", "BISECT_HEAD"],
];

/** Every file as HEAD has it. */
async function checkOut(checkout: Checkout, signal: AbortSignal): Promise<void> {
  await git(["reset", "--quiet", "--hard"], { ...within(checkout, signal), timeoutMs: 1_800_000 });
}

/** Takes off the flags that would hide an edited file from `reset`. */
async function showAll(checkout: Checkout, signal: AbortSignal): Promise<void> {
  const call = within(checkout, signal);
  const assumed: string[] = [];
  for (const record of await gitList(["ls-files", "-z", "-v"], call)) {
    const tag = record.slice(0, 1);
    if (tag !== tag.toUpperCase()) assumed.push(record.slice(2));
  }
  if (assumed.length === 0) return;
  const input = assumed.map((path) => `${path}\0`).join("");
  await git(["update-index", "--no-assume-unchanged", "-z", "--stdin"], { ...call, input });
}

/** What a clone does not take along by itself: where it came from, who commits, and how files are written. */
async function takeSettings(repository: string, clone: string, signal: AbortSignal): Promise<void> {
  const call = inRepository(repository, signal);
  const into = within({ path: clone, gitDir: join(clone, ".git") }, signal);
  const keys = "^(remote\\.origin\\.url|(user|author|committer)\\.(name|email)|core\\.(autocrlf|eol|whitespace))$";
  const listed = await gitList(["config", "--local", "-z", "--get-regexp", keys], { ...call, answers: [1] });
  for (const record of listed) {
    const at = record.indexOf("\n");
    const [key, value] = [record.slice(0, at), record.slice(at + 1)];
    if (key === "remote.origin.url" && !isAddress(value)) continue;
    await git(["config", key, value], into);
  }
  if (await isThere(join(repository, "lfs"))) await git(["config", "lfs.storage", join(repository, "lfs")], into);
  for (const name of ["exclude", "attributes"]) {
    const file = join(repository, "info", name);
    if (!(await isThere(file))) continue;
    await mkdir(join(clone, ".git", "info"), { recursive: true });
    await writeFile(join(clone, ".git", "info", name), await readFile(file));
  }
}

/** `https://…` or `host:path`, and no directory of this machine. */
function isAddress(url: string): boolean {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return !/^file:/i.test(url);
  return /^[^/\\]+:/.test(url) && !/^[a-z]:[\\/]/i.test(url);
}
