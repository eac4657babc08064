/** Events that go with no other change: text and tools of a run as they come. */
import type { NewEvent } from "../core/events.ts";
import type { Change } from "./change.ts";

/** Those of a task that is not there (any more) are left out: its events go with it. */
export async function appendEvents(change: Change, events: readonly NewEvent[]): Promise<void> {
  const seqs = new Map<string, number | undefined>();
  for (const event of events) {
    if (event.taskId === undefined) {
      change.emit(event);
      continue;
    }
    if (!seqs.has(event.taskId)) seqs.set(event.taskId, await seqOf(change, event.taskId));
    const seq = seqs.get(event.taskId);
    if (seq !== undefined) change.emit(event, seq);
  }
}

async function seqOf({ sql }: Change, taskId: string): Promise<number | undefined> {
  const [row] = await sql.all("SELECT seq FROM task WHERE id = ?", [taskId]);
  return row === undefined ? undefined : Number(row.seq);
}
