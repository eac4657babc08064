/** What the REST routes take beside what the library's own calls do. */
import { z } from "zod";
import type { TaskSpec } from "../core/task.ts";
import { claimSchema, logListSchema, postSchema, releaseSchema } from "./activity.ts";
import { listSchema } from "./calls.ts";
import { chainSchema } from "./chain.ts";
import { taskSpecSchema } from "./fields.ts";
import { approveFields, diffFields, mergeFields, mergeListFields, pruneRefsFields, rejectFields, restoreFields } from "./landing.ts";
import { parse } from "./parse.ts";
import { filterSchema } from "./parse-governing.ts";
import { autoSchema, routeSchema } from "./parse-requests.ts";
import { permissionAnswerFields, requestFilterFields } from "./requests.ts";
import { anyText, dollarsFrom, flag, listOf, milliseconds, oneOf, promptText, text, whole, wholeAtLeast } from "./values.ts";

/** How long a request is kept waiting that says nothing of it. */
export const defaultWaitMs = 30_000;
/** The longest that one is: proxies give up on longer ones. */
const longestWaitMs = 600_000;
/** The most tasks of one request, in one transaction. */
const mostTasks = 1_000;

const waitMs = milliseconds(0)
  .max(longestWaitMs, { error: `milliseconds, at most ${String(longestWaitMs)}` })
  .optional()
  .describe(`The longest this request waits, in milliseconds; default ${String(defaultWaitMs)}, at most ${String(longestWaitMs)}.`);
const limit = wholeAtLeast(1).max(1_000, { error: "at most 1,000" }).optional().describe("How many at once; default 50.");
const after = wholeAtLeast(0).optional().describe("The `next` of the page before.");
const id = text("the id of a task", 200);
const { prompt: _prompt, ...specFields } = taskSpecSchema.shape;

/** `tag` and `tags` are one: the original has the first. */
export const taskQuery = z.strictObject({
  ...listSchema.shape,
  limit,
  after,
  tag: text("a tag", 200).optional().describe("One tag; `tags` takes several, of which any will do."),
});

export const waitQuery = z.strictObject({ timeoutMs: waitMs });

export const waitBody = z.strictObject(
  {
    taskIds: listOf(id, "a list of task ids").min(1, { error: "at least one task id" }).max(mostTasks, { error: `at most ${String(mostTasks)} task ids` }),
    mode: oneOf(["all", "any"]).optional().describe("`all` (default) waits for every task, `any` for the first."),
    timeoutMs: waitMs,
  },
  { error: "an object with `task_ids`" },
);

const taskOrPrompt = z.union([promptText, taskSpecSchema], { error: "a prompt or an object with a `prompt`" });
export const fanOutBody = z.strictObject(
  {
    ...specFields,
    prompts: listOf(taskOrPrompt, "a list of prompts, or of objects with a `prompt`")
      .min(1, { error: "at least one prompt" })
      .max(mostTasks, { error: `at most ${String(mostTasks)} prompts` }),
    waitMs,
  },
  { error: "an object with `prompts`" },
);

export const rejectBody = z.strictObject(
  {
    ...rejectFields,
    feedback: promptText.max(100_000, { error: "at most 100000 characters" }).describe("What the next attempt is to do better."),
  },
  { error: "an object with `feedback`" },
);
export const approveBody = z.strictObject({ ...approveFields, waitMs }, { error: "an object of options" });

export const diffQuery = z.strictObject({
  ...diffFields,
  patch: flag().optional().describe("`false`: the files alone, and an empty `patch`."),
});
export const mergeBody = z.strictObject({ ...mergeFields, waitMs }, { error: "an object of options" });
export const previewQuery = z.strictObject({
  into: mergeFields.into,
  with: id.optional().describe("Another task, whose work it is compared with in place of the branch."),
});
export const mergesQuery = z.strictObject({ ...mergeListFields, limit });
export const restoreBody = z.strictObject(restoreFields, { error: "an object of options" });
export const pruneRefsBody = z.strictObject(pruneRefsFields, { error: "an object of options" });
export const pruneBody = z.strictObject(
  { dryRun: flag().optional().describe("Only says what would be removed.") },
  { error: "an object of options" },
);

const instance = text("a label of letters, digits, dot, dash and underscore", 64)
  .optional()
  .describe("As which terminal; default the server's own label.");
