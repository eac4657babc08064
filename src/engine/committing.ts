/** The commit of a run, until it is done: an outcome is never dropped because the disk was full or the file was locked. */
import type { Finish } from "../core/records.ts";
import type { TaskRecord } from "../core/task.ts";
import type { EngineParts } from "./parts.ts";
import type { Slot } from "./slot.ts";

const retryMs = 500;
const attemptsAtEnd = 5;

/** Resolves to what the commit made of the task; undefined: the run had lost it, or a closing host gave up. */
export async function commitRun(
  { records, clock, report }: EngineParts,
  finish: Finish,
  slot: Slot,
  isStopping: () => boolean,
): Promise<TaskRecord | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    slot.free = !slot.draining; // H1 of host.ts
    try {
      return await records.finish(finish);
    } catch (error) {
      slot.free = false;
      report(error);
      // A closing host cannot wait for ever: the next one finds the run lost and does it again.
      if (isStopping() && attempt >= attemptsAtEnd) return undefined;
      await new Promise<void>((resolve) => void clock.after(retryMs, resolve));
    }
  }
}
