/**
 * Takes back what a move of a branch that was cut short left in the user's checkouts.
 *
 * Z1. What became of the move is told by the branch alone: it has the new commit, or the move has not happened.
 * Z2. A file is brought back only if it is one of the two versions, in the index and in the directory (there also the mere
 *     beginning of one, if git itself was killed while it wrote): then nobody has changed it, and both versions are in the
 *     repository. With one that is neither, the whole checkout is left as it is.
 */
import { existsSync } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PoolError } from "../core/errors.ts";
import { checkoutsOf } from "./branch-checkouts.ts";
import { within } from "./checkout.ts";
import { isMissing } from "./file-errors.ts";
import { git, gitBytes, gitList } from "./git.ts";
import { dropNote, readNote, writeNote, type LandingNote } from "./landing-note.ts";
import { withOwnIndex } from "./own-index.ts";
import { removeFile } from "./put-back.ts";
import { isAncestor, refAt } from "./refs.ts";
import { dropOfTheDead } from "./stale-locks.ts";
import type { Root } from "./standing.ts";

/**
 * To be called with the repository's lock.
 *
 * @throws {PoolError} `checkout_dirty` naming the files that are neither version (Z2), and what to do.
 */
export async function heal(repository: string, branch: string, signal?: AbortSignal): Promise<void> {
  const note = await readNote(repository, branch);
  if (note === undefined || note.state === "moved") return;
  const { before, commit } = note;
  const now = await refAt(repository, `refs/heads/${branch}`, signal);
  if (now !== undefined && now !== before) {
    // Whatever else the user has made of it since is his own.
    if (await isAncestor(repository, commit, now, signal)) await writeNote(repository, { ...note, state: "moved" });
    else await dropNote(repository, branch);
    return;
  }
  await dropDeadLocks(repository, branch, note);
  if (note.state === "checking") {
    await dropNote(repository, branch);
    return;
  }
  for (const checkout of await checkoutsOf(repository, branch, signal)) {
    if (note.checkouts.includes(checkout.path)) await bringBack(checkout, before, commit);
  }
  await dropNote(repository, branch);
}

/**
 * The locks of a move that was cut short together with its git (a power cut): else every commit there would fail until somebody
 * removes them by hand. Only where it can be told that no git is at work.
 */
async function dropDeadLocks(repository: string, branch: string, note: LandingNote): Promise<void> {
  if (process.platform !== "linux") return;
  const locks = [join(repository, "refs", "heads", `${branch}.lock`), join(repository, "HEAD.lock")];
  const checkouts = (await checkoutsOf(repository, branch)).filter(({ path }) => note.checkouts.includes(path));
  const indexes = checkouts.map(({ gitDir }) => join(gitDir, "index.lock"));
  const folders = [repository, ...checkouts.flatMap(({ path, gitDir }) => [path, gitDir])];
  // A lock has to be old before it can be told from one that is just being taken.
  for (let round = 0; round < 15 && [...locks, ...indexes].some((lock) => existsSync(lock)); round += 1) {
    if (round > 0) await delay(200);
    await dropOfTheDead([...locks, ...indexes], folders);
  }
}

