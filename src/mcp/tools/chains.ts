/** Chains and workflows: steps that build on each other. */
import { z } from "zod";
import type { ChainProgress, StepRecord } from "../../core/chain.ts";
import { chainResultAnswer, chainProgressAnswer } from "../../schema/answers-chain.ts";
import { answer, texts, words, yes } from "../../schema/answer.ts";
import { taskState } from "../../schema/answers-task.ts";
import { chainSchema, parseChain, type WrittenChain } from "../../schema/chain.ts";
import { parse } from "../../schema/parse.ts";
import { listOf, text } from "../../schema/values.ts";
import { awaitTasks } from "../awaiting.ts";
import { cutFields } from "../bounded.ts";
import { taskStateAnswer } from "../task-answer.ts";
import { tool, type Tool } from "../tool.ts";
import type { ToolCall } from "../tool-call.ts";
import { stateOf, taskIdInput } from "./work.ts";

const stepShown = z.looseObject({
  name: z.string(),
  prompt: z.string().optional().describe("may hold {previous_output}, {steps.NAME.output}, {steps.NAME.VARIABLE}"),
  skill: z.string().optional(),
  arguments: z.looseObject({}).optional(),
  needs: texts.optional().describe("names of the steps before it; default the one above; [] none"),
  model: z.string().optional(),
  permissionMode: z.string().optional(),
  retries: z.int().optional(),
  review: z.boolean().optional(),
});
const shownChain = z.looseObject({ steps: z.array(stepShown), name: z.string().optional(), tags: texts.optional() });

const { steps: stepsField, ...chainFields } = chainSchema.shape;
const { name: _name, key: _key, ...sharedFields } = chainFields;
const manySchema = z.strictObject({
  ...sharedFields,
  chains: listOf(stepsField, "a list of lists of steps")
    .min(1, { error: "at least one chain" })
    .max(200, { error: "at most 200" }),
});

const { completed_steps: completedSteps, steps: _steps, ...progressFields } = chainProgressAnswer.shape;

/** One shape for a chain at work and one that is over. */
const chainAnswer = z.strictObject({
  ...progressFields,
  state: taskState,
  success: yes.optional(),
  final_output: chainResultAnswer.shape.final_output.optional(),
  completed_steps: completedSteps,
  steps: z.array(chainProgressAnswer.shape.steps.element.omit({ output: true, vars: true })),
  next_step: words.optional(),
  ...cutFields,
});

