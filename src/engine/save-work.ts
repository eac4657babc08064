/**
 * Saving what a task's directory holds, and noting it.
 *
 * S1. The steps of a chain share a directory and a ref: whoever looks later also notes later, so that the chain's record never
 *     goes back to a state without a step's work.
 */
import { defined } from "../core/config.ts";
import type { Workspaces } from "../core/workspaces-port.ts";
import type { TaskRecord } from "../core/task.ts";
import { titleOf, type TaskWorkspace } from "../core/workspace.ts";
import type { EngineParts } from "./parts.ts";

/** Saves under the owner's ref, and notes it in the chain's record; the task's own is noted by the caller. Rejects as `Workspaces.save`. `patience`: how long to wait for the place. */
export async function saveWork(
  { records, workspaces }: Pick<EngineParts, "records" | "workspaces">,
  task: TaskRecord,
  workspace: TaskWorkspace,
  patience?: AbortSignal,
): Promise<TaskWorkspace> {
  return workspaces.alone(workspace, patience, async () => {
    const saved = await workspaces.save({ ...savingOf(task), workspace });
    const chain = task.chainId === undefined ? undefined : await records.get(task.chainId);
    // The chain's own began where its first step did.
    if (chain?.workspace !== undefined)
      await records.noteWorkspace(chain.id, { ...chain.workspace, ...defined({ saved: saved.saved }) });
    return saved;
  });
}

/** Whose work it is: the chain's whose steps share it, else the task's. */
export function ownerOf(task: Pick<TaskRecord, "id" | "chainId">): string {
  return task.chainId ?? task.id;
}

/** The number is unique among all the attempts that save under one owner. */
export function savingOf(task: TaskRecord): Omit<Parameters<Workspaces["save"]>[0], "workspace"> {
  return {
    owner: ownerOf(task),
    title: titleOf(task.originalPrompt ?? task.prompt),
    attempt: (task.step ?? 0) * 1_000 + task.attempt,
  };
}
