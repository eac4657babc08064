/** What tasks, steps and pools may say of the activity log. */
import { flag, listOf, milliseconds, text } from "./values.ts";

/** What a task and a chain's step may say of what they will edit. */
export const claimFields = {
  paths: listOf(text("a path, a glob or a resource", 4_096), "a list of paths, globs and resources")
    .max(20, { error: "at most 20 of them" })
    .optional()
    .describe("Paths, globs and resources (`port:3000`) that it claims in the activity log while it runs."),
  claimWaitMs: milliseconds(0)
    .optional()
    .describe("The longest that others' claims on its paths hold it, in milliseconds; 0: not at all."),
};

/** What a pool may say. */
export const activityFields = {
  activityLog: flag().optional().describe("Slots take part in the activity log; default true."),
  claimWaitMs: milliseconds(0)
    .optional()
    .describe("The longest that others' claims on their paths hold tasks; 0: not at all. Default 600000."),
};
