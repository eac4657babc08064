/** The files of a user's checkout, when its branch moves from one commit to another. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { within } from "./checkout.ts";
import { isMissing } from "./file-errors.ts";
import { git, gitList } from "./git.ts";
import type { Root } from "./standing.ts";
import { differing, type Differing } from "./put-back.ts";

/**
 * Brings the files that differ between two commits from the one to the other; every other file stays, changed or not.
 *
 * @throws {PoolError} `workspace_failed` and nothing is changed, if git would have to overwrite something.
 */
export async function bring(checkout: Root, from: string, to: string): Promise<void> {
  await git(["read-tree", "-m", "-u", from, to], { ...within(checkout), timeoutMs: 600_000 });
}

/**
 * Refuses a move that would have to touch what the user has changed.
 *
 * @throws {PoolError} `checkout_dirty` naming the files, `repository_locked`.
 */
export async function refuseDirty(checkout: Root, from: string, to: string, signal?: AbortSignal): Promise<void> {
  const call = within(checkout, signal);
  // A file that was only touched would look changed.
  await git(["update-index", "--refresh"], { ...call, answers: [1] });
  const moves = await differing(checkout, from, to, signal);
  const files = await inTheWay(checkout, from, moves, signal);
  if (files.length > 0) throw dirty(checkout.path, files);
  const trial = await git(["read-tree", "-n", "-m", "-u", from, to], { ...call, answers: [1, 128] });
  if (trial.code !== 0) throw dirty(checkout.path, [], trial.stderr.trim());
}

async function inTheWay(
  checkout: Root,
  from: string,
  { changed, added }: Differing,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const call = within(checkout, signal);
  const unmerged = await gitList(["diff", "--name-only", "--diff-filter=U", "-z", "--no-ext-diff"], call);
  if (unmerged.length > 0) return unmerged;
  const index = ["diff-index", "-z", "--name-only", "--no-renames", "--ignore-submodules=dirty"];
  const edited = new Set([
    ...(await gitList([...index, from], call)),
    ...(await gitList([...index, "--cached", from], call)),
  ]);
  const found = [...changed, ...added].filter((path) => edited.has(path));
  const gone = new Set(changed.map((path) => path.toLowerCase()));
  for (const path of added) {
    if (edited.has(path) || gone.has(path.toLowerCase())) continue; // on some systems a rename of its case is the same file
    if (await isUntracked(checkout, path, signal)) found.push(path);
  }
  return found;
}

/** Is there something that git does not keep, where a file is to come? */
async function isUntracked(checkout: Root, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    if (!(await lstat(join(checkout.path, path))).isDirectory()) return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  return (await gitList(["ls-files", "-z", "--others", "--", path], within(checkout, signal))).length > 0;
}

function dirty(path: string, files: readonly string[], said = ""): PoolError {
  const named = files.slice(0, 20).map((file) => JSON.stringify(file));
  const rest = files.length > named.length ? ` and ${String(files.length - named.length)} more` : "";
  const what =
    files.length === 0
      ? `Git said: ${said}`
      : `These files have changes of their own there: ${named.join(", ")}${rest}.`;
  return new PoolError(
    "checkout_dirty",
    `The branch is checked out in ${path}, and the merge would change files that are not clean. ${what} ` +
      "Commit or stash them, then merge again. Nothing was changed.",
    { checkout: path, files },
  );
}
