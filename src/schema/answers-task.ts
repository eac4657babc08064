/** What the pool answers about tasks, their runs and what waiting for them gave. */
import { z } from "zod";
import type { WaitAnswer } from "../core/api.ts";
import type { TaskPlan } from "../core/attempt.ts";
import { endReasons, type TaskOutcome } from "../core/outcome.ts";
import type { ListPage } from "../core/records.ts";
import {
  efforts,
  holdReasons,
  permissionModes,
  taskKinds,
  taskStates,
  type Hold,
  type PermissionDenial,
  type RunRecord,
  type TaskOverrides,
  type TaskRecord,
  type TaskResult,
  type TokenUsage,
} from "../core/task.ts";
import { answer, anything, count, moment, money, span, texts, words, yes } from "./answer.ts";
import { workspaceAnswer } from "./answers-workspace.ts";
import { overrideFields, type Fields } from "./fields.ts";

export const taskState = z.enum(taskStates);
const reason = z.enum(endReasons);

/** Checks as they are kept: a command alone has become one with a `command`. */
export const checksAnswer = z
  .array(answer({ name: words.optional(), command: words, timeoutMs: span.optional() }))
  .optional();

/** What was set for a task: as it was checked, so `effort` has no second name any more. */
const overrides = {
  ...overrideFields,
  effort: z.enum(efforts).optional(),
  checks: checksAnswer,
} satisfies Fields<TaskOverrides>;
export const overridesAnswer = answer(overrides);

const usage = answer({
  inputTokens: count,
  outputTokens: count,
  cacheReadInputTokens: count,
  cacheCreationInputTokens: count,
} satisfies Fields<TokenUsage>);

const denial = answer({
  toolName: words,
  toolUseId: words.optional(),
  toolInput: anything.optional(),
} satisfies Fields<PermissionDenial>);

export const holdAnswer = answer({
  reason: z.enum(holdReasons),
  untilMs: moment.optional(),
  note: words.optional().describe("Whose claim it is that holds it."),
} satisfies Fields<Hold>);

const resultFields = {
  output: words.describe("The answer."),
  success: yes,
  costMicrodollars: money,
  costEstimated: yes.optional().describe("The cost could not be read and is an estimate."),
  turnsUsed: count,
  elapsedMs: span,
  model: words.optional().describe("The model that really answered."),
  sessionId: words.optional().describe("Claude's conversation."),
  apiStatus: z.int().optional().describe("The HTTP status with which the Messages API failed it."),
  failedCommand: words.optional(),
  exitCode: z.int().optional(),
  stderr: words.optional(),
  budgetExceeded: yes.optional(),
  reason: reason.optional().describe("Why it did not complete."),
  error: words.optional().describe("The same in words, with what to do."),
  usage: usage.optional(),
  modelUsage: anything.optional(),
  permissionDenials: z.array(denial).optional(),
  structuredOutput: z.unknown().optional().describe("The answer as JSON, where `json_schema` asked for it."),
  permissionMode: z.enum(permissionModes).optional().describe("The mode the run really had."),
} satisfies Fields<TaskResult>;
/** How a task ended, in full. */
export const taskResultAnswer = answer(resultFields);

const conversation = z.union([z.enum(["fresh", "continue"]), answer({ taskId: words })]);

const plan = answer({
  retries: count.optional(),
  retryDelayMs: span.optional(),
  retriesBefore: count.optional(),
  recoveryPrompt: words.optional(),
  lastError: words.optional(),
  recovering: yes.optional(),
  afterRejection: z.enum(["fresh", "continue"]).optional(),
  keepsConversation: yes.optional(),
  feedback: texts.optional(),
  rejectedOutput: words.optional(),
  checkFailures: count.optional(),
  conversationId: words.optional(),
  start: z.enum(["base", "saved"]).optional(),
  mergeIn: words.optional(),
} satisfies Fields<TaskPlan>);

/** A task as it is stored. */
export const taskRecordAnswer = answer({
  id: words,
  seq: count.describe("Order of submission; the cursor of lists."),
  prompt: words,
  state: taskState,
  priority: z.int(),
  tags: texts,
  config: overridesAnswer.optional(),
  cwd: words.optional(),
  timeoutMs: span.optional(),
  queueTimeoutMs: span.optional(),
  key: words.optional(),
  conversation: conversation.optional(),
  reviewRequired: yes,
  maxRejections: count,
  rejectionCount: count,
  originalPrompt: words.optional(),
  originHost: words.optional(),
  attempt: count,
  slotId: words.optional(),
  hostId: words.optional(),
  runId: words.optional(),
  hold: holdAnswer.optional().describe("What it waits for, if not only for a slot."),
  cancelRequestedAtMs: moment.optional(),
  resumeSessionId: words.optional(),
  lostRuns: count,
  kind: z.enum(taskKinds),
  chainId: words.optional(),
  step: count.optional(),
  plan: plan.optional(),
  workspace: workspaceAnswer.optional().describe("Its worktree or clone, what is saved of it, and what its checks said."),
  merge: z.enum(["manual", "auto"]).optional(),
  mergeId: words.optional().describe("The merge that completes it once it has landed."),
  paths: texts.optional().describe("What it claims in the activity log while it runs."),
  claimWaitMs: span.optional().describe("How long it may still wait for others' claims on its paths."),
  retryCount: count,
  depth: count.optional().describe("How many tasks deep it was submitted from within slots."),
  parentTaskId: words.optional(),
  trace: answer({ traceparent: words, tracestate: words.optional() }).optional().describe("Of the request that submitted it."),
  waitsFor: z.enum(["permission", "question"]).optional().describe("It runs, and waits for somebody's answer."),
  createdAtMs: moment,
  startedAtMs: moment.optional(),
  completedAtMs: moment.optional(),
  result: taskResultAnswer.optional(),
} satisfies Fields<TaskRecord>);

/** One attempt at a task: a row of the ledger. */
export const runRecordAnswer = answer({
  runId: words,
  taskId: words,
  attempt: count,
  hostId: words,
  slotId: words,
  startedAtMs: moment,
  endedAtMs: moment.optional(),
  outcome: words.optional().describe("completed, failed, cancelled, timed_out, limited or lost; absent while it runs."),
  reason: reason.optional(),
  reservedMicrodollars: money,
  costMicrodollars: money,
  costEstimated: yes,
  turnsUsed: count,
  model: words.optional(),
  sessionId: words.optional(),
  usage: usage.optional(),
  superseded: z.enum(["retried", "rejected", "checks"]).optional(),
} satisfies Fields<RunRecord>);

/** What a task became. */
export const taskOutcomeAnswer = answer({
  taskId: words,
  state: taskState,
  result: taskResultAnswer.optional(),
} satisfies Fields<TaskOutcome>);

export const taskPageAnswer = answer({
  tasks: z.array(taskRecordAnswer),
  next: count.optional().describe("Pass as `after` for the next page; absent on the last."),
} satisfies Fields<ListPage>);

export const waitAnswer = answer({
  done: z.array(taskOutcomeAnswer),
  pending: texts.describe("Ids of those that go on."),
  timedOut: yes,
} satisfies Fields<WaitAnswer>);
