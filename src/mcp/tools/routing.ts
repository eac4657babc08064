/** Routing: one task, several or a chain, as a cheap model says. */
import { z } from "zod";
import { PoolError } from "../../core/errors.ts";
import type { RouteAnswer } from "../../core/route.ts";
import { money, texts, words, yes } from "../../schema/answer.ts";
import { routeAnswer } from "../../schema/answers-settled.ts";
import { autoSchema } from "../../schema/parse-requests.ts";
import { promptText } from "../../schema/values.ts";
import { cutFields } from "../bounded.ts";
import { taskAnswers, taskAnswerShape } from "../task-answer.ts";
import { tool, type Tool } from "../tool.ts";
import type { ToolCall } from "../tool-call.ts";
import { within } from "../within.ts";

const { signal: _signal, onRoute: _onRoute, hints: hintsField, task: taskField, ...routeFields } = autoSchema.shape;
const hintFields = hintsField.unwrap().shape;
const taskFields = taskField.unwrap().shape;
const plainRoute = z.strictObject({ prompt: promptText, model: routeFields.model });
const hintedRoute = plainRoute.extend({ ...hintFields, timeoutMs: routeFields.timeoutMs });
const work = {
  permissionMode: taskFields.permissionMode,
  maxBudgetUsd: taskFields.maxBudgetUsd,
  tags: taskFields.tags,
  cwd: taskFields.cwd,
};
const plainAuto = z.strictObject({ prompt: promptText, ...work });
const hintedAuto = plainAuto.extend({ ...hintFields, model: routeFields.model, timeoutMs: routeFields.timeoutMs });

const autoAnswer = z.strictObject({
  route: z.enum(["single", "parallel", "chain"]).optional(),
  routing: routeAnswer.optional(),
  success: yes.optional(),
  output: words.optional(),
  cost_microdollars: money.optional(),
  task_ids: texts,
  results: z.array(taskAnswerShape),
  tag: words.describe("Everything that this call began has it."),
  next_step: words.optional(),
  ...cutFields,
});

type Hinted = z.output<typeof hintedRoute>;

export const routingTools: readonly Tool[] = [
  tool({
    name: "pool_route",
    title: "Ask how to divide a task",
    description: "Asks a cheap model whether a task is one piece of work, several or a chain; does nothing of it.",
    effect: "work",
    input: plainRoute,
    output: routeAnswer.extend(cutFields),
    run: async ({ prompt, model }, call) => route(call, prompt, { ...(model === undefined ? {} : { model }) }),
  }),
  tool({
    name: "pool_route_with_hints",
    title: "Ask how to divide a task, with hints",
    description: "As pool_route, with limits, a preference and what you know of the task.",
    effect: "work",
    input: hintedRoute,
    output: routeAnswer.extend(cutFields),
    run: async ({ prompt, ...given }, call) => route(call, prompt, routeOptions(given)),
  }),
  tool({
    name: "pool_auto",
    title: "Divide a task and run it",
    description: "Routes a task as pool_route does, runs what was decided and waits for all of it.",
    effect: "work",
    input: plainAuto,
    output: autoAnswer,
    run: async ({ prompt, ...task }, call) => auto(call, prompt, {}, task),
  }),
  tool({
    name: "pool_auto_with_hints",
    title: "Divide a task with hints and run it",
    description: "As pool_auto, with limits, a preference and what you know of the task.",
    effect: "work",
    input: hintedAuto,
    output: autoAnswer,
    run: async ({ prompt, permissionMode, maxBudgetUsd, tags, cwd, ...given }, call) =>
      auto(call, prompt, routeOptions(given), { permissionMode, maxBudgetUsd, tags, cwd }),
  }),
];

function routeOptions(given: Partial<Omit<Hinted, "prompt">>): object {
  const { model, timeoutMs, ...hints } = given;
  return {
    hints: present(hints),
    ...(model === undefined ? {} : { model }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** The question alone: past the call's time it is taken back, since nothing of the task has begun. */
async function route(call: ToolCall, prompt: string, options: object): Promise<RouteAnswer> {
  const stop = new AbortController();
  const { cancelled, end } = cancellation(call.signal, call.isCancelled);
  const asking = call.pool
    .route(prompt, { ...options, signal: AbortSignal.any([cancelled, stop.signal]) })
    .finally(end);
  const answer = await within(call.answerWithinMs, asking);
  if (answer !== undefined) return answer;
  stop.abort();
  await asking.catch(() => undefined); // it is stopped: that is what was asked for
  throw new PoolError(
    "wait_timeout",
    "The router had no slot, or no answer, in the time of this call; it is cancelled, and nothing of the task was done.",
  );
}

/**
 * What is routed has no id before the router has answered: a tag of this call's own is its handle until then, and finds all
 * of it afterwards.
 */
async function auto(
  call: ToolCall,
  prompt: string,
  options: object,
  task: Readonly<Record<string, unknown>>,
): Promise<object> {
  const { pool, answerWithinMs, signal, isCancelled } = call;
  const tag = `auto-${globalThis.crypto.randomUUID().slice(0, 8)}`;
  const tags = [...((task.tags as readonly string[] | undefined) ?? []), tag];
  const { cancelled, end } = cancellation(signal, isCancelled);
  let routing: RouteAnswer | undefined;
  const onRoute = (answer: RouteAnswer): void => {
    routing = answer;
    call.report?.({ progress: 0.5, total: 1, message: `routed: ${answer.route}` });
  };
  const running = pool
    .auto(prompt, { ...options, task: present({ ...task, tags }), signal: cancelled, onRoute })
    .finally(end);
  const result = await within(answerWithinMs, running);
  if (result === undefined) return later(call, tag, routing); // its tasks tell what becomes of it
  const { route: kind, output, success, costMicrodollars, taskIds } = result;
  const results = kind === "single" ? [] : await taskAnswers(call, taskIds);
  return { route: kind, routing, success, output, costMicrodollars, taskIds, results, tag };
}

async function later({ pool }: ToolCall, tag: string, routing: RouteAnswer | undefined): Promise<object> {
  const { tasks } = await pool.list({ tags: [tag], limit: 100, order: "oldest" });
  const ids = tasks.filter((one) => one.chainId === undefined).map(({ id }) => id);
  return {
    ...(routing === undefined ? {} : { route: routing.route, routing }),
    taskIds: ids,
    results: [],
    tag,
    nextStep:
      ids.length === 0
        ? `It is still being divided: pool_list_tasks with tags ["${tag}"] shows its tasks once they are there.`
        : "It goes on: pool_wait with these task_ids.",
  };
}

/** A signal for the client's cancellation alone: what is merely out of touch goes on. */
function cancellation(
  signal: AbortSignal,
  isCancelled: () => boolean,
): { readonly cancelled: AbortSignal; readonly end: () => void } {
  const stop = new AbortController();
  const onAbort = (): void => {
    if (isCancelled()) stop.abort(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return { cancelled: stop.signal, end: () => signal.removeEventListener("abort", onAbort) };
}

function present(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
