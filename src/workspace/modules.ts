/**
 * Repositories inside a directory: initialised submodules, and clones that a worker made in it. Git keeps of each only the id
 * of a commit; the commit itself, and what is not committed, would go with the directory.
 *
 * U1. Each that holds something that is nowhere else is saved by the same rules, into refs of the repository that the directory
 *     belongs to: `refs/claude-pool-modules/<owner>/<name>/<commit>`. Such a ref never moves.
 */
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { isThere } from "./checkout.ts";
import { git, gitList, gitText, type GitCall } from "./git.ts";
import { commitOf, undated, type SavedModule } from "./saved-commit.ts";
import { look, type Root } from "./standing.ts";

/** Where nested repositories are kept. */
export interface ModuleKeeper {
  /** The git directory that gets the refs. */
  readonly repository: string;
  readonly owner: string;
}

export interface KeptModule {
  readonly path: string;
  readonly commit: string;
  /** Can the repository around it hold it as an entry: it does already, and it has a commit? */
  readonly isEntry: boolean;
  /** False: a submodule that is as its own remote and the commit around it have it. */
  readonly isOnlyHere: boolean;
}

/** Saves what is only there (U1). `call` works on the copy of the index of the repository around them. */
export async function saveModules(
  around: Root,
  gitlinks: readonly string[],
  keeper: ModuleKeeper,
  call: GitCall,
): Promise<readonly KeptModule[]> {
  const untracked = (await gitList(["ls-files", "-z", "--others", "--exclude-standard"], call)).flatMap((path) =>
    path.endsWith("/") ? [path.slice(0, -1)] : [],
  );
  const kept: KeptModule[] = [];
  for (const path of new Set([...gitlinks, ...untracked, ...(await inPlaceOfPointer(around))])) {
    const root = await rootAt(join(around.path, path), call.signal);
    if (root !== undefined) kept.push(await saveModule(root, path, gitlinks.includes(path), keeper, call.signal));
  }
  return kept;
}

/** A worker may have made a repository of its own in the root of its worktree: its commits are work too. */
async function inPlaceOfPointer({ path, gitDir }: Root): Promise<readonly string[]> {
  const own = join(path, ".git");
  return own !== gitDir && (await isThere(join(own, "HEAD"))) ? [inRoot] : [];
}

/** The path of such a one. */
export const inRoot = ".";

/** The repository whose root is this very directory. */
async function rootAt(path: string, signal: AbortSignal | undefined): Promise<Root | undefined> {
  if (!(await isThere(join(path, ".git")))) return undefined;
  const { code, stdout } = await git(["rev-parse", "--absolute-git-dir"], { cwd: path, signal, answers: [128] });
  if (code !== 0) return undefined;
  const gitDir = stdout.replace(/\n$/, "");
  return { path, gitDir };
}

async function saveModule(
  root: Root,
  path: string,
  isTracked: boolean,
  keeper: ModuleKeeper,
  signal: AbortSignal | undefined,
): Promise<KeptModule> {
  const call: GitCall = { cwd: root.path, signal, env: { GIT_DIR: root.gitDir, GIT_WORK_TREE: root.path } };
  const { standing, headTree } = await look(root, keeper, signal);
  const dated = { ...call, env: { ...call.env, ...undated } };
  const commit = await commitOf(standing, headTree, `In ${path}`, dated);
  const tips = await onlyHere(commit, call);
  const isOnlyHere = !isTracked || commit !== standing.head || tips.includes(commit);
  for (const tip of isOnlyHere ? [commit, ...tips] : tips) await keep(tip, path, root.gitDir, keeper, call);
  return { path, commit, isEntry: isTracked && standing.head !== undefined, isOnlyHere };
}

/** Commits that no remote of it is known to have: the one given, its branches, tags and stashes. */
export async function onlyHere(commit: string, call: GitCall): Promise<readonly string[]> {
  const refs = ["for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags", "refs/stash"];
  const tips = (await gitText(refs, call)).split("\n");
  const stashes = await git(["rev-list", "--walk-reflogs", "refs/stash", "--"], { ...call, answers: [128] });
  const found: string[] = [];
  for (const tip of new Set([commit, ...tips, ...stashes.stdout.split("\n")])) {
    if (tip === "") continue;
    const but = tip === commit ? ["--remotes"] : ["--remotes", commit];
    const { code, stdout } = await git(["rev-list", "--max-count=1", tip, "--not", ...but], {
      ...call,
      answers: [128],
    });
    if (code === 0 && stdout !== "") found.push(tip);
  }
  return found;
}

/** Brings a commit over under a ref that names it. */
async function keep(
  commit: string,
  path: string,
  gitDir: string,
  { repository, owner }: ModuleKeeper,
  call: GitCall,
): Promise<void> {
  const ref = moduleRef(owner, { path, commit });
  const own = { cwd: repository, signal: call.signal, env: { GIT_DIR: repository } };
  const known = await git(["rev-parse", "--verify", "--quiet", ref], { ...own, answers: [1] });
  if (known.code === 0) return;
  // Of this look alone: others may look at the same time, and remove theirs.
  const from = `refs/claude-pool-saving/${randomUUID()}`;
  await git(["update-ref", from, commit], call);
  try {
    await fetchInto(repository, gitDir, `+${from}:${ref}`, call.signal);
  } catch (error) {
    if ((await git(["rev-parse", "--verify", "--quiet", ref], { ...own, answers: [1] })).code !== 0) throw error;
  } finally {
    await git(["update-ref", "-d", from], call);
  }
}

/** Fetches refs of a repository on this machine, with nothing beside them; a shallow one stays as deep as it is. */
export async function fetchInto(
  repository: string,
  from: string,
  refspec: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const quiet = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"];
  await git(["-c", "fetch.fsckObjects=false", "fetch", ...quiet, "--update-shallow", from, refspec], {
    cwd: repository,
    signal,
    timeoutMs: 600_000,
    env: { GIT_DIR: repository },
  });
}

/** The ref that keeps a commit of a nested repository (U1). */
export function moduleRef(owner: string, { path, commit }: SavedModule): string {
  return `refs/claude-pool-modules/${owner}/${nameOf(path)}/${commit}`;
}

/** Readable, and unique for the path. */
function nameOf(path: string): string {
  const tail = path.replace(/[^A-Za-z0-9_-]+/g, "-").slice(-40);
  return `${tail}-${createHash("sha256").update(path).digest("hex").slice(0, 12)}`;
}
