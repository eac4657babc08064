/** Takes away the clones of tasks that are over; worktrees stay for the next slot or chain, with what was installed in them. */
import type { EngineParts } from "./parts.ts";

/** Removes every clone that nobody holds any more. */
export async function removeClones({ records, workspaces, report }: EngineParts): Promise<void> {
  const left = (await records.places()).filter(
    ({ kind, slotId, taskId }) => kind === "clone" && slotId === undefined && taskId === undefined,
  );
  for (const { number, path, repository } of left) {
    // Dropped first: nobody takes a place whose directory is going. What is left of a crash in between, `prune` finds.
    if (!(await records.dropPlace(number))) continue;
    await workspaces.remove(path, repository).catch(report);
  }
}
