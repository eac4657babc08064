/** What the pool answers about isolated work: its directory, its diff, its checks and its way into a branch. */
import { z } from "zod";
import {
  worktreeExplanations,
  type MergePreview,
  type PrunedRef,
  type PrunedWorktree,
  type SavedRef,
  type ShownWorkspace,
  type Worktree,
} from "../core/api.ts";
import { mergeMethods, mergeStates, type MergeRecord } from "../core/merge.ts";
import type { ProcessOwner } from "../core/process-owner.ts";
import type { DiffFile, WorkDiff } from "../core/workspaces-port.ts";
import { type CheckResult, isolations, type SavedWork, type TaskWorkspace } from "../core/workspace.ts";
import { answer, count, moment, span, texts, words, yes } from "./answer.ts";
import type { Fields } from "./fields.ts";

const stat = { files: count, insertions: count, deletions: count };

/** What one check said. */
export const checkAnswer = answer({
  name: words,
  command: words,
  passed: yes,
  exitCode: z.int().optional(),
  timedOut: yes.optional(),
  output: words.describe("The end of what it printed."),
  elapsedMs: span,
  tree: words.describe("The tree it judged."),
} satisfies Fields<CheckResult>);

const saved = answer({ ...stat, ref: words, commit: words, tree: words } satisfies Fields<SavedWork>);

/** A task's workspace. */
export const workspaceAnswer = answer({
  isolation: z.enum(isolations).exclude(["none"]),
  repository: words,
  path: words,
  cwd: words,
  branch: words,
  baseRef: words,
  baseCommit: words,
  target: words.optional().describe("The branch that its base was, where its work goes unless another is named."),
  saved: saved.optional().describe("What is kept of its work, wherever its directory is."),
  checks: z.array(checkAnswer).optional(),
} satisfies Fields<TaskWorkspace>);

const holder = answer({
  pid: z.int(),
  startTime: words,
  bootId: words,
  hostname: words,
} satisfies Fields<ProcessOwner>);

/** A merge on its way into a branch, or at its end. */
export const mergeAnswer = answer({
  id: words,
  taskId: words,
  target: words,
  repository: words,
  method: z.enum(mergeMethods),
  approves: yes.describe("The task is in review, and completes when this has landed."),
  onConflict: z.enum(["review", "rework"]),
  state: z.enum(mergeStates),
  requestedAtMs: moment,
  startedAtMs: moment.optional(),
  endedAtMs: moment.optional(),
  holder: holder.optional(),
  before: words.optional().describe("Where the branch stood."),
  commit: words.optional().describe("The commit it moved to."),
  conflicts: texts.optional().describe("Paths that conflict."),
  checks: z.array(checkAnswer).optional(),
  error: words.optional(),
  undoneAtMs: moment.optional(),
} satisfies Fields<MergeRecord>);

export const mergePreviewAnswer = answer({
  taskId: words,
  with: words,
  conflicts: texts.describe("Paths that would conflict; none: it would merge."),
} satisfies Fields<MergePreview>);

const diffFile = answer({
  path: words,
  from: words.optional(),
  status: z.enum(["added", "modified", "deleted", "renamed", "copied", "type_changed"]),
  insertions: count.optional(),
  deletions: count.optional(),
} satisfies Fields<DiffFile>);

/** What a task changed. */
export const diffAnswer = answer({
  ...stat,
  base: words,
  commit: words,
  entries: z.array(diffFile),
  patch: words,
  note: words.optional(),
} satisfies Fields<WorkDiff>);

const savedRefFields = { ref: words, commit: words, atMs: moment, subject: words } satisfies Fields<SavedRef>;
const savedRef = answer(savedRefFields);

/** A ref of saved work, and what pruning did with it. */
export const prunedRefAnswer = answer({
  ...savedRefFields,
  repository: words,
  taskId: words.optional(),
  branch: words.optional().describe("A branch that has the work."),
  isRemoved: z.literal(true).optional(),
  stays: words.optional().describe("Why it stays."),
} satisfies Fields<PrunedRef>);

/** Where a task worked, and every ref that keeps work of it. */
export const shownWorkspaceAnswer = answer({
  taskId: words,
  workspace: workspaceAnswer,
  stands: yes.describe("Its directory still holds its work."),
  refs: z.array(savedRef).describe("The latest first."),
} satisfies Fields<ShownWorkspace>);

const worktreeFields = {
  path: words,
  kind: z.enum(["worktree", "clone", "unknown"]),
  repository: words,
  explanation: z.enum(worktreeExplanations),
  slotId: words.optional(),
  taskId: words.optional(),
  mergeId: words.optional(),
  branch: words.optional(),
  head: words.optional(),
  isSaved: yes,
  isMissing: yes.optional(),
} satisfies Fields<Worktree>;

/** A directory that the pool made. */
export const worktreeAnswer = answer(worktreeFields);

/** The same, and what pruning did with it. */
export const prunedAnswer = answer({
  ...worktreeFields,
  isRemoved: z.literal(true).optional().describe("Absent: it stays."),
  savedTo: words.optional().describe("The ref that what stood there was saved to just now."),
  error: words.optional().describe("Why it could not be saved, and so was not removed."),
} satisfies Fields<PrunedWorktree>);
