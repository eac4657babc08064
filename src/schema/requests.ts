/** The edge of requests: what lists take, and answers. */
import { z } from "zod";
import type { RequestFilter } from "../core/api.ts";
import type { PermissionAnswer } from "../core/permission.ts";
import type { Casing } from "./casing.ts";
import type { Fields } from "./fields.ts";
import { parse } from "./parse.ts";
import { flag, oneOf, text, wholeAtLeast } from "./values.ts";

export const requestFilterFields = {
  all: flag().optional().describe("Those that were answered too, the newest first; default only what is open."),
  taskId: text("the id of a task").optional().describe("Only those of this task."),
  limit: wholeAtLeast(1).max(1_000, { error: "at most 1000" }).optional().describe("At most so many; default 100."),
} satisfies Fields<RequestFilter>;

export const permissionAnswerFields = {
  decision: oneOf(["allow", "deny"]),
  message: z.string({ error: "text" }).optional().describe("Told to the model with a denial: what it should do instead."),
  always: z
    .union([z.literal(true), z.string()], { error: "true, or a rule such as Bash(npm test:*)" })
    .optional()
    .describe("Also answer later calls: `true` for exactly this call, or a rule such as `Bash(npm test:*)` or `Edit(src/**)`."),
} satisfies Fields<PermissionAnswer>;

const filterSchema = z.strictObject(requestFilterFields, { error: "an object of options" });
const answerSchema = z.strictObject(permissionAnswerFields, { error: "an object with a `decision`" });

/** @throws {PoolError} `invalid_options`. */
export function parseRequestFilter(input: unknown, casing: Casing = "library"): RequestFilter {
  return parse<RequestFilter>(filterSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parsePermissionAnswer(input: unknown, casing: Casing = "library"): PermissionAnswer {
  return parse<PermissionAnswer>(answerSchema, input, casing);
}