/** One file of the two commits, as `mode id` in each; absent: it has no such file. */
interface Versions {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

async function bringBack(checkout: Root, before: string, commit: string): Promise<void> {
  const files = await versionsOf(checkout, before, commit);
  const index = await indexOf(checkout);
  const unlikeBefore = await unlike(checkout, before, files, "before");
  const unlikeAfter = await unlike(checkout, commit, files, "after");
  const foreign: Versions[] = [];
  for (const file of files) {
    const { path, before: old, after } = file;
    const staged = index.get(path);
    const isNeither = unlikeBefore.has(path) && unlikeAfter.has(path) && !(await isBeginning(checkout, file));
    if ((staged !== old && staged !== after) || isNeither) foreign.push(file);
  }
  if (foreign.length > 0) throw stuck(checkout.path, foreign);
  const call = within(checkout);
  const entries = files
    .filter(({ path, before: old }) => index.get(path) !== old)
    // What goes first makes room for what comes.
    .toSorted((a, b) => Number(a.before !== undefined) - Number(b.before !== undefined))
    .map(({ path, before: old }) => `${old ?? `0 ${"0".repeat(40)}`} 0\t${path}\0`);
  if (entries.length > 0) await git(["update-index", "-z", "--index-info"], { ...call, input: entries.join("") });
  const wrong = files.filter(({ path }) => unlikeBefore.has(path));
  for (const { path, before: old } of wrong) if (old === undefined) await removeFile(checkout.path, path);
  const input = wrong.flatMap(({ path, before: old }) => (old === undefined ? [] : [`${path}\0`])).join("");
  await git(["checkout-index", "--force", "-u", "-z", "--stdin"], { ...call, input });
}

async function versionsOf(checkout: Root, before: string, commit: string): Promise<readonly Versions[]> {
  const args = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", before, commit];
  const records = await gitList(args, within(checkout));
  const found: Versions[] = [];
  for (let at = 0; at + 1 < records.length; at += 2) {
    const [oldMode = "", mode = "", oldId = "", id = ""] = (records[at] ?? "").slice(1).split(" ");
    const version = (of: string, blob: string): string | undefined => (/^0+$/.test(of) ? undefined : `${of} ${blob}`);
    found.push({ path: records[at + 1] ?? "", before: version(oldMode, oldId), after: version(mode, id) });
  }
  return found;
}

/** What the index has of each file; of a conflict something that is no version. */
async function indexOf(checkout: Root): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const record of await gitList(["ls-files", "-z", "-s"], within(checkout))) {
    const tab = record.indexOf("\t");
    const [mode = "", id = "", stage] = record.slice(0, tab).split(" ");
    found.set(record.slice(tab + 1), stage === "0" ? `${mode} ${id}` : "conflict");
  }
  return found;
}

/** The files whose content in the directory is not that of the commit. Of a submodule only the index is a file of ours. */
async function unlike(
  checkout: Root,
  commit: string,
  files: readonly Versions[],
  side: "before" | "after",
): Promise<ReadonlySet<string>> {
  const differ = await withOwnIndex(checkout, undefined, async (call) => {
    await git(["read-tree", commit], call);
    await git(["update-index", "--refresh"], { ...call, answers: [1] });
    return new Set(await gitList(["diff-files", "-z", "--name-only", "--ignore-submodules=all"], call));
  });
  const found = new Set<string>();
  for (const file of files) {
    const isHere = file[side] === undefined ? await isThere(join(checkout.path, file.path)) : differ.has(file.path);
    if (isHere) found.add(file.path);
  }
  return found;
}

/** Is it gone, or what a git that was killed had written of a version so far? */
async function isBeginning(checkout: Root, { path, before, after }: Versions): Promise<boolean> {
  const file = join(checkout.path, path);
  let written: Buffer;
  try {
    if (!(await lstat(file)).isFile()) return false;
    written = await readFile(file);
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
  for (const version of [before, after]) {
    const id = version?.split(" ")[1];
    if (id === undefined) continue;
    // As it is written into a directory.
    const { stdout } = await gitBytes(["cat-file", "--filters", `--path=${path}`, id], within(checkout));
    if (Buffer.from(stdout).subarray(0, written.length).equals(written)) return true;
  }
  return false;
}

/** A directory in its place is the other version's. */
async function isThere(path: string): Promise<boolean> {
  try {
    return !(await lstat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function stuck(path: string, foreign: readonly Versions[]): PoolError {
  const files = foreign.map((file) => file.path);
  const named = files.map((file) => JSON.stringify(file)).join(" ");
  return new PoolError(
    "checkout_dirty",
    `A merge was cut short while it changed files in ${path}, and these were changed since: ${named}. Nothing was touched. ` +
      `Keep what you need of them; then \`git -C ${JSON.stringify(path)} restore --source=HEAD --staged --worktree -- ${named}\`, and merge again.`,
    { checkout: path, files },
  );
}
