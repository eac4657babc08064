/** What a SKILL.md says to the pool, and what a program says of a skill that it adds. */
import { z } from "zod";
import { skillScopes, skillName, type SkillArgument, type SkillScope } from "../core/skill.ts";
import type { JsonObject, TaskOverrides } from "../core/task.ts";
import type { Casing } from "./casing.ts";
import { overrideFields } from "./fields.ts";
import { parse } from "./parse.ts";
import { flag, jsonObject, listOf, oneOf, promptText, text } from "./values.ts";

/** The most that a SKILL.md or a workflow may hold, in bytes. */
export const maxSkillBytes = 256 * 1024;

/** What `pool.skills.add` takes; the text of a SKILL.md is read into it. */
export interface SkillDefinition {
  readonly name: string;
  /** What it does, and when to use it; at most 1,024 characters. */
  readonly description: string;
  /** The template. */
  readonly prompt: string;
  /** Default: one free text, which is `$ARGUMENTS`. */
  readonly arguments?: readonly (Omit<SkillArgument, "required"> & { readonly required?: boolean })[];
  readonly config?: TaskOverrides;
  readonly scope?: SkillScope;
  readonly argumentHint?: string;
  readonly frontMatter?: JsonObject;
}

const argumentName = text("the name of an argument").refine((name) => /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name), {
  error: `the name of an argument: letters, digits, "-" and "_", at most 64, beginning with a letter`,
});

export const argumentsField = listOf(
  z.strictObject(
    {
      name: argumentName,
      description: text("text", 1_024).optional(),
      required: flag().default(false),
    },
    { error: "an object with the name of an argument" },
  ),
  "a list of arguments",
).refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
  error: "arguments that each have a name of their own",
});

const metadataFields = {
  scope: oneOf(skillScopes).optional(),
  arguments: argumentsField.optional(),
  config: z.strictObject(overrideFields, { error: "an object of a task's settings" }).optional(),
};
const metadataSchema = z.strictObject(metadataFields, { error: "an object" });

export const definitionSchema = z.strictObject(
  {
    ...metadataFields,
    name: text("the name of a skill").refine((name) => skillName.test(name), {
      error: `the name of a skill: small letters, digits, "-" and "_", at most 64, beginning with a letter or digit`,
    }),
    description: text("what the skill does", 1_024),
    prompt: promptText.refine((prompt) => new TextEncoder().encode(prompt).length <= maxSkillBytes, {
      error: `a prompt of at most ${String(maxSkillBytes / 1024)} KB`,
    }),
    argumentHint: text("a hint at the arguments", 1_024).optional(),
    frontMatter: jsonObject().optional(),
  } satisfies Readonly<Record<keyof SkillDefinition, z.ZodType>>,
  { error: "an object with name, description and prompt, or the text of a SKILL.md" },
);

/** What the pool reads of a skill's metadata. */
export type SkillMetadata = z.infer<typeof metadataSchema>;

/** @throws {PoolError} `invalid_options`, naming the field. */
export function parseSkillMetadata(input: unknown, where: string): SkillMetadata {
  return parse<SkillMetadata>(metadataSchema, input, "wire", where);
}

/** @throws {PoolError} `invalid_options`, naming the field. */
export function parseSkillDefinition(input: unknown, casing: Casing = "library"): SkillDefinition {
  return parse<SkillDefinition>(definitionSchema, input, casing);
}