export const logQuery = z.strictObject({ ...logListSchema.shape, limit });
export const logPostBody = z.strictObject({ ...postSchema.shape, instance }, { error: "an object with a topic or a summary" });
export const logClaimBody = z.strictObject({ ...claimSchema.shape, instance }, { error: "an object with `affects` or a `topic`" });
export const logReleaseBody = z.strictObject({ ...releaseSchema.shape, instance }, { error: "an object of options" });

export const chainsQuery = z.strictObject({ limit, after });
export const chainFanOutBody = z.strictObject(
  { chains: listOf(chainSchema, "a list of chains").min(1, { error: "at least one chain" }).max(100, { error: "at most 100 chains" }) },
  { error: "an object with `chains`" },
);
export const resumeBody = z.strictObject(
  { from: text("the name of a step").optional().describe("The step to begin at; default those that did not complete.") },
  { error: "an object" },
);

export const eventsQuery = z.strictObject({
  after: wholeAtLeast(0).optional().describe("Only what comes after this `seq`; default from the beginning."),
  limit,
  taskId: id.optional().describe("Only the events of this task."),
});

export const streamQuery = z.strictObject({
  after: wholeAtLeast(0).optional().describe("As Last-Event-ID, for clients that cannot send headers."),
});

const values = z.record(z.string(), anyText, { error: "an object of texts" }).optional().describe("Arguments by name.");
export const skillRunBody = z.strictObject(
  { ...specFields, arguments: values } satisfies Readonly<Record<Exclude<keyof TaskSpec, "prompt"> | "arguments", z.ZodType>>,
  { error: "an object" },
);
const { steps: _steps, ...chainFields } = chainSchema.shape;
export const workflowRunBody = z.strictObject({ ...chainFields, arguments: values }, { error: "an object" });

export const contextBody = z.strictObject({ value: anyText }, { error: "an object with `value`" });

const { signal: _signal, ...routeOptions } = routeSchema.shape;
export const routeBody = z.strictObject({ ...routeOptions, prompt: promptText }, { error: "an object with a `prompt`" });
const { signal: _autoSignal, onRoute: _onRoute, ...autoOptions } = autoSchema.shape;
export const autoBody = z.strictObject({ ...autoOptions, prompt: promptText }, { error: "an object with a `prompt`" });

export const estimateBody = z.strictObject(
  {
    ...specFields,
    prompts: fanOutBody.shape.prompts,
    slots: wholeAtLeast(1).optional().describe("How many of the tasks would run at once; default 1."),
  },
  { error: "an object with `prompts`" },
);

export const requestsQuery = z.strictObject(requestFilterFields);
export const requestAnswerBody = z.strictObject(
  {
    ...permissionAnswerFields,
    decision: permissionAnswerFields.decision.optional().describe("Of a request for permission."),
    text: promptText.optional().describe("Of a question: the answer in words."),
  },
  { error: "an object with a `decision`, or with a `text`" },
);
export const ruleBody = z.strictObject(
  { rule: text("a rule such as Bash(npm test:*)"), decision: permissionAnswerFields.decision.optional() },
  { error: "an object with a `rule`" },
);

/** Exactly one of the two, as in the original. */
export const scaleBody = z
  .strictObject(
    {
      target: wholeAtLeast(0).optional().describe("The number of slots."),
      delta: whole().optional().describe("So many more, or fewer if negative."),
    },
    { error: "an object with `target` or `delta`" },
  )
  .refine(({ target, delta }) => (target === undefined) !== (delta === undefined), { error: "either `target` or `delta`" });

export const budgetScopeBody = z.strictObject(
  { scope: text("`day`, or `tag:NAME`", 204), usd: dollarsFrom("zero").optional().describe("Without it the cap is removed.") },
  { error: "an object with `scope`" },
);

export const metricsQuery = z.strictObject({
  ...filterSchema.shape,
  tag: text("a tag", 200).optional().describe("One tag; `tags` takes several, of which any will do."),
});

/** @throws {PoolError} `invalid_options`, naming the field as JSON has it. */
export function parseRest<S extends z.ZodObject>(schema: S, input: unknown): z.output<S> {
  return parse<z.output<S>>(schema, input, "wire");
}
