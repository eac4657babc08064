/**
 * The refs that keep work.
 *
 * K1. `refs/claude-pool/<owner>` has the last state. What it had before and does not contain goes to
 *     `refs/claude-pool-earlier/<owner>/<n>` in the same transaction, under a number that was not used.
 */
import { PoolError } from "../core/errors.ts";
import { earlierRef, savedRef } from "../core/workspace.ts";
import { git, gitText, type GitCall } from "./git.ts";

/** A call in the repository itself. */
export function inRepository(repository: string, signal?: AbortSignal): GitCall {
  return { cwd: repository, signal, env: { GIT_DIR: repository } };
}

/** What a ref is; undefined: it is not there. */
export async function refAt(repository: string, ref: string, signal?: AbortSignal): Promise<string | undefined> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", ref];
  const { code, stdout } = await git(args, { ...inRepository(repository, signal), answers: [1] });
  return code === 0 ? stdout.trim() : undefined;
}

export async function isAncestor(
  repository: string,
  commit: string,
  of: string,
  signal?: AbortSignal,
): Promise<boolean> {
  if (commit === of) return true;
  const call = { ...inRepository(repository, signal), answers: [1] };
  return (await git(["merge-base", "--is-ancestor", commit, of], call)).code === 0;
}

/** Makes the commit the owner's saved one (K1); false: somebody else saved for him meanwhile, and nothing was changed. */
export async function setSaved(
  repository: string,
  owner: string,
  commit: string,
  attempt: number,
  also: readonly string[] = [],
): Promise<boolean> {
  const ref = savedRef(owner);
  const before = await refAt(repository, ref);
  const earlier = await earlierOf(repository, owner);
  const displaced = [...(before === undefined ? [] : [before]), ...also];
  const kept = await notIn(repository, displaced, [commit, ...earlier]);
  const numbers = await freeNumbers(repository, owner, Math.max(1, attempt - 1), kept.length);
  const lines = [
    ...(before === commit ? [] : [`update ${ref} ${commit} ${before ?? zeros(commit)}`]),
    ...kept.map((tip, index) => `create ${earlierRef(owner, numbers[index] ?? 0)} ${tip}`),
  ];
  if (lines.length === 0) return true;
  try {
    // Durable: the directory may be removed right after.
    await git(["-c", "core.fsync=committed", "update-ref", "--stdin"], {
      ...inRepository(repository),
      input: `${lines.join("\n")}\n`,
    });
    return true;
  } catch (error) {
    const now = [await refAt(repository, ref), ...(await earlierOf(repository, owner))];
    if (now.join() === [before, ...earlier].join()) throw error;
    return false;
  }
}

/** Keeps a commit beside the owner's saved one, unless his refs contain it already. */
export async function keepEarlier(repository: string, owner: string, commit: string): Promise<void> {
  const saved = await refAt(repository, savedRef(owner));
  const others = [...(saved === undefined ? [] : [saved]), ...(await earlierOf(repository, owner))];
  if ((await notIn(repository, [commit], others)).length === 0) return;
  const [number = 1] = await freeNumbers(repository, owner, 1, 1);
  await git(["update-ref", earlierRef(owner, number), commit, zeros(commit)], inRepository(repository));
}

/** Those of the commits that none of the others contains; each once. */
async function notIn(
  repository: string,
  commits: readonly string[],
  others: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const commit of new Set(commits)) {
    if (others.includes(commit)) continue;
    const args = ["rev-list", "--max-count=1", commit, "--not", ...others, ...found];
    if ((await gitText(args, inRepository(repository))) !== "") found.push(commit);
  }
  return found;
}

/** The commits of the owner's earlier refs. */
async function earlierOf(repository: string, owner: string): Promise<readonly string[]> {
  const args = ["for-each-ref", "--format=%(objectname)", `refs/claude-pool-earlier/${owner}/`];
  return (await gitText(args, inRepository(repository))).split("\n").filter((id) => id !== "");
}

async function freeNumbers(repository: string, owner: string, from: number, count: number): Promise<readonly number[]> {
  if (count === 0) return [];
  const args = ["for-each-ref", "--format=%(refname)", `refs/claude-pool-earlier/${owner}/`];
  const used = new Set((await gitText(args, inRepository(repository))).split("\n"));
  const free: number[] = [];
  for (let number = from; free.length < count; number += 1) {
    if (!used.has(earlierRef(owner, number))) free.push(number);
  }
  return free;
}

/** Every ref that keeps a task's work, the latest first. */
export async function savedRefs(
  repository: string,
): Promise<
  readonly { readonly ref: string; readonly commit: string; readonly atMs: number; readonly subject: string }[]
> {
  const format = "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents:subject)";
  const folders = ["refs/claude-pool/", "refs/claude-pool-earlier/"];
  const text = await gitText(["for-each-ref", "--sort=-committerdate", format, ...folders], inRepository(repository));
  return text.split("\n").flatMap((line) => {
    const [ref = "", commit = "", at, subject = ""] = line.split("\0");
    return ref === "" ? [] : [{ ref, commit, atMs: Number(at) * 1_000, subject }];
  });
}

/** The port's. */
export async function branchWith(repository: string, commit: string): Promise<string | undefined> {
  const args = ["for-each-ref", `--contains=${commit}`, "--format=%(refname)", "refs/heads/", "refs/remotes/"];
  const refs = (await gitText(args, inRepository(repository))).split("\n");
  const found = refs.find((ref) => ref !== "" && !ref.startsWith("refs/heads/claude-pool/"));
  return found?.replace(/^refs\/(heads|remotes)\//, "");
}

/** Drops a ref that keeps work, and with an owner's last one what was saved of repositories inside his directory. */
export async function dropRef(repository: string, ref: string, commit: string): Promise<void> {
  const [, owner] = /^refs\/claude-pool(?:-earlier)?\/([\w.-]+)(?:\/[\w.-]+)?$/.exec(ref) ?? [];
  if (owner === undefined) {
    throw new PoolError("invalid_options", `${ref} is no ref that keeps a task's work, so it is not dropped.`);
  }
  await git(["update-ref", "-d", ref, commit], inRepository(repository));
  if ((await refAt(repository, savedRef(owner))) !== undefined || (await earlierOf(repository, owner)).length > 0)
    return;
  const args = ["for-each-ref", "--format=delete %(refname)", `refs/claude-pool-modules/${owner}/`];
  const input = await gitText(args, inRepository(repository));
  if (input !== "") await git(["update-ref", "--stdin"], { ...inRepository(repository), input: `${input}\n` });
}

function zeros(commit: string): string {
  return "0".repeat(commit.length);
}
