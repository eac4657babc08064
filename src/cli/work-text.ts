/** What tasks changed and what their checks said, as people read it. */
import type { WorkDiff } from "../core/workspaces-port.ts";
import type { TaskRecord } from "../core/task.ts";
import type { MergeRecord } from "../core/merge.ts";
import { isProven, type CheckResult, type DiffStat } from "../core/workspace.ts";
import { elapsed } from "./quantities.ts";
import type { Colours } from "./terminal/colour.ts";
import { oneLine } from "./terminal/table.ts";

/** @example changes({ files: 2, insertions: 3, deletions: 1 }) // "2 files +3 -1" */
export function changes({ files, insertions, deletions }: DiffStat): string {
  return `${String(files)} ${files === 1 ? "file" : "files"} +${String(insertions)} -${String(deletions)}`;
}

/** A task's changes for a table; `-` for one that has no directory of its own. */
export function changesOf({ workspace }: TaskRecord): string {
  if (workspace === undefined) return "-";
  return workspace.saved === undefined ? "not saved yet" : changes(workspace.saved);
}

/** Its checks for a table: only what they said of the tree that is saved counts. */
export function checksOf({ workspace }: TaskRecord): string {
  const { checks = [], saved } = workspace ?? {};
  if (checks.length === 0) return "-";
  const proven = checks.filter((check) => isProven([check], saved?.tree ?? "")).length;
  return `${String(proven)}/${String(checks.length)} passed`;
}

/** Where an isolated task's work is now, and what to do with it; nothing for a task that saved none. */
export function workHint({ id, workspace, state, merge }: TaskRecord): string {
  if (workspace?.saved === undefined) return "";
  const isMerged = merge === "auto" && state === "completed";
  const where = isMerged ? `merged into ${workspace.target ?? "its branch"}` : `saved on ${workspace.saved.ref}`;
  const next = { pending_review: "review show", completed: "merge" }[state as string] ?? "worktree restore";
  const commands = [`claude-pool task diff ${id}`, ...(isMerged ? [] : [`claude-pool ${next} ${id}`])];
  return `${changes(workspace.saved)}, ${where}: ${commands.join("; ")}`;
}

/** One line a check, and the end of what a failed one printed. */
export function checkLines(checks: readonly CheckResult[], colour: Colours): readonly string[] {
  return checks.flatMap((check) => {
    const how = check.timedOut === true ? "took too long" : `code ${String(check.exitCode ?? "unknown")}`;
    const verdict = check.passed ? colour.green("passed") : colour.red(`failed (${how})`);
    const line = `${oneLine(check.name, 80)}  ${verdict}  ${elapsed(check.elapsedMs)}`;
    return check.passed ? [line] : [line, ...lastLines(check.output)];
  });
}

/** As `git diff --stat` has it, without its drawing. */
export function statLines(diff: WorkDiff): readonly string[] {
  const lines = diff.entries.map((entry) => {
    const count =
      entry.insertions === undefined ? "binary" : `+${String(entry.insertions)} -${String(entry.deletions ?? 0)}`;
    const path = entry.from === undefined ? entry.path : `${entry.from} => ${entry.path}`;
    return `${letters[entry.status]} ${oneLine(path, 200)}  ${count}`;
  });
  return [...lines, changes(diff)];
}

const letters = { added: "A", modified: "M", deleted: "D", renamed: "R", copied: "C", type_changed: "T" } as const;

export function isOpen({ state }: MergeRecord): boolean {
  return state === "queued" || state === "merging";
}

/** Who carries out a merge that this call does not wait for. */
export function queuedHint({ id, taskId }: MergeRecord): string {
  return `A host carries it out (claude-pool serve), or claude-pool merge ${taskId}, which waits; claude-pool merge cancel ${id} takes it back.`;
}

/** How a merge stands, or how it ended. */
export function mergeText(merge: MergeRecord, colour: Colours): string {
  switch (merge.state) {
    case "queued":
      return `waits to be merged into ${merge.target}`;
    case "merging":
      return colour.cyan(`is being merged into ${merge.target}`);
    case "merged": {
      const undone = merge.undoneAtMs === undefined ? "" : colour.yellow(", and undone");
      return `${colour.green(`merged into ${merge.target}`)} as ${(merge.commit ?? "").slice(0, 12)}${undone}`;
    }
    case "conflict":
      return `${colour.red(`conflicts with ${merge.target}`)}: ${filesText(merge.conflicts ?? [])}`;
    case "checks_failed": {
      const failed = (merge.checks ?? []).filter((check) => !check.passed).map((check) => oneLine(check.name, 60));
      return colour.red(`was not merged into ${merge.target}: checks failed on the result: ${failed.join(", ")}`);
    }
    case "failed":
    case "cancelled":
      return `${colour.yellow(merge.state)}: ${oneLine(merge.error ?? "", 300)}`;
  }
}

/** The most names of files that a line holds. */
const maxFiles = 20;

export function filesText(files: readonly string[]): string {
  const shown = files.slice(0, maxFiles).map((file) => oneLine(file, 200));
  const more = files.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${String(more)} more` : "");
}

function lastLines(output: string): readonly string[] {
  return output
    .trimEnd()
    .split("\n")
    .slice(-10)
    .map((line) => `    ${oneLine(line, 200)}`);
}
