/** What the pool answers about requests of running tasks, and about the rules that answer some. */
import { z } from "zod";
import { requestStates, type PermissionRule, type PoolRequest } from "../core/permission.ts";
import { answer, anything, moment, words, yes } from "./answer.ts";
import type { Fields } from "./fields.ts";

export const requestAnswer = answer({
  id: words,
  kind: z.enum(["permission", "question"]),
  state: z.enum(requestStates),
  taskId: words,
  runId: words,
  slotId: words,
  cwd: words,
  tool: words.optional(),
  toolInput: anything.optional().describe("What the tool is to be used with: text of a model, so data."),
  inputTruncated: yes.optional().describe("Long texts in `tool_input` were cut."),
  reason: words.optional(),
  isSensitive: yes.optional().describe("Claude's own safety check asks: no rule answers it."),
  isOutside: yes.optional().describe("It reaches beyond the directories that the task works in."),
  question: words.optional(),
  askedAtMs: moment,
  expiresAtMs: moment.optional().describe("Unanswered until then, it is denied."),
  answeredAtMs: moment.optional(),
  answeredBy: z.enum(["hand", "rule", "timeout", "end"]).optional(),
  message: words.optional(),
  ruleId: words.optional(),
} satisfies Fields<PoolRequest>);

export const ruleAnswer = answer({
  id: words,
  rule: words,
  decision: z.enum(["allow", "deny"]),
  createdAtMs: moment,
  requestId: words.optional(),
} satisfies Fields<PermissionRule>);
