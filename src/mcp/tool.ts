/**
 * What a tool is: its schemas, its description and its handler stand together, one file a family in tools/.
 *
 * T1. Input is strict: an unknown field is refused with the nearest name, by the schemas of the library.
 * T2. An answer is the library's value; the server maps it to wire names, bounds it and publishes it in one shape.
 * T3. A refusal is a PoolError that the handler throws; the server makes a tool error of it.
 */
import type { z } from "zod";
import { parse } from "../schema/parse.ts";
import type { ToolCall } from "./tool-call.ts";

/** Hints for clients, as MCP names them. `work` stands for what a worker does: anything. */
export type Effect = "reads" | "adds" | "changes" | "removes" | "work";

export interface ToolDefinition<I extends z.ZodObject, A> {
  readonly name: string;
  readonly title: string;
  /** For the model: what it does and when to use it, in few words. */
  readonly description: string;
  readonly effect: Effect;
  /** One of the few that every coordinator needs: in profile `core` too. */
  readonly isCore?: boolean;
  /** In the library's names. */
  readonly input: I;
  /** What is published where `input` would take too many words; fields that it lacks are still understood. */
  readonly shown?: z.ZodObject;
  /** In wire names; answers fit it strictly. */
  readonly output: z.ZodObject;
  /** Reads the input where `input` alone does not; what it throws is a tool error. */
  readonly read?: (given: unknown) => A;
  /** Resolves to the answer in the library's names. */
  readonly run: (args: A, call: ToolCall) => Promise<object>;
}

/** A tool as the server keeps it: whatever is given is checked inside. */
export interface Tool extends Omit<ToolDefinition<z.ZodObject, unknown>, "read" | "run"> {
  readonly call: (given: unknown, call: ToolCall) => Promise<object>;
}

/**
 * Declares a tool.
 *
 * @example tool({ name: "pool_get", …, input: z.strictObject({ taskId: text() }), run: ({ taskId }, { pool }) => pool.get(taskId) })
 */
export function tool<I extends z.ZodObject, A = z.output<I>>(definition: ToolDefinition<I, A>): Tool {
  const { read, run, ...rest } = definition;
  const reader = read ?? ((given: unknown) => parse<A>(definition.input, given, "wire"));
  return { ...rest, call: async (given, call) => run(reader(given ?? {}), call) };
}
