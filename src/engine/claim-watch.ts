/**
 * Lets go tasks that waited for a claim of another terminal, once it has ended; each also goes by itself when its time is over.
 *
 * X1. A task that names paths begins held, and is let go by a host that has looked: so none starts before somebody has.
 * X2. Of several that need the same and are free, the first goes; the others wait for its claim, instead of meeting it in a slot. One that
 *     runs here goes first also while its claim is on its way.
 * X3. One look at a time, at all that are held: whoever asks during one gets another after it.
 */
import type { ActivityTask } from "../core/activity-port.ts";
import type { TaskRecord } from "../core/task.ts";
import type { EngineParts } from "./parts.ts";

/** So many are read at once. */
const pageSize = 500;

export class ClaimWatch {
  readonly #parts: EngineParts;
  /** The tasks that run here. */
  readonly #running: () => readonly TaskRecord[];
  /** Called when a task was let go. */
  readonly #freed: () => void;
  #isDue = false;
  #looking: Promise<void> | undefined;

  constructor(parts: EngineParts, running: () => readonly TaskRecord[], freed: () => void) {
    this.#parts = parts;
    this.#running = running;
    this.#freed = freed;
  }

  /** Looks at every task that is held by a claim; resolves when one look that began after this call is over (X3). */
  look(): Promise<void> {
    this.#isDue = true;
    this.#looking ??= this.#whileDue().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #whileDue(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      if (await this.#once()) this.#freed();
    }
  }

  async #once(): Promise<boolean> {
    const { records, activity, cwd } = this.#parts;
    const held = await this.#held();
    if (held.length === 0) return false;
    const ahead = this.#running().filter(({ paths = [] }) => paths.length > 0);
    const all = await activity?.holders([...ahead, ...held].map((task) => activityTask(task, cwd)));
    const holders = all?.slice(ahead.length);
    let isFree = false;
    await Promise.all(
      held.map(async ({ id, hold }, index) => {
        const holder = holders?.[index];
        if (holder === undefined) isFree = true;
        if (holder === undefined) await records.releaseHold(id, "claim");
        else if (holder.note !== hold?.note) await records.noteHold(id, holder);
      }),
    );
    return isFree;
  }

  async #held(): Promise<readonly TaskRecord[]> {
    const { records } = this.#parts;
    const held: TaskRecord[] = [];
    for (;;) {
      const page = await records.heldByClaims(pageSize, held.at(-1));
      held.push(...page);
      if (page.length < pageSize) return held;
    }
  }
}

/** A task as the log knows it. */
export function activityTask(task: TaskRecord, poolCwd: string): ActivityTask {
  const { id: taskId, slotId, attempt, paths = [], prompt } = task;
  const cwd = task.cwd ?? poolCwd;
  return { taskId, attempt, cwd, paths, prompt, ...(slotId === undefined ? {} : { slotId }) };
}
