/** What workers' own tools take, in wire names: the model fills them in, so every field says what it is for. */
import { z } from "zod";
import { maxAnswerCharacters } from "../core/permission.ts";
import { maxMessageCharacters } from "../core/message.ts";
import type { JsonObject } from "../core/task.ts";
import { parse } from "./parse.ts";
import { flag, promptText, text, whole, wholeAtLeast } from "./values.ts";

/** The longest that one call of a tool waits, in seconds: a worker holds its slot meanwhile. */
const maxWaitSecs = 3_600;
const wait = z
  .number({ error: "seconds" })
  .min(0, { error: "seconds, at least 0" })
  .max(maxWaitSecs, { error: `seconds, at most ${String(maxWaitSecs)}` });

export const workerInputs = {
  post_message: z.strictObject({
    to: text("a slot's id, coordinator, or slots", 200).describe("`coordinator`, the id of a slot such as `slot-2`, or `slots` for all others."),
    content: z.string({ error: "text" }).describe(`At most ${String(maxMessageCharacters)} characters.`),
  }),
  read_messages: z.strictObject({}),
  ask_coordinator: z.strictObject({
    question: z.string({ error: "text" }).describe(`What you need to know, with the choices you see; at most ${String(maxAnswerCharacters)} characters.`),
    timeout_secs: wait.optional().describe("How long to wait for the answer; default 300."),
  }),
  report_progress: z.strictObject({
    text: text("text that is not empty", 1_000).describe("What is done and what comes next, in a sentence."),
    percent: z.number({ error: "a number from 0 to 100" }).min(0).max(100).optional(),
  }),
  read_context: z.strictObject({
    key: text("a context key that is not empty").optional().describe("One key; without it all keys and values."),
  }),
  submit_task: z.strictObject({
    prompt: promptText.describe("The whole task: its worker knows nothing of your conversation."),
    priority: whole().optional().describe("Higher first; default 0."),
    tags: z.array(text("text that is not empty", 200)).max(64).optional(),
    model: text("the name of a model").optional(),
    max_turns: wholeAtLeast(1).optional(),
    review: flag().optional().describe("Stop for the coordinator's approval."),
  }),
  task_result: z.strictObject({
    task_id: text("the id of a task that you submitted"),
    wait_secs: wait.optional().describe("How long to wait for its end; default 0. You keep your slot while you wait."),
  }),
};

export type WorkerToolName = keyof typeof workerInputs;
export type WorkerInput<N extends WorkerToolName> = z.infer<(typeof workerInputs)[N]>;

export function isWorkerTool(name: string): name is WorkerToolName {
  return Object.hasOwn(workerInputs, name);
}

/** @throws {PoolError} `invalid_options`, naming the field. */
export function parseWorkerInput<N extends WorkerToolName>(name: N, input: unknown): WorkerInput<N> {
  return parse<WorkerInput<N>>(workerInputs[name], input, "library", name);
}

/** The JSON schema that the model sees. */
export function workerInputSchema(name: WorkerToolName): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(workerInputs[name], { io: "input" });
  return schema as JsonObject;
}
