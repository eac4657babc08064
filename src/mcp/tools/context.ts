/** The shared context, by the names of now and by the original's older ones. */
import { z } from "zod";
import { PoolError } from "../../core/errors.ts";
import { answer, textByName, words, yes } from "../../schema/answer.ts";
import { anyText, text } from "../../schema/values.ts";
import { cutFields } from "../bounded.ts";
import { tool, type Tool, type ToolDefinition } from "../tool.ts";

const key = text("a context key that is not empty", 1_000);
const keyInput = z.strictObject({ key });

export const contextTools: readonly Tool[] = [
  ...named("set", {
    title: "Set a value of the context",
    description: "Sets a value that every slot sees from its next task on.",
    effect: "changes",
    input: z.strictObject({ key, value: anyText }),
    output: answer({ key: words, set: yes }),
    run: async ({ key: name, value }, { pool }) => {
      await pool.setContext(name, value);
      return { key: name, set: true };
    },
  }),
  ...named("get", {
    title: "A value of the context",
    description: "A value of the shared context.",
    effect: "reads",
    input: keyInput,
    output: z.strictObject({ key: words, value: words, ...cutFields }),
    run: async ({ key: name }, { pool }) => {
      const value = await pool.getContext(name);
      if (value !== undefined) return { key: name, value };
      throw new PoolError("context_not_found", `The shared context has no key ${JSON.stringify(name)}.`, { key: name });
    },
  }),
  ...named("delete", {
    title: "Remove a value of the context",
    description: "Removes a value of the shared context.",
    effect: "removes",
    input: keyInput,
    output: answer({ key: words, deleted: yes.describe("false: there was none") }),
    run: async ({ key: name }, { pool }) => ({ key: name, deleted: await pool.deleteContext(name) }),
  }),
  ...named("list", {
    title: "The shared context",
    description: "The whole shared context.",
    effect: "reads",
    input: z.strictObject({}),
    output: z.strictObject({ context: textByName, ...cutFields }),
    run: async (_, { pool }) => ({ context: await pool.listContext() }),
  }),
];

/** The same tool twice: `pool_get_context`, which the original's guides say, and `context_get`, which its server had. */
function named<I extends z.ZodObject>(
  verb: string,
  rest: Omit<ToolDefinition<I, z.output<I>>, "name">,
): readonly Tool[] {
  const name = `pool_${verb}_context`;
  const older = { ...rest, name: `context_${verb}`, description: `Older name of ${name}.` };
  return [tool<I>({ ...rest, name }), tool<I>(older)];
}
