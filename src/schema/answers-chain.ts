/** What the pool answers about chains. */
import { z } from "zod";
import { stepStates, type ChainProgress, type ChainResult, type StepRecord, type StepResult } from "../core/chain.ts";
import { answer, count, moment, money, textByName, texts, words, yes } from "./answer.ts";
import { holdAnswer } from "./answers-task.ts";
import type { Fields } from "./fields.ts";

const stepResultAnswer = answer({
  name: words,
  output: words,
  success: yes,
  costMicrodollars: money,
  retriesUsed: count,
  skipped: yes,
  error: words.optional(),
  recovered: yes.optional().describe("Its recovery prompt gave the output."),
} satisfies Fields<StepResult>);

const stepRecordAnswer = answer({
  name: words,
  state: z.enum(stepStates),
  taskId: words.optional(),
  output: words.optional(),
  vars: textByName.optional(),
  error: words.optional(),
  costMicrodollars: money,
  retriesUsed: count,
  recovered: yes.optional(),
  hold: holdAnswer.optional(),
  startedAtMs: moment.optional(),
  completedAtMs: moment.optional(),
} satisfies Fields<StepRecord>);

/** A chain's way so far. */
export const chainProgressAnswer = answer({
  taskId: words,
  name: words.optional(),
  totalSteps: count,
  currentStep: count.optional().describe("Index of the first running step."),
  currentStepName: words.optional(),
  currentStepPartialOutput: words.optional().describe("The running step's text so far; bounded."),
  currentStepStartedAt: z.number().optional().describe("In seconds since the epoch."),
  runningSteps: texts,
  completedSteps: z.array(stepResultAnswer),
  steps: z.array(stepRecordAnswer),
  status: z.enum(["running", "completed", "failed", "cancelled"]),
  totalCostMicrodollars: money,
  resumedFrom: words.optional(),
} satisfies Fields<ChainProgress>);

/** What came of a chain. */
export const chainResultAnswer = answer({
  taskId: words,
  steps: z.array(stepResultAnswer),
  finalOutput: words,
  totalCostMicrodollars: money,
  success: yes,
} satisfies Fields<ChainResult>);
