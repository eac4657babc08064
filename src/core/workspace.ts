/**
 * Where a task works, what is kept of its work, and the checks that judge it. Pure: git itself is in `workspace/`.
 *
 * W1. A task's work is its *saved commit*: everything that stood in its directory (commits, staged, unstaged and untracked
 *     files that are not ignored), under `refs/claude-pool/<task>`. A directory is only a place, and may be taken away once
 *     its work is saved.
 * W2. Nothing is removed or overwritten in a place before what stands in it is saved; if that fails, it stays.
 * W3. Evidence belongs to a tree: what a check says holds for `tree` alone, and a later edit voids it.
 * W4. What cannot be isolated fails; no task ever works in the shared directory instead.
 */

export const isolations = ["none", "worktree", "clone"] as const;
export type Isolation = (typeof isolations)[number];

/** A command that must succeed on a task's tree before the task counts as done. */
export interface CheckSpec {
  /** How it is called in lists and feedback; default the command. */
  readonly name?: string;
  /** Run by `/bin/sh -c` in the task's directory. */
  readonly command: string;
  /** The longest it may take, in milliseconds; default 600,000. */
  readonly timeoutMs?: number;
}

/** Saved work to be judged where it stands. */
export interface CheckRequest {
  readonly workspace: TaskWorkspace;
  readonly checks: readonly CheckSpec[];
  /** Has nobody else worked in the directory since this was asked? */
  readonly isAlone: () => Promise<boolean>;
  /** Ends the wait for the directory's turn, in which what a check left is put back. */
  readonly patience?: AbortSignal;
}

/** What one check said, and of which tree. */
export interface CheckResult {
  readonly name: string;
  readonly command: string;
  readonly passed: boolean;
  readonly exitCode?: number;
  readonly timedOut?: boolean;
  /** The end of what it printed, stdout and stderr together. */
  readonly output: string;
  readonly elapsedMs: number;
  /** The tree it judged (W3). */
  readonly tree: string;
}

/** How much changed, as `git diff --shortstat` counts. */
export interface DiffStat {
  readonly files: number;
  readonly insertions: number;
  readonly deletions: number;
}

/** What was saved of a task's work (W1). */
export interface SavedWork extends DiffStat {
  readonly ref: string;
  readonly commit: string;
  readonly tree: string;
}

/** A task's workspace, as its record has it. */
export interface TaskWorkspace {
  readonly isolation: Exclude<Isolation, "none">;
  /** The git common directory of the repository it belongs to. */
  readonly repository: string;
  /** The root of the directory that it works in, or worked in last. */
  readonly path: string;
  /** In it: what the task's own directory is in the user's checkout. */
  readonly cwd: string;
  readonly branch: string;
  /** What it began from: as it was named, and the commit that this was. */
  readonly baseRef: string;
  readonly baseCommit: string;
  /** The branch that `baseRef` was, where accepted work goes unless another is named. */
  readonly target?: string;
  /** Absent as long as nothing was saved. */
  readonly saved?: SavedWork;
  /** Of the last attempt; of `saved.tree` unless a later edit voided them (W3). */
  readonly checks?: readonly CheckResult[];
}

/** A directory that the pool made to work in. */
export interface Place {
  readonly number: number;
  readonly kind: "worktree" | "clone";
  /** The git common directory. */
  readonly repository: string;
  readonly path: string;
  /** The slot that works in it, or for a chain and a clone the task; without either it is free. */
  readonly slotId?: string;
  readonly taskId?: string;
  readonly createdAtMs: number;
}

/** Is anything saved that was not there at the beginning? What it comes to against a branch, git says. */
export function hasWork(workspace: TaskWorkspace | undefined): boolean {
  return workspace?.saved !== undefined && workspace.saved.commit !== workspace.baseCommit;
}

/** Where an attempt begins: from its base, or with what was saved of the attempts before. */
export type WorkspaceStart = "base" | "saved";

/** The branch of a task (or chain) in the pool of this id. */
export function branchOf(poolId: string, taskId: string): string {
  return `claude-pool/${poolId}/${taskId}`;
}

/** The ref that keeps a task's work. */
export function savedRef(taskId: string): string {
  return `refs/claude-pool/${taskId}`;
}

/** Whose work a ref keeps. */
export function ownerOfRef(ref: string): string {
  return /^refs\/claude-pool(?:-earlier)?\/([\w.-]+)/.exec(ref)?.[1] ?? "";
}

/** Where an earlier attempt's work goes when a later one does not contain it. */
export function earlierRef(taskId: string, attempt: number): string {
  return `refs/claude-pool-earlier/${taskId}/${String(attempt)}`;
}

/** A task's prompt as the subject of a commit: its first line, cut. */
export function titleOf(prompt: string): string {
  const line = (prompt.trim().split(/\r?\n/, 1)[0] ?? "").trim();
  return line.length <= 72 ? line : `${line.slice(0, 71)}…`;
}

/** A check's time limit where it names none, in milliseconds. */
export const defaultCheckTimeoutMs = 600_000;

/** Did every check pass, and on this very tree (W3)? Without checks there is no evidence, and none is asked for. */
export function isProven(checks: readonly CheckResult[] | undefined, tree: string): boolean {
  return (checks ?? []).every((check) => check.passed && check.tree === tree);
}

/** The most of a check's output that the worker is shown, in characters: its end, where failures are summed up. */
const maxShown = 8_000;

/** What the worker is told of the checks that failed. */
export function checkFeedback(checks: readonly CheckResult[]): string {
  const failed = checks.filter((check) => !check.passed);
  const parts = failed.map((check) => {
    const how = check.timedOut === true ? "took too long" : `ended with code ${String(check.exitCode ?? "unknown")}`;
    const output = check.output.length <= maxShown ? check.output : `[cut]\n${check.output.slice(-maxShown)}`;
    return `$ ${check.command}\n${how}; what it printed:\n${output.trim()}`;
  });
  return `These checks failed on your work. Mend it so that they pass.\n\n${parts.join("\n\n")}`;
}

/** What the worker is told of a merge that met conflicts: they stand in its files. */
export function conflictFeedback(target: string, files: readonly string[]): string {
  return (
    `Your work conflicts with what ${target} has become in the meantime. ${target} has been merged into your directory, ` +
    `and these files hold conflict markers: ${files.join(", ")}. Resolve each so that both changes keep their meaning, ` +
    "and leave no marker."
  );
}

/** What the worker is told of its directory, as facts beside its prompt. */
export function workspaceText(workspace: TaskWorkspace, holdsEarlierWork: boolean): string {
  const kind = workspace.isolation === "clone" ? "clone" : "worktree";
  const base = workspace.target ?? workspace.baseRef;
  const lines = [
    `You work in a git ${kind} of your own, ${workspace.path}, on branch ${workspace.branch}, made from ${base}.`,
    "Whatever you leave there, committed or not, is kept; stay in this directory and on this branch.",
    ...(holdsEarlierWork ? ["It holds what your earlier attempt at this task left."] : []),
  ];
  return `<workspace>\n${lines.join("\n")}\n</workspace>`;
}
