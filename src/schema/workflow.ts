/** What a workflow's file says: a chain, and beside it a description and arguments. */
import { z } from "zod";
import type { SkillArgument } from "../core/skill.ts";
import { parseChain, type WrittenChain } from "./chain.ts";
import { parse } from "./parse.ts";
import { argumentsField } from "./skill.ts";
import { text } from "./values.ts";

export interface WrittenWorkflow {
  readonly description?: string;
  readonly arguments?: readonly SkillArgument[];
  readonly chain: WrittenChain;
}

const besideSchema = z.strictObject(
  {
    description: text("what the workflow does", 1_024).optional(),
    arguments: argumentsField.optional(),
  },
  { error: "an object" },
);

/** @throws {PoolError} `invalid_options`, naming field and step. */
export function parseWorkflow(input: Readonly<Record<string, unknown>>, where: string): WrittenWorkflow {
  const { $schema: _, description, arguments: list, ...chain } = input;
  const beside = parse<Omit<WrittenWorkflow, "chain">>(besideSchema, { description, arguments: list }, "wire", where);
  return { ...beside, chain: parseChain(chain, "wire", where) };
}
