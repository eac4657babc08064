/** What isolated tasks changed, and its way into a branch. */
import { PoolError } from "../../core/errors.ts";
import type {
  ApproveOptions,
  DiffOptions,
  MergeListOptions,
  MergeOptions,
  PruneRefsOptions,
  RejectOptions,
  RestoreOptions,
} from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import type { MergeRecord } from "../../core/merge.ts";
import {
  mergeListAnswer,
  prunedListAnswer,
  prunedRefsAnswer,
  restoredAnswer,
  worktreeListAnswer,
} from "../../schema/answers-rest.ts";
import { taskRecordAnswer } from "../../schema/answers-task.ts";
import { diffAnswer, mergeAnswer, mergePreviewAnswer, shownWorkspaceAnswer } from "../../schema/answers-workspace.ts";
import {
  approveBody,
  defaultWaitMs,
  diffQuery,
  mergeBody,
  mergesQuery,
  parseRest,
  previewQuery,
  pruneBody,
  pruneRefsBody,
  rejectBody,
  restoreBody,
  waitQuery,
} from "../../schema/rest.ts";
import type { Asked, Route } from "../route.ts";

const tag = "workspaces";

export const landingRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/tasks/:id/diff",
    name: "getDiff",
    summary: "What an isolated task or chain changed, file by file and as a patch",
    tag,
    query: diffQuery,
    status: 200,
    answer: diffAnswer,
    async handle({ pool, param, query }) {
      const { of, patch = true } = parseRest(diffQuery, query);
      const diff = await pool.diff(param("id"), defined<DiffOptions>({ of }));
      return patch ? diff : { ...diff, patch: "" };
    },
  },
  {
    method: "POST",
    path: "/v1/tasks/:id/merge",
    name: "mergeTask",
    summary: "Merge what an isolated task or chain changed; one in review is approved by that",
    tag,
    body: mergeBody,
    isBodyOptional: true,
    status: 200,
    answer: mergeAnswer,
    async handle({ pool, param, body, signal }) {
      const { waitMs = defaultWaitMs, ...options } = parseRest(mergeBody, body);
      const { id } = await pool.merge(param("id"), { ...defined<MergeOptions>(options), wait: false });
      return options.wait === false ? pool.merges.show(id) : landed({ pool, signal }, id, waitMs);
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/merge",
    name: "previewMerge",
    summary: "Which files would conflict if a task were merged; nothing is changed",
    tag,
    query: previewQuery,
    status: 200,
    answer: mergePreviewAnswer,
    handle: ({ pool, param, query }) =>
      pool.previewMerge(param("id"), defined<{ into?: string; with?: string }>(parseRest(previewQuery, query))),
  },
  {
    method: "POST",
    path: "/v1/tasks/:id/approve",
    name: "approveTask",
    summary: "Complete a task that waits for review, by merging its work if that is asked for",
    tag: "tasks",
    body: approveBody,
    isBodyOptional: true,
    status: 200,
    answer: taskRecordAnswer,
    handle: approve,
  },
  {
    method: "POST",
    path: "/v1/tasks/:id/reject",
    name: "rejectTask",
    summary: "Send a task in review back to work with feedback; at its limit it fails",
    tag: "tasks",
    body: rejectBody,
    status: 200,
    answer: taskRecordAnswer,
    handle({ pool, param, body }) {
      const { feedback, ...options } = parseRest(rejectBody, body);
      return pool.reject(param("id"), feedback, defined<RejectOptions>(options));
    },
  },
  {
    method: "GET",
    path: "/v1/merges",
    name: "listMerges",
    summary: "Merges, newest first",
    tag,
    query: mergesQuery,
    status: 200,
    answer: mergeListAnswer,
    async handle({ pool, query }) {
      return { merges: await pool.merges.list(defined<MergeListOptions>(parseRest(mergesQuery, query))) };
    },
  },
  {
    method: "GET",
    path: "/v1/merges/:id",
    name: "getMerge",
    summary: "A merge: how it stands, what conflicts, what its checks said",
    tag,
    status: 200,
    answer: mergeAnswer,
    handle: ({ pool, param }) => pool.merges.show(param("id")),
  },
  {
    method: "GET",
    path: "/v1/merges/:id/wait",
    name: "waitForMerge",
    summary: "Wait for a merge to end; its state says whether it has",
    tag,
    query: waitQuery,
    status: 200,
    answer: mergeAnswer,
    async handle({ pool, param, query, signal }) {
      const { timeoutMs = defaultWaitMs } = parseRest(waitQuery, query);
      return landed({ pool, signal }, (await pool.merges.show(param("id"))).id, timeoutMs);
    },
  },
  {
    method: "DELETE",
    path: "/v1/merges/:id",
    name: "cancelMerge",
    summary: "Take a merge out of the queue",
    tag,
    status: 204,
    async handle({ pool, param }) {
      await pool.merges.cancel(param("id"));
    },
  },
  {
    method: "POST",
    path: "/v1/merges/:id/undo",
    name: "undoMerge",
    summary: "Take back a merge that has landed, if nothing came after it",
    tag,
    status: 200,
    answer: mergeAnswer,
    handle: ({ pool, param }) => pool.merges.undo(param("id")),
  },
  {
    method: "GET",
    path: "/v1/worktrees",
    name: "listWorktrees",
    summary: "The directories that tasks work in, and why each is there",
    tag,
    status: 200,
    answer: worktreeListAnswer,
    handle: async ({ pool }) => ({ worktrees: await pool.worktrees.list() }),
  },
  {
    method: "POST",
    path: "/v1/worktrees/prune",
    name: "pruneWorktrees",
    summary: "Remove those that nobody works in, after what stands there is saved",
    tag,
    body: pruneBody,
    isBodyOptional: true,
    status: 200,
    answer: prunedListAnswer,
    async handle({ pool, body }) {
      const { dryRun = false } = parseRest(pruneBody, body);
      return { worktrees: await pool.worktrees.prune({ dryRun }) };
    },
  },
  {
    method: "POST",
    path: "/v1/worktrees/prune-refs",
    name: "pruneRefs",
    summary: "Drop the refs of work that has landed, and only those",
    tag,
    body: pruneRefsBody,
    isBodyOptional: true,
    status: 200,
    answer: prunedRefsAnswer,
    async handle({ pool, body }) {
      return { refs: await pool.worktrees.pruneRefs(defined<PruneRefsOptions>(parseRest(pruneRefsBody, body))) };
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/worktree",
    name: "getWorktree",
    summary: "Where a task worked, and every ref that keeps work of it",
    tag,
    status: 200,
    answer: shownWorkspaceAnswer,
    handle: ({ pool, param }) => pool.worktrees.show(param("id")),
  },
  {
    method: "POST",
    path: "/v1/tasks/:id/restore",
    name: "restoreWork",
    summary: "Put a task's saved work into a worktree of the user's own, on the server's machine",
    tag,
    body: restoreBody,
    isBodyOptional: true,
    status: 201,
    answer: restoredAnswer,
    async handle({ pool, param, body }) {
      return { path: await pool.worktrees.restore(param("id"), defined<RestoreOptions>(parseRest(restoreBody, body))) };
    },
  },
];

/** The task as it is once its merge has ended, or as it stands when the request's time is over. */
async function approve({ pool, param, body, signal }: Asked): Promise<unknown> {
  const { waitMs = defaultWaitMs, ...options } = parseRest(approveBody, body);
  const task = await pool.approve(param("id"), { ...defined<ApproveOptions>(options), wait: false });
  if (task.mergeId === undefined || options.wait === false) return task;
  await landed({ pool, signal }, task.mergeId, waitMs);
  return pool.get(task.id);
}

/** The merge at its end, or as it stands when the time is over; it goes on whatever becomes of this request. */
async function landed(
  { pool, signal }: Pick<Asked, "pool" | "signal">,
  id: string,
  waitMs: number,
): Promise<MergeRecord> {
  try {
    return await pool.merges.wait(id, { signal: AbortSignal.any([signal, AbortSignal.timeout(waitMs)]) });
  } catch (error) {
    if (error instanceof PoolError && error.code === "aborted") return pool.merges.show(id);
    throw error;
  }
}
