/** Where work is done, what judges it and how it lands: the fields that tasks, slots, pools and chains have of it. */
import { z } from "zod";
import { mergeMethods } from "../core/merge.ts";
import { isolations, type CheckSpec } from "../core/workspace.ts";
import { listOf, milliseconds, oneOf, text, wholeAtLeast } from "./values.ts";

const command = text("a command that is not empty", 10_000).refine((value) => value.trim() !== "", {
  error: "a command that is not blank",
});

/** What git would read as an option is no name of anything. */
const revision = text("a branch, tag or commit", 1_000).refine((name) => !name.startsWith("-"), {
  error: "a branch, tag or commit, which does not begin with -",
});

const checkShape = {
  name: text("a name", 200).optional().describe("How it is called in lists and feedback; default the command."),
  command: command.describe("Run by `/bin/sh -c` in the task's directory; it must end with code 0."),
  timeoutMs: milliseconds(1).optional().describe("The longest it may take, in milliseconds; default 600000."),
} satisfies Readonly<Record<keyof CheckSpec, z.ZodType>>;

const check = z.union([command, z.strictObject(checkShape, { error: "a command, or an object with one" })], {
  error: "a command, or an object with one",
});

const checks = listOf(check, "a list of commands")
  .max(32, { error: "at most 32 checks" })
  .transform((list) => list.map((one) => (typeof one === "string" ? { command: one } : one)));

/** What a task, a chain's step, a slot and a pool may say of their checks. */
export const checkFields = {
  checks: checks
    .optional()
    .describe("Commands that must succeed on the task's tree before it counts as done; they replace those of lower layers."),
  checkRetries: wholeAtLeast(0)
    .max(100, { error: "at most 100" })
    .optional()
    .describe("How often failed checks go back to the worker with their output; default 2."),
};

/** What everything but a chain's step, which works where its chain does, may say of its directory. */
export const isolationFields = {
  isolation: oneOf(isolations)
    .optional()
    .describe("`none`: the shared directory; `worktree`: a git worktree; `clone`: a clone of its own. Default `none`."),
  baseRef: revision.optional().describe("What a worktree or clone begins from; default HEAD."),
};

export const mergeField = oneOf(["manual", "auto"])
  .optional()
  .describe("`auto`: into the merge queue as soon as it is done, or approved; default `manual`.");

/** A branch by its short name. */
export const branchName = text("the name of a branch", 250).refine(
  (name) => !name.startsWith("-") && !name.startsWith("refs/"),
  { error: "the short name of a branch, such as main" },
);

export const mergeMethod = oneOf(mergeMethods);

/** What a pool alone says. */
export const placeFields = {
  worktreeBaseDir: text("a directory")
    .optional()
    .describe("Where worktrees and clones are; default `.claude/worktrees/claude-pool` in the repository, kept out of git."),
  worktreeInclude: listOf(text("a pattern of .gitignore"), "a list of patterns")
    .max(1_000, { error: "at most 1,000 patterns" })
    .optional()
    .describe("Ignored files that a worktree gets copies of, as patterns of .gitignore; beside those of `.worktreeinclude`."),
  worktreeSetup: command.optional().describe("Run by `/bin/sh -c` in a worktree that was made, or whose base has moved."),
  worktreeSetupTimeoutMs: milliseconds(1).optional().describe("The longest that takes, in milliseconds; default 600000."),
  mergeMethod: mergeMethod.optional().describe("How accepted work lands: `rebase` (default), `merge` or `squash`."),
  mergeTarget: branchName.optional().describe("The branch that accepted work lands in; default the one its base was."),
  onMergeConflict: oneOf(["review", "rework"])
    .optional()
    .describe("Reviewed work whose merge meets conflicts or failed checks stays in review, or goes back to a slot (default)."),
};
