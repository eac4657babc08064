/** Tasks as people read them. */
import type { TaskRecord, TaskState } from "../core/task.ts";
import { elapsed, usd } from "./quantities.ts";
import type { Colours } from "./terminal/colour.ts";
import { oneLine } from "./terminal/table.ts";

/** One line about a task that has ended: id, state, cost, time, and why it failed. */
export function taskLine(record: TaskRecord, colour: Colours): string {
  const { result } = record;
  const figures = result === undefined ? [] : [usd(result.costMicrodollars), elapsed(result.elapsedMs)];
  return [record.id, stateText(record.state, colour), ...figures, why(record)].filter((part) => part !== "").join("  ");
}

export function stateText(state: TaskState, colour: Colours): string {
  const text = state.replace("_", " ");
  if (state === "completed") return colour.green(text);
  if (state === "failed") return colour.red(text);
  if (state === "running" || state === "pending_review") return colour.cyan(text);
  return state === "cancelled" ? colour.yellow(text) : text;
}

/** The head of a table of tasks, and a row of it. */
export const taskHead: readonly string[] = ["ID", "STATE", "COST", "TIME", "PROMPT"];

export function taskRow(record: TaskRecord, colour: Colours): readonly string[] {
  const { result } = record;
  return [
    record.id,
    stateText(record.state, colour) + waitingFor(record),
    result === undefined ? "-" : usd(result.costMicrodollars),
    result === undefined ? "-" : elapsed(result.elapsedMs),
    oneLine(record.prompt, 60),
  ];
}

/** What it waits for, if not only for a slot. */
function waitingFor({ hold, waitsFor, mergeId }: TaskRecord): string {
  if (mergeId !== undefined) return " (merging)";
  if (hold?.note !== undefined) return ` (${hold.reason}: ${oneLine(hold.note, 60)})`;
  const what = hold?.reason ?? waitsFor;
  return what === undefined ? "" : ` (${what})`;
}

/** Why a task did not complete, in words. */
export function why(record: TaskRecord): string {
  if (record.state === "completed" || record.result === undefined) return "";
  const { reason, error } = record.result;
  return [reason === record.state ? undefined : reason, error === undefined ? undefined : oneLine(error, 300)]
    .filter((part) => part !== undefined)
    .join(": ");
}
