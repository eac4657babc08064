/** What callers say of diffs, merges, reviews and worktrees. */
import { z } from "zod";
import type {
  ApproveOptions,
  DiffOptions,
  MergeListOptions,
  MergeOptions,
  PruneRefsOptions,
  RejectOptions,
  RestoreOptions,
} from "../core/api.ts";
import { mergeStates } from "../core/merge.ts";
import type { Casing } from "./casing.ts";
import type { Fields } from "./fields.ts";
import { parse } from "./parse.ts";
import { flag, listOf, oneOf, text, wholeAtLeast } from "./values.ts";
import { branchName, mergeMethod } from "./workspace-fields.ts";

const signal = z.custom<AbortSignal>((value) => value instanceof AbortSignal, { error: "an AbortSignal" }).optional();

export const diffFields = {
  of: oneOf(["saved", "directory"])
    .optional()
    .describe("What was saved of its work, or what stands in its directory now; default the latter as long as it runs."),
} satisfies Fields<DiffOptions>;
const diffSchema = z.strictObject(diffFields, { error: "an object of options" });

/** All that a call over a wire can say of a merge: it ends its wait in its own way. */
export const mergeFields = {
  into: branchName
    .optional()
    .describe("The branch, by its short name; default `merge_target`, else the one that the work began from."),
  method: mergeMethod.optional().describe("`rebase`, `merge` or `squash`; default `merge_method`."),
  wait: flag().optional().describe("Whether its end is waited for; default true."),
} satisfies Fields<Omit<MergeOptions, "signal">>;
const mergeSchema = z.strictObject({ ...mergeFields, signal }, { error: "an object of options" });

export const approveFields = {
  ...mergeFields,
  merge: oneOf(["auto", "manual"])
    .optional()
    .describe("`auto`: its work is merged first, which completes it; `manual`: it is not. Default what the task says."),
} satisfies Fields<Omit<ApproveOptions, "signal">>;
const approveSchema = z.strictObject({ ...approveFields, signal }, { error: "an object of options" });

export const rejectFields = {
  start: oneOf(["base", "saved"])
    .optional()
    .describe("Its next attempt begins with the work that is rejected (`saved`, the default), or from its base."),
} satisfies Fields<RejectOptions>;
const rejectSchema = z.strictObject(rejectFields, { error: "an object of options" });

export const restoreFields = {
  path: text("a directory").optional().describe("An empty or new directory; default `../<task>`."),
  branch: branchName.optional().describe("A branch to be made there; default none, HEAD is detached."),
} satisfies Fields<RestoreOptions>;
const restoreSchema = z.strictObject(restoreFields, { error: "an object of options" });

export const pruneRefsFields = {
  olderThanMs: wholeAtLeast(0).optional().describe("Only those whose work was saved so long ago; default 0."),
  force: flag().optional().describe("Also work that no branch has, of tasks that are over."),
  dryRun: flag().optional().describe("Only say what would go."),
} satisfies Fields<PruneRefsOptions>;
const pruneRefsSchema = z.strictObject(pruneRefsFields, { error: "an object of options" });

const state = oneOf(mergeStates);
export const mergeListFields = {
  taskId: text("the id of a task").optional().describe("Only the merges of this task."),
  state: z
    .union([state, listOf(state, "a list of states")], { error: `one of ${mergeStates.join(", ")}, or a list of them` })
    .optional(),
  limit: wholeAtLeast(1).optional().describe("At most so many, the newest first; default 50."),
} satisfies Fields<MergeListOptions>;
const listSchema = z.strictObject(mergeListFields, { error: "an object of options" });

/** @throws {PoolError} `invalid_options`. */
export function parseDiffOptions(input: unknown): DiffOptions {
  return parse<DiffOptions>(diffSchema, input, "library");
}

/** @throws {PoolError} `invalid_options`. */
export function parseMergeOptions(input: unknown): MergeOptions {
  return parse<MergeOptions>(mergeSchema, input, "library");
}

/** @throws {PoolError} `invalid_options`. */
export function parseApproveOptions(input: unknown): ApproveOptions {
  return parse<ApproveOptions>(approveSchema, input, "library");
}

/** @throws {PoolError} `invalid_options`. */
export function parseRejectOptions(input: unknown): RejectOptions {
  return parse<RejectOptions>(rejectSchema, input, "library");
}

/** @throws {PoolError} `invalid_options`. */
export function parseRestoreOptions(input: unknown): RestoreOptions {
  return parse<RestoreOptions>(restoreSchema, input, "library");
}

/** @throws {PoolError} `invalid_options`. */
export function parsePruneRefsOptions(input: unknown): PruneRefsOptions {
  return parse<PruneRefsOptions>(pruneRefsSchema, input, "library");
}

/** @throws {PoolError} `invalid_options`. */
export function parseMergeListOptions(input: unknown, casing: Casing = "library"): MergeListOptions {
  return parse<MergeListOptions>(listSchema, input, casing);
}
