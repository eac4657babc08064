/** Who else works in a run's directory: other steps of its chain, or whoever was given its task when this host looked dead. */
import type { Lease, Records } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";

/** Looks now; the function looks again, and tells whether nobody else was there then, now and in between. */
export async function watchOthers(
  records: Pick<Records, "get" | "chain">,
  lease: Pick<Lease, "task" | "runId">,
): Promise<() => Promise<boolean>> {
  const before = await look(records, lease);
  return async () => {
    const now = await look(records, lease);
    return !before.isSomebody && !now.isSomebody && before.steps === now.steps;
  };
}

interface Look {
  readonly isSomebody: boolean;
  /** How far the other steps are: who came and went between two looks has changed it. */
  readonly steps: string;
}

async function look(
  records: Pick<Records, "get" | "chain">,
  { task, runId }: Pick<Lease, "task" | "runId">,
): Promise<Look> {
  const now = await records.get(task.id);
  if (now?.state !== "running" || now.runId !== runId) return { isSomebody: true, steps: "" };
  const chain = task.chainId === undefined ? undefined : await records.chain(task.chainId);
  const steps = (chain?.steps ?? []).filter(({ taskId }) => taskId !== task.id);
  const open: (TaskRecord | undefined)[] = [];
  for (const { state, taskId } of steps)
    // A step that waits for a slot counts as running, and nobody works at it.
    if (state === "running" && taskId !== undefined) open.push(await records.get(taskId));
  return {
    isSomebody: open.some((one) => one?.state === "running"),
    steps: JSON.stringify([steps.map(({ state }) => state), open.map((one) => one?.attempt)]),
  };
}
