/**
 * The commit of a run, until it is done.
 *
 * D1. An outcome is never dropped because the disk was full or the file was locked.
 * D2. One that can never be written fails its task, which else would wait for its end for ever.
 */
import { canHeal } from "../core/errors.ts";
import type { Finish } from "../core/records.ts";
import type { TaskRecord, TaskResult } from "../core/task.ts";
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
  let end = finish;
  for (let attempt = 1; ; attempt += 1) {
    slot.free = !slot.draining; // H1 of host.ts
    try {
      return await records.finish(end);
    } catch (error) {
      slot.free = false;
      report(error);
      // If that is not taken either, it was not for what came of the run.
      end = canHeal(error) || end !== finish ? finish : unrecordable(finish, error);
      // A closing host cannot wait for ever: the next one finds the run lost and does it again.
      if (isStopping() && attempt >= attemptsAtEnd) return undefined;
      await new Promise<void>((resolve) => void clock.after(retryMs, resolve));
    }
  }
}

/** D2: with what of its result is as it should be. */
function unrecordable({ outcome, ...rest }: Finish, error: unknown): Finish {
  const { output, costMicrodollars, turnsUsed, elapsedMs } = outcome.result as Readonly<
    Record<keyof TaskResult, unknown>
  >;
  const why = error instanceof Error ? error.message : String(error);
  const result = {
    output: typeof output === "string" ? output : "",
    success: false,
    reason: "error",
    error: `What came of its run could not be recorded: ${why}`,
    costMicrodollars: wholeOf(costMicrodollars),
    turnsUsed: wholeOf(turnsUsed),
    elapsedMs: wholeOf(elapsedMs),
  } as const;
  return { ...rest, outcome: { kind: "failed", result } };
}

function wholeOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0;
}
