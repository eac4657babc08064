/** The directories that the pool works in and the work that is saved from them, as `pool.worktrees`. */
import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import type {
  PrunedRef,
  PrunedWorktree,
  PruneRefsOptions,
  RestoreOptions,
  ShownWorkspace,
  Worktree,
} from "./core/api.ts";
import { defined } from "./core/config.ts";
import { PoolError } from "./core/errors.ts";
import type { FoundPlace } from "./core/workspaces-port.ts";
import type { TaskRecord } from "./core/task.ts";
import { earlierRef, savedRef, type Place, type TaskWorkspace } from "./core/workspace.ts";
import type { EngineParts } from "./engine/parts.ts";
import { taskNamed } from "./full-id.ts";
import { pruneRefs } from "./prune-refs.ts";
import { parsePruneRefsOptions, parseRestoreOptions } from "./schema/landing.ts";
import { draftSuffix } from "./workspace/making.ts";

/** Worktrees and clones. Nothing here removes work that is not saved. */
export class PoolWorktrees {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Every directory of this pool, with why it is there. */
  async list(): Promise<readonly Worktree[]> {
    const { records, workspaces } = this.#parts;
    const found: (readonly [FoundPlace, string])[] = [];
    for (const repository of await this.#repositories(await records.places()))
      for (const one of await workspaces.find(repository, records.poolId)) found.push([one, repository]);
    // Asked after the look: who made a directory before it was found had it in the records before that.
    const places = await records.places();
    const merging = new Set((await records.merges({ state: ["queued", "merging"] }, everyMerge)).map(({ id }) => id));
    return found.map(([one, repository]) => explained(one, repository, placeOf(one, places), merging));
  }

  /**
   * A task's workspace, and what is saved of its work.
   *
   * @throws {PoolError} `task_not_found`, `nothing_to_merge` for a task that ran without isolation.
   */
  async show(id: string): Promise<ShownWorkspace> {
    const { task, workspace } = await this.#isolated(id);
    const own = [savedRef(ownerOf(task)), earlierRef(ownerOf(task), 0).slice(0, -1)];
    const refs = (await this.#parts.workspaces.savedRefs(workspace.repository)).filter(
      ({ ref }) => ref === own[0] || ref.startsWith(own[1] ?? ref),
    );
    const owner = (await this.list()).find(({ path }) => path === workspace.path)?.taskId;
    return { taskId: task.id, workspace, stands: owner === ownerOf(task), refs };
  }

  /**
   * Puts a task's saved work into a worktree of the user's own; resolves to its path.
   *
   * @throws {PoolError} `task_not_found`, `nothing_to_merge` if nothing is saved, `invalid_options` if the directory is not empty.
   * @example await pool.worktrees.restore("task-3f9c", { path: "../look" });
   */
  async restore(id: string, options: RestoreOptions = {}): Promise<string> {
    const { path: given, branch } = parseRestoreOptions(options);
    const { task, workspace } = await this.#isolated(id);
    if (workspace.saved === undefined) {
      throw new PoolError("nothing_to_merge", `Nothing is saved of task ${task.id} yet.`, { taskId: task.id });
    }
    const { cwd, workspaces } = this.#parts;
    const path = resolve(cwd, given ?? `../${task.id}`);
    const { repository, saved } = workspace;
    await workspaces.restore({ repository, ref: saved.ref, path, ...defined({ branch }) });
    return path;
  }

  /**
   * Saves what is left in directories that nobody works in, then removes them; what cannot be saved stays and says why.
   *
   * @example const removed = (await pool.worktrees.prune()).filter((one) => one.isRemoved);
   */
  async prune(options: { readonly dryRun?: boolean } = {}): Promise<readonly PrunedWorktree[]> {
    const pruned: PrunedWorktree[] = [];
    const listed = await this.list();
    const places = await this.#parts.records.places();
    for (const worktree of listed) {
      const isOver = worktree.explanation === "free" || worktree.explanation === "leftover";
      if (!isOver) pruned.push(worktree);
      else if (options.dryRun === true) pruned.push({ ...worktree, isRemoved: true });
      else pruned.push(await this.#remove(worktree, places));
    }
    if (options.dryRun !== true) await this.#forgetGone(places);
    return pruned;
  }

  /**
   * Drops the refs of work that a branch has, as it is or as it was merged; the others stay and say why. To be called after
   * {@link prune}: what still stands in a directory is saved again before that is used anew.
   *
   * @throws {PoolError} `invalid_options`.
   * @example await pool.worktrees.pruneRefs({ olderThanMs: 30 * 86_400_000 });
   */
  async pruneRefs(options: PruneRefsOptions = {}): Promise<readonly PrunedRef[]> {
    const parsed = parsePruneRefsOptions(options);
    const directories = await this.list();
    const pruned: PrunedRef[] = [];
    for (const repository of await this.#repositories(await this.#parts.records.places()))
      pruned.push(...(await pruneRefs(this.#parts, repository, directories, parsed)));
    return pruned;
  }

  /** Out of the records first: nobody is given a directory that is being removed. */
  async #remove(worktree: Worktree, places: readonly Place[]): Promise<PrunedWorktree> {
    const { records, workspaces } = this.#parts;
    const { path, repository } = worktree;
    const place = placeOf(worktree, places);
    const isPlace = place !== undefined && basename(place.path) === basename(path);
    if (isPlace && !(await records.dropPlace(place.number))) return worktree; // somebody took it just now
    try {
      const savedTo = await workspaces.rescue(worktree, repository);
      await workspaces.remove(path, repository);
      return { ...worktree, isRemoved: true, ...defined({ savedTo: worktree.isSaved ? undefined : savedTo }) };
    } catch (error) {
      return { ...worktree, error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Places whose directory somebody else removed. */
  async #forgetGone(places: readonly Place[]): Promise<void> {
    for (const { number, path } of places) if (!existsSync(path)) await this.#parts.records.dropPlace(number);
  }

  async #repositories(places: readonly Place[]): Promise<ReadonlySet<string>> {
    const own = await this.#parts.workspaces.repositoryOf(this.#parts.cwd);
    const known = places.map(({ repository }) => repository).filter((repository) => existsSync(repository));
    return new Set([...(own === undefined ? [] : [own]), ...known]);
  }

  async #isolated(id: string): Promise<{ readonly task: TaskRecord; readonly workspace: TaskWorkspace }> {
    const task = await taskNamed(this.#parts.records, id);
    return { task, workspace: workspaceOf(task) };
  }
}

/** @throws {PoolError} `nothing_to_merge` for a task without one. */
export function workspaceOf({ id, workspace, state }: TaskRecord): TaskWorkspace {
  if (workspace !== undefined) return workspace;
  const why = state === "pending" ? "it has not run yet" : "it ran without isolation, in the shared directory";
  throw new PoolError("nothing_to_merge", `Task ${id} has no work of its own: ${why}.`, { taskId: id });
}

/** Whose refs its work is under: a step's is its chain's. */
function ownerOf(task: TaskRecord): string {
  return task.chainId ?? task.id;
}

/** By the name, which is used once; a clone that is being made stands beside its place. */
function placeOf({ path }: Pick<FoundPlace, "path">, places: readonly Place[]): Place | undefined {
  const name = basename(path, draftSuffix);
  return places.find((place) => basename(place.path) === name);
}

/** All that can be open at once. */
const everyMerge = 1_000_000;

function explained(
  found: FoundPlace,
  repository: string,
  place: Place | undefined,
  merging: ReadonlySet<string>,
): Worktree {
  const { owner, ...rest } = found;
  const name = basename(found.path);
  const shown = { ...rest, repository, ...defined({ taskId: place?.taskId ?? owner }) };
  if (place?.slotId !== undefined) return { ...shown, explanation: "slot", slotId: place.slotId };
  if (place?.taskId !== undefined) return { ...shown, explanation: "task" };
  if (merging.has(name)) return { ...shown, explanation: "merge", mergeId: name };
  if (place !== undefined) return { ...shown, explanation: "free" };
  return { ...shown, explanation: owner === undefined && found.kind === "unknown" ? "unknown" : "leftover" };
}
