/** What came of several at once and of routed work: each in its place, with the error in words where it failed. */
import { z } from "zod";
import type { Settled, SettledChain } from "../core/api.ts";
import type { AutoResult } from "../core/route.ts";
import { toWire } from "../core/wire.ts";
import { answer, money, texts, words, yes } from "./answer.ts";
import { chainResultAnswer } from "./answers-chain.ts";
import { errorAnswer, errorAnswerOf } from "./answers-error.ts";
import { taskOutcomeAnswer, taskResultAnswer } from "./answers-task.ts";

const status = z.enum(["fulfilled", "rejected"]);

/** One result of a fan-out, in the place of its input; what was not admitted has no `task_id`. */
export const settledAnswer = answer({
  status,
  taskId: words.optional(),
  result: taskResultAnswer.optional(),
  outcome: taskOutcomeAnswer.optional().describe("What became of a task that did not complete."),
  error: errorAnswer.optional(),
});

/** One chain of several, in the place of its input; what was not admitted has no `task_id`. */
export const settledChainAnswer = answer({
  status,
  taskId: words.optional(),
  result: chainResultAnswer.optional(),
  error: errorAnswer.optional(),
});

/** How the router divided a task. */
export const routeAnswer = answer({
  route: z.enum(["single", "parallel", "chain"]),
  prompt: words.optional().describe("Of a single task."),
  prompts: texts.optional().describe("Of a parallel route."),
  steps: z
    .array(answer({ name: words, prompt: words }))
    .optional()
    .describe("Of a chain."),
  reason: words.optional().describe("Why, in the router's words."),
  costMicrodollars: money.describe("Of the router alone, in millionths of a dollar."),
  taskId: words.describe("The router's own task."),
});

/** What `auto` did: the route, and what came of it. */
export const autoAnswer = answer({
  route: z.enum(["single", "parallel", "chain"]),
  routing: routeAnswer,
  output: words,
  success: yes,
  costMicrodollars: money.describe("Of the router and of everything that ran, in millionths of a dollar."),
  taskIds: texts.describe("What ran: a task, several, or a chain."),
  result: z.union([taskResultAnswer, chainResultAnswer]).optional(),
  results: z.array(settledAnswer).optional(),
});

/** A settled task or chain as JSON has it: its error in words. */
export function settledAnswerOf(settled: Settled | SettledChain): unknown {
  if (settled.status === "fulfilled") return toWire(settled);
  const { error, ...rest } = settled;
  return withError(rest, error);
}

/** What `auto` did as JSON has it. */
export function autoAnswerOf(result: AutoResult): unknown {
  if (result.route !== "parallel") return toWire(result);
  const { results, ...rest } = result;
  return { ...(toWire(rest) as object), results: results.map(settledAnswerOf) };
}

/** The outcome, where there is one, is beside the error and not in it too. */
function withError(rest: object, error: Error): unknown {
  const { details, ...said } = errorAnswerOf(error);
  const { outcome: _, ...others } = details;
  return { ...(toWire(rest) as object), error: { ...said, details: others } };
}
