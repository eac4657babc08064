/** What a workflow's file says. */
import { z } from "zod";
import type { SkillArgument } from "../core/skill.ts";
import { argumentsField } from "./skill.ts";
import { parse } from "./parse.ts";
import { listOf, text } from "./values.ts";

/** A workflow's file but for its chain, which the schema of chains reads. */
export interface WorkflowFields {
  readonly name?: string;
  readonly description?: string;
  readonly arguments?: readonly SkillArgument[];
  readonly steps: readonly unknown[];
}

const workflowSchema = z.strictObject(
  {
    $schema: text().optional(),
    name: text("the name of a workflow").optional(),
    description: text("what the workflow does", 1_024).optional(),
    arguments: argumentsField.optional(),
    steps: listOf(z.unknown(), "a list of steps"),
  },
  { error: "an object with steps" },
);

/** @throws {PoolError} `invalid_options`, naming the field. */
export function parseWorkflowFields(input: unknown, where: string): WorkflowFields {
  return parse<WorkflowFields>(workflowSchema, input, "wire", where);
}
