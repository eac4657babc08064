/**
 * What stands in a directory at this moment, as git objects.
 *
 * N1. The directory, its index, its branch and what is under way in it are only read: everything is done on a copy of the index.
 * N2. Nothing that git does not ignore is left out: flags that hide edits (assume-unchanged, skip-worktree) are taken off the
 *     copy, nested repositories are entered. What cannot be read fails the whole.
 * N3. Others may be writing there: what changes while it is read is read again (among-writers.ts).
 */
import { randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { gitAmongWriters } from "./among-writers.ts";
import { isThere, textOf, within, type Checkout } from "./checkout.ts";
import { git, gitList, gitText, identity, type GitCall } from "./git.ts";
import { inRoot, saveModules, type KeptModule, type ModuleKeeper } from "./modules.ts";
import { withOwnIndex } from "./own-index.ts";
import { undated, type Standing } from "./saved-commit.ts";

/** A directory with a git directory; nested ones are none of the pool's places. */
export type Root = Pick<Checkout, "path" | "gitDir">;

/** What stands there, and what HEAD's tree and branch are. */
export interface Look {
  readonly standing: Standing;
  readonly headTree?: string;
  /** The full name of the branch that HEAD is; absent when it is detached. */
  readonly branch?: string;
}

/** Looks at a directory; nested repositories are handed to `keeper`. @throws {PoolError} as `git`. */
export async function look(root: Root, keeper: ModuleKeeper, signal?: AbortSignal): Promise<Look> {
  const head = await headOf(root, signal);
  const merges = ((await textOf(join(root.gitDir, "MERGE_HEAD"))) ?? "").split("\n").filter((line) => line !== "");
  return withOwnIndex(root, signal, async (own) => {
    const call = { ...own, timeoutMs: 600_000 };
    const entries = await readEntries(call);
    await showHidden(root, entries, call);
    const conflicts = await conflictsIn(root, entries, call);
    const indexTree = await treeOf(call);
    const modules = await saveModules(root, entries.gitlinks, keeper, call);
    const tree = await everything(modules, call);
    const { commit, tree: headTree, branch } = head;
    return {
      standing: {
        ...(commit === undefined ? {} : { head: commit }),
        merges,
        tree,
        indexTree,
        ...(conflicts === undefined ? {} : { conflicts }),
        modules: modules.filter((module) => module.isOnlyHere).map(({ path, commit }) => ({ path, commit })),
      },
      ...(headTree === undefined ? {} : { headTree }),
      ...(branch === undefined ? {} : { branch }),
    };
  });
}

interface Head {
  readonly commit?: string;
  readonly tree?: string;
  readonly branch?: string;
}

async function headOf(root: Root, signal: AbortSignal | undefined): Promise<Head> {
  const call = { ...within(root, signal), answers: [1, 128] };
  const names = ["HEAD^{commit}", "HEAD^{tree}", "--symbolic-full-name", "HEAD"];
  const { code, stdout } = await git(["rev-parse", ...names], call);
  if (code !== 0) return {}; // a branch without a commit
  const [commit = "", tree = "", name = ""] = stdout.split("\n");
  return { commit, tree, ...(name.startsWith("refs/heads/") ? { branch: name } : {}) };
}

/** As `withOwnIndex` names its copies. */
const copyPrefix = "claude-pool-index-";

/** Removes the copies that a killed process left; a young one may be somebody's who looks at this moment. */
export async function dropIndexCopies(gitDir: string): Promise<void> {
  for (const name of await readdir(gitDir)) {
    if (!name.startsWith(copyPrefix)) continue;
    const file = join(gitDir, name);
    // Not by the time of its content, which is the index's own.
    const found = await stat(file).catch(() => undefined); // gone: its owner has removed it
    if (found !== undefined && Date.now() - found.ctimeMs > longestLookMs) await rm(file, { force: true });
  }
}

const longestLookMs = 3_600_000;

interface Entries {
  /** Initialised or not. */
  readonly gitlinks: readonly string[];
  /** Marked assume-unchanged, and skip-worktree. */
  readonly assumed: readonly string[];
  readonly skipped: readonly string[];
  readonly unmerged: readonly {
    readonly mode: string;
    readonly id: string;
    readonly stage: string;
    readonly path: string;
  }[];
}

async function readEntries(call: GitCall): Promise<Entries> {
  const gitlinks: string[] = [];
  const assumed: string[] = [];
  const skipped: string[] = [];
  const unmerged: { mode: string; id: string; stage: string; path: string }[] = [];
  for (const record of await gitList(["ls-files", "-z", "-v", "-s"], call)) {
    const tab = record.indexOf("\t");
    const [tag = "", mode = "", id = "", stage = ""] = record.slice(0, tab).split(" ");
    const path = record.slice(tab + 1);
    if (mode === "160000" && stage === "0") gitlinks.push(path);
    if (tag !== tag.toUpperCase()) assumed.push(path);
    if (tag.toUpperCase() === "S") skipped.push(path);
    if (stage !== "0") unmerged.push({ mode, id, stage, path });
  }
  return { gitlinks, assumed, skipped, unmerged };
}

/** N2: a file that stands there is looked at, whatever flag it has. */
async function showHidden(root: Root, { assumed, skipped }: Entries, call: GitCall): Promise<void> {
  const present: string[] = [];
  for (const path of skipped) if (await isThere(join(root.path, path))) present.push(path);
  const flags: readonly (readonly [string, readonly string[]])[] = [
    ["--no-assume-unchanged", assumed],
    ["--no-skip-worktree", present],
  ];
  for (const [flag, paths] of flags) {
    if (paths.length > 0)
      await gitAmongWriters(["update-index", flag, "-z", "--stdin"], { ...call, input: nulEnded(paths) });
  }
}

/** The conflicting versions as a commit; the copy loses them, or it could not be written as a tree. */
async function conflictsIn(root: Root, { unmerged }: Entries, call: GitCall): Promise<string | undefined> {
  if (unmerged.length === 0) return undefined;
  const stages = join(root.gitDir, `${copyPrefix}${randomUUID()}`);
  const own = { ...call, env: { ...call.env, GIT_INDEX_FILE: stages } };
  try {
    const lines = unmerged.map(({ mode, id, stage, path }) => `${mode} ${id} 0\t${stage}/${path}`);
    await git(["update-index", "-z", "--index-info"], { ...own, input: nulEnded(lines) });
    const tree = await gitText(["write-tree"], own);
    const paths = [...new Set(unmerged.map(({ path }) => path))];
    await gitAmongWriters(["update-index", "-z", "--force-remove", "--stdin"], { ...call, input: nulEnded(paths) });
    const dated = { ...call, env: { ...call.env, ...undated } };
    return await gitText([...(await identity(call)), "commit-tree", tree, "-m", "conflicts"], dated);
  } finally {
    await rm(stages, { force: true });
  }
}

/** Everything into the copy, and the copy as a tree. */
async function everything(modules: readonly KeptModule[], call: GitCall): Promise<string> {
  // An entry for a repository that the worker only put there would reach the user's branch, where nobody could follow it.
  const left = modules.filter((module) => !module.isEntry && module.path !== inRoot);
  const but = left.map(({ path }) => `:(top,exclude,literal)${path}`);
  const paths = but.length === 0 ? [] : ["--", ":(top)", ...but];
  const settings = ["-c", "core.safecrlf=false", "-c", "advice.addEmbeddedRepo=false", ...durable];
  await gitAmongWriters([...settings, "add", "--all", "--sparse", ...paths], {
    ...call,
    env: { ...call.env, GIT_LITERAL_PATHSPECS: "0" },
  });
  return treeOf(call, settings);
}

/** The copy as a tree. Git reads files for that too: those that changed in the second in which the index was written. */
async function treeOf(call: GitCall, settings: readonly string[] = []): Promise<string> {
  return (await gitAmongWriters([...settings, "write-tree"], call)).stdout.trimEnd();
}

/** A power cut takes nothing that was saved. */
const durable = ["-c", "core.fsync=committed,loose-object", "-c", "core.fsyncMethod=batch"];

function nulEnded(lines: readonly string[]): string {
  return lines.map((line) => `${line}\0`).join("");
}
