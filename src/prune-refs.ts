/**
 * Dropping refs that keep work.
 *
 * D1. A ref goes only if its task is over, no directory holds its work, and a branch of the user's has what it keeps, unless
 *     that last is waived.
 * D2. A ref of a task that this pool does not know may be another pool's, which may still need it: it stays.
 */
import type { PrunedRef, PruneRefsOptions, SavedRef, Worktree } from "./core/api.ts";
import { defined } from "./core/config.ts";
import { isTerminal, type TaskRecord } from "./core/task.ts";
import { ownerOfRef } from "./core/workspace.ts";
import type { EngineParts } from "./engine/parts.ts";

/** Looks at every ref of a repository, and drops those that may go. */
export async function pruneRefs(
  parts: EngineParts,
  repository: string,
  directories: readonly Worktree[],
  options: PruneRefsOptions,
): Promise<readonly PrunedRef[]> {
  const pruned: PrunedRef[] = [];
  for (const saved of await parts.workspaces.savedRefs(repository)) {
    const found = await judged(parts, repository, saved, directories, options);
    const isToGo = found.stays === undefined;
    const isGone = isToGo && (options.dryRun === true || (await drop(parts, repository, saved)));
    if (isGone) pruned.push({ ...found, isRemoved: true });
    else pruned.push(isToGo ? { ...found, stays: "it changed just now" } : found);
  }
  return pruned;
}

/** False: it is no longer at this commit, since somebody saved anew, or dropped it first. */
async function drop({ workspaces }: EngineParts, repository: string, { ref, commit }: SavedRef): Promise<boolean> {
  try {
    await workspaces.dropRef(repository, ref, commit);
    return true;
  } catch (error) {
    const now = await workspaces.savedRefs(repository);
    if (now.some((one) => one.ref === ref && one.commit === commit)) throw error;
    return false;
  }
}

async function judged(
  parts: EngineParts,
  repository: string,
  saved: SavedRef,
  directories: readonly Worktree[],
  { olderThanMs = 0, force = false }: PruneRefsOptions,
): Promise<PrunedRef> {
  const owner = ownerOfRef(saved.ref);
  const task = await parts.records.get(owner);
  const branch = await branchWith(parts, repository, saved, task);
  const found = { ...saved, repository, ...defined({ taskId: task?.id, branch }) };
  const held = directories.find((one) => one.taskId === owner && isHeld(one));
  const stays =
    task === undefined
      ? `it is of no task that this pool knows; git update-ref -d ${saved.ref} drops it`
      : !isTerminal(task.state)
        ? `the task is ${task.state.replace("_", " ")}`
        : held !== undefined
          ? `its work stands in ${held.path}`
          : parts.clock.now() - saved.atMs < olderThanMs
            ? "it is not that old"
            : force || branch !== undefined
              ? undefined
              : "no branch has it; only force drops it";
  return stays === undefined ? found : { ...found, stays };
}

/** A branch of the user's that has the work, as it is or as it was merged. */
async function branchWith(
  { records, workspaces }: EngineParts,
  repository: string,
  { ref, commit }: SavedRef,
  task: TaskRecord | undefined,
): Promise<string | undefined> {
  const own = await workspaces.branchWith(repository, commit);
  if (own !== undefined || task?.workspace?.saved?.ref !== ref || task.workspace.saved.commit !== commit) return own;
  const merges = await records.merges({ taskId: task.id, state: ["merged"] }, 1);
  const [landed] = merges.filter((merge) => merge.undoneAtMs === undefined);
  return landed?.commit === undefined ? undefined : workspaces.branchWith(repository, landed.commit);
}

function isHeld({ explanation }: Worktree): boolean {
  return explanation === "slot" || explanation === "task" || explanation === "merge";
}