export const chainTools: readonly Tool[] = [
  tool<typeof chainSchema, WrittenChain>({
    name: "pool_chain",
    title: "Run a chain",
    description: "Runs steps that build on each other and waits for the end. Long chains: pool_submit_chain.",
    effect: "work",
    input: chainSchema,
    shown: shownChain,
    output: chainAnswer,
    read: (given) => parseChain(given, "wire"),
    run: async ({ steps, ...options }, call) => {
      const chain = await call.pool.submitChain(steps, options);
      await awaitTasks(call, [chain.id], { isOurs: true });
      return chainOf(call, chain.id);
    },
  }),
  tool<typeof chainSchema, WrittenChain>({
    name: "pool_submit_chain",
    title: "Submit a chain",
    description: "Queues steps that build on each other, answers at once with the chain's id.",
    effect: "work",
    isCore: true,
    input: chainSchema,
    shown: shownChain,
    output: taskStateAnswer,
    read: (given) => parseChain(given, "wire"),
    run: async ({ steps, ...options }, { pool }) => stateOf(await (await pool.submitChain(steps, options)).get()),
  }),
  tool<typeof manySchema, readonly WrittenChain[]>({
    name: "pool_fan_out_chains",
    title: "Submit many chains",
    description: "Queues several chains, all or none, and answers at once with their ids.",
    effect: "work",
    input: manySchema,
    shown: z.looseObject({ chains: z.array(z.array(stepShown)), tags: texts.optional() }),
    output: z.strictObject({ task_ids: texts, chains: z.array(taskStateAnswer), ...cutFields }),
    read: readMany,
    run: async (chains, { pool }) => {
      const submitted = await pool.submitChains(chains);
      const records = await Promise.all(submitted.map((chain) => chain.get()));
      return { taskIds: records.map(({ id }) => id), chains: records.map(stateOf) };
    },
  }),
  tool({
    name: "pool_chain_result",
    title: "How far a chain is",
    description: "Every step of a chain with its state, and the result once there is one; answers at once.",
    effect: "reads",
    input: taskIdInput,
    output: chainAnswer,
    run: async ({ taskId }, call) => chainOf(call, taskId),
  }),
  tool({
    name: "pool_cancel_chain",
    title: "Cancel a chain",
    description: "Cancels a chain; when it answers, nothing of it runs any more.",
    effect: "removes",
    input: taskIdInput,
    output: taskStateAnswer,
    run: async ({ taskId }, { pool }) => stateOf(await pool.cancelChain(taskId)),
  }),
  tool({
    name: "pool_invoke_workflow",
    title: "Start a workflow",
    description: "Starts a chain that has a name and arguments; answers at once with the chain's id.",
    effect: "work",
    input: z.strictObject({
      workflow: text("the name of a workflow"),
      arguments: z.record(z.string(), z.string({ error: "text" }), { error: "an object of texts" }).optional(),
      tags: chainFields.tags,
      isolation: chainFields.isolation,
    }),
    output: answer({ taskId: words, state: taskState, workflow: words }),
    run: async ({ workflow, arguments: values = {}, ...options }, { pool }) => {
      const chain = await pool.workflows.submit(
        workflow,
        values,
        options as Parameters<typeof pool.workflows.submit>[2],
      );
      return { ...stateOf(await chain.get()), workflow };
    },
  }),
];

/** Every chain is checked before the first is admitted. */
function readMany(given: unknown): readonly WrittenChain[] {
  const { chains: _, ...shared } = parse<Readonly<Record<string, unknown>>>(manySchema, given, "wire");
  const { chains } = given as { readonly chains: readonly unknown[] };
  return chains.map((steps, index) => ({
    ...parseChain({ steps }, "wire", `chains[${String(index)}]`),
    ...(shared as Omit<WrittenChain, "steps">),
  }));
}

async function chainOf({ pool }: ToolCall, id: string): Promise<object> {
  const [progress, { state, result, waitsFor }] = await Promise.all([pool.chainProgress(id), pool.get(id)]);
  const { steps, ...rest } = progress;
  const isOver = progress.status !== "running";
  return {
    ...rest,
    state,
    ...(isOver && result !== undefined ? { success: result.success, finalOutput: finalOutput(result.output) } : {}),
    steps: steps.map(withoutOutput),
    ...(isOver ? {} : { nextStep: nextStep(progress, waitsFor !== undefined) }),
  };
}

/** A chain's output is the JSON of its result; one that ended before any step did has plain words. */
function finalOutput(output: string): string {
  try {
    const { final_output: text } = JSON.parse(output) as { readonly final_output?: unknown };
    return typeof text === "string" ? text : output;
  } catch {
    return output; // no JSON: then it is what there is to say
  }
}

function withoutOutput(step: StepRecord): object {
  const { output: _, vars: __, ...rest } = step;
  return rest;
}

function nextStep({ taskId, steps }: ChainProgress, asks: boolean): string {
  const reviewed = steps.find((step) => step.state === "pending_review");
  if (reviewed?.taskId !== undefined) {
    return `Step ${reviewed.name} waits for you: pool_approve_result or pool_reject_result with task_id ${reviewed.taskId}.`;
  }
  if (asks) return `A step waits for your answer: pool_requests with task_id ${taskId}.`;
  return `It goes on: pool_wait with task_ids ["${taskId}"]. pool_cancel_chain stops it.`;
}
