/** Tasks: run, submit, fan out, wait, look at, cancel. */
import { z } from "zod";
import type { ListPage } from "../../core/records.ts";
import type { TaskFilter, TaskRecord, TaskSpec } from "../../core/task.ts";
import { permissionModes, taskKinds, taskStates } from "../../core/task.ts";
import { answer, count, money, moment, texts, words, yes } from "../../schema/answer.ts";
import { holdAnswer } from "../../schema/answers-task.ts";
import { listSchema, waitSchema } from "../../schema/calls.ts";
import { taskSpecSchema } from "../../schema/fields.ts";
import { listOf, promptText, text, wholeAtLeast } from "../../schema/values.ts";
import { awaitTasks } from "../awaiting.ts";
import { cutFields, maxTokens, tokensOf } from "../bounded.ts";
import {
  taskAnswer,
  taskAnswerOf,
  taskAnswers,
  taskAnswerShape,
  taskStateAnswer,
  toTaskAnswer,
} from "../task-answer.ts";
import { tool, type Tool } from "../tool.ts";
import { undecided } from "../undecided.ts";
import type { ToolCall } from "../tool-call.ts";

/** What a task can be told here. */
const { review: _review, maxRejections: _rejections, afterRejection: _after, ...workFields } = taskSpecSchema.shape;
const workInput = z.strictObject(workFields);

/** The same in the words that a model needs; everything else of `workInput` is understood too. */
const shownFields = {
  prompt: workFields.prompt.describe("The work, with all that the worker must know."),
  model: z.string().optional().describe("haiku, sonnet, opus or a full id"),
  effort: z.enum(["low", "medium", "high", "xhigh", "max"]).optional(),
  permissionMode: z.enum(permissionModes).optional(),
  allowedTools: texts.optional(),
  jsonSchema: z.looseObject({}).optional().describe("the answer must fit it"),
  maxTurns: z.number().optional(),
  maxBudgetUsd: z.number().optional(),
  timeoutMs: z.number().optional(),
  cwd: z.string().optional(),
  isolation: z.enum(["none", "worktree", "clone"]).optional(),
  checks: texts.optional().describe("commands that must succeed on its work"),
  tags: texts.optional(),
};
const shownWork = z.looseObject(shownFields);

const taskId = text("the id of a task");
const shownId = z.strictObject({ taskId: z.string() });

/** Input of a tool that is about one task. */
export const taskIdInput = z.strictObject({ taskId });

/** What several tasks at once are answered as. */
const fanOutAnswer = z.strictObject({
  results: z.array(taskAnswerShape),
  pending: texts,
  timed_out: yes,
  next_step: words.optional(),
  tag: words.optional().describe("All of these tasks have it, where they are many."),
  ...cutFields,
});

/** More results than these are cut in any case. */
const fewResults = 20;

