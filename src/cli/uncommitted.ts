/** What isolated work begins without: files of the user's that are not committed. Nothing else tells, and it surprises. */
import { basename, dirname } from "node:path";
import { uncommittedFiles } from "../ground.ts";
import type { Pool } from "../pool.ts";
import { meanwhile } from "./meanwhile.ts";

/** Does the work, and says once if tasks meanwhile begin without files of the user's. */
export function tellingUncommitted<T>(
  pool: Pool,
  directory: string,
  say: (text: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  return meanwhile((over) => follow(pool, directory, say, over), work);
}

async function follow(pool: Pool, directory: string, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  for await (const event of pool.events({ signal })) {
    if (event.type !== "task.workspace" || event.taskId === undefined) continue;
    const task = await pool.get(event.taskId);
    if (task.originHost !== pool.hostId || task.workspace === undefined) continue;
    const { repository, baseCommit } = task.workspace;
    const main = basename(repository) === ".git" ? dirname(repository) : undefined;
    const places = [directory, ...(main === undefined ? [] : [main])];
    // A hint: where git cannot tell, the work goes on without it.
    const files = await uncommittedFiles(places, repository, baseCommit).catch(() => 0);
    if (files === 0) return;
    const which = files === 1 ? "1 file of yours is" : `${String(files)} files of yours are`;
    say(`${which} not committed, and isolated work begins without ${files === 1 ? "it" : "them"}.`);
    return;
  }
}