export const workTools: readonly Tool[] = [
  tool({
    name: "pool_run",
    title: "Run a task",
    description: "Runs one task on a slot and waits for its result.",
    effect: "work",
    isCore: true,
    input: workInput,
    shown: shownWork,
    output: taskAnswer,
    run: async (spec, call) => {
      const task = await call.pool.submit(spec as TaskSpec);
      await awaitTasks(call, [task.id], { isOurs: true });
      return taskAnswerOf(call, task.id);
    },
  }),
  tool({
    name: "pool_submit",
    title: "Submit a task",
    description: "Queues a task (fields as in pool_run), answers at once with its id; collect it with pool_wait.",
    effect: "work",
    isCore: true,
    input: workInput,
    shown: z.looseObject({ prompt: z.string(), tags: texts.optional(), priority: z.int().optional() }),
    output: taskStateAnswer,
    run: async (spec, call) => {
      const task = await call.pool.submit(spec as TaskSpec);
      return stateOf(await task.get());
    },
  }),
  tool({
    name: "pool_fan_out",
    title: "Run many tasks at once",
    description:
      "Runs independent prompts in parallel and waits; results in their order. Other fields (as in pool_run) hold for each.",
    effect: "work",
    isCore: true,
    input: z.strictObject({
      prompts: listOf(promptText, "a list of prompts")
        .min(1, { error: "at least one prompt" })
        .max(1_000, { error: "at most 1,000" }),
      ...omitPrompt(workFields),
    }),
    shown: z.looseObject({
      prompts: texts,
      model: z.string().optional(),
      permissionMode: z.string().optional(),
      tags: shownFields.tags,
    }),
    output: fanOutAnswer,
    run: async ({ prompts, ...each }, call) => {
      // So many results are not shown in full: a tag finds all of them.
      const tag = prompts.length > fewResults ? `fan-out-${globalThis.crypto.randomUUID().slice(0, 8)}` : undefined;
      const tags = tag === undefined ? {} : { tags: [...(each.tags ?? []), tag] };
      const specs = prompts.map((prompt) => ({ ...each, ...tags, prompt }) as TaskSpec);
      const ids = (await call.pool.submitMany(specs)).map((task) => task.id);
      return { ...(await severalOf(call, ids)), ...(tag === undefined ? {} : { tag }) };
    },
  }),
  tool({
    name: "pool_wait",
    title: "Wait for tasks",
    description: "Waits until all (or any) of these tasks or chains have ended or want a review.",
    effect: "reads",
    isCore: true,
    input: z.strictObject({
      taskIds: listOf(taskId, "a list of task ids")
        .min(1, { error: "at least one id" })
        .max(1_000, { error: "at most 1,000" }),
      mode: waitSchema.shape.mode,
      timeoutMs: waitSchema.shape.timeoutMs,
    }),
    shown: z.strictObject({
      taskIds: texts,
      mode: z.enum(["all", "any"]).optional(),
      timeoutMs: z.number().optional().describe("0: only look"),
    }),
    output: z.strictObject({
      done: z.array(taskAnswerShape),
      pending: texts,
      timed_out: yes,
      next_step: words.optional(),
      ...cutFields,
    }),
    run: async ({ taskIds, mode, timeoutMs }, call) => {
      const waited = await awaitTasks(call, taskIds, {
        ...(mode === undefined ? {} : { mode }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      const done = await taskAnswers(
        call,
        waited.done.map((outcome) => outcome.taskId),
      );
      return { done, pending: waited.pending, timedOut: waited.timedOut, ...(await goOn(call, waited.pending)) };
    },
  }),
  tool({
    name: "pool_result",
    title: "Result of a task",
    description: "State and result of a task, at once. `from`: the output from this character on.",
    effect: "reads",
    isCore: true,
    input: z.strictObject({ taskId, from: wholeAtLeast(0).optional() }),
    shown: z.strictObject({ taskId: z.string(), from: z.number().optional() }),
    output: taskAnswer,
    run: async ({ taskId: id, from = 0 }, { pool }) => {
      const record = await pool.get(id);
      const { result } = record;
      if (result === undefined || from === 0) return toTaskAnswer(record);
      return toTaskAnswer({ ...record, result: { ...result, output: result.output.slice(from) } });
    },
  }),
  tool({
    name: "pool_cancel",
    title: "Cancel a task",
    description: "Cancels a task or chain; when it answers, nothing of it runs any more.",
    effect: "removes",
    isCore: true,
    input: taskIdInput,
    shown: shownId,
    output: taskStateAnswer,
    run: async ({ taskId: id }, { pool }) => stateOf(await pool.cancel(id)),
  }),
  tool({
    name: "pool_list_tasks",
    title: "List tasks",
    description: "Tasks, newest first, a page at a time, in short; filters by state, kind, tags, slot, time.",
    effect: "reads",
    input: listSchema,
    output: z.strictObject({
      tasks: z.array(
        answer({
          taskId: words,
          state: z.enum(taskStates),
          kind: z.enum(taskKinds),
          prompt: words.describe("Its beginning."),
          tags: texts,
          priority: z.int(),
          slotId: words.optional(),
          hold: holdAnswer.optional(),
          reason: words.optional(),
          costMicrodollars: money.optional(),
          createdAtMs: moment,
          completedAtMs: moment.optional(),
        }),
      ),
      next: count.optional().describe("Pass as `after` for the next page."),
      ...cutFields,
    }),
    run: async ({ limit = 25, ...filter }, { pool }) => {
      const page = await pool.list({ ...(filter as TaskFilter), limit: Math.min(limit, 100) });
      return fittingPage(page);
    },
  }),
];

/** How the rest of some work is come by. */
async function goOn({ pool }: ToolCall, pending: readonly string[]): Promise<object> {
  if (pending.length === 0) return {};
  const { asking, reviews } = await undecided(pool, pending);
  const steps = [
    ...(asking.length === 0 ? [] : [`${String(asking.length)} wait for your answer: pool_requests, pool_answer`]),
    ...(reviews.length === 0 ? [] : [`approve or reject these steps: ${reviews.slice(0, 20).join(", ")}`]),
    "pool_wait with the ids in `pending`, or pool_cancel",
  ];
  return { nextStep: `${String(pending.length)} go on: ${steps.join("; then ")}.` };
}

/** Several tasks of this call, each in its place. */
async function severalOf(call: ToolCall, ids: readonly string[]): Promise<object> {
  const { pending, timedOut } = await awaitTasks(call, ids, { isOurs: true });
  return { results: await taskAnswers(call, ids), pending, timedOut, ...(await goOn(call, pending)) };
}

export function stateOf({ id, state }: TaskRecord): { readonly taskId: string; readonly state: TaskRecord["state"] } {
  return { taskId: id, state };
}

/** As many of a page as one answer shows; the next page begins where they end. */
function fittingPage({ tasks, next }: ListPage): object {
  let tokens = 0;
  const beyond = tasks.findIndex((task) => (tokens += tokensOf(JSON.stringify(inShort(task)))) > maxTokens);
  if (beyond === -1) return { tasks: tasks.map(inShort), ...(next === undefined ? {} : { next }) };
  const shown = tasks.slice(0, Math.max(1, beyond));
  return { tasks: shown.map(inShort), next: shown.at(-1)?.seq };
}

const shownPrompt = 160;

function inShort(record: TaskRecord): object {
  const { id, state, kind, prompt, tags, priority, slotId, hold, result, createdAtMs, completedAtMs } = record;
  return {
    taskId: id,
    state,
    kind,
    prompt: prompt.length > shownPrompt ? `${prompt.slice(0, shownPrompt - 1).trimEnd()}…` : prompt,
    tags,
    priority,
    slotId,
    hold,
    reason: result?.reason,
    costMicrodollars: result?.costMicrodollars,
    createdAtMs,
    completedAtMs,
  };
}

function omitPrompt<T extends { readonly prompt: unknown; readonly key: unknown }>(
  fields: T,
): Omit<T, "prompt" | "key"> {
  const { prompt: _, key: __, ...rest } = fields; // a key stands for one task
  return rest;
}
