/**
 * Chains as they are written: a step is flat (`{name, prompt}`, `{name, skill, arguments}`), or has the original's nested
 * `action`, `failure_policy` and `config`, or `type` and `value`. All of them become the flat one.
 */
import { z } from "zod";
import { checkChain, type ChainOptions, type StepCondition, type StepSpec } from "../core/chain.ts";
import { defined } from "../core/config.ts";
import { invalidOptions, PoolError } from "../core/errors.ts";
import type { Casing } from "./casing.ts";
import { dollarsFrom } from "./values.ts";
import { type Fields, stepOverrideFields } from "./fields.ts";
import { parse } from "./parse.ts";
import { flag, listOf, milliseconds, oneOf, promptText, text, whole, wholeAtLeast } from "./values.ts";
import { claimFields } from "./claim-fields.ts";
import { isolationFields } from "./workspace-fields.ts";

/** A chain as `submitChain` takes it, in one piece. */
export interface WrittenChain extends ChainOptions {
  readonly steps: readonly StepSpec[];
}

const scalar = z.union([z.string(), z.number(), z.boolean()], { error: "text, a number, true or false" });
const texts = z.record(z.string(), z.string({ error: "text" }), { error: "an object of texts" });
const retries = wholeAtLeast(0).max(100, { error: "at most 100" });

const condition = z.strictObject(
  {
    variable: text("steps.NAME.VARIABLE").describe("`steps.NAME.VARIABLE` of an earlier step."),
    equals: scalar.optional(),
    notEquals: scalar.optional(),
    in: listOf(scalar, "a list of values").optional(),
  } satisfies Fields<StepCondition>,
  { error: "an object with a variable" },
);

const action = z.strictObject(
  {
    type: oneOf(["prompt", "skill"]),
    prompt: promptText.optional(),
    skill: text("the name of a skill").optional(),
    arguments: texts.optional(),
  },
  { error: "an object with a type" },
);

const stepFields = {
  ...stepOverrideFields,
  name: text("the name of the step").describe("Letters, digits, `-` and `_`; other steps refer to it."),
  prompt: promptText.optional().describe("What is to be done; `{previous_output}` and `{steps.NAME.VARIABLE}` are filled in."),
  skill: text("the name of a skill").optional().describe("A skill instead of a prompt."),
  arguments: texts.optional().describe("The skill's arguments by name; placeholders are filled in."),
  needs: listOf(text("the name of a step"), "a list of names of steps")
    .optional()
    .describe("The steps it waits for; default the one before it; an empty list: none."),
  when: condition.optional().describe("It runs only if a variable of an earlier step is so; else it is skipped."),
  retries: retries.optional().describe("How often it is tried again after a failure that can heal; default 0."),
  retryDelayMs: milliseconds(0).optional().describe("Before the first retry, in milliseconds; doubled before each after it."),
  recoveryPrompt: promptText.optional().describe("Run once when every try has failed; `{error}` is what went wrong."),
  outputVars: texts.optional().describe("Variable to path in the answer's JSON, such as `files[0].name`; `.` is all of it."),
  missingVars: oneOf(["fail", "empty"]).optional().describe("What a variable that the answer lacks does; default `fail`."),
  timeoutMs: milliseconds(1).optional().describe("The longest a run of it may take, in milliseconds."),
  continueOnError: flag().optional().describe("The chain goes on if it fails."),
  review: flag().optional().describe("Its answer waits for approval before the chain goes on."),
  maxRejections: wholeAtLeast(1).optional().describe("The rejection that fails it is this one; default 3."),
  afterRejection: oneOf(["fresh", "continue"]).optional().describe("Where it goes on after a rejection; default `fresh`."),
  ...claimFields,
} satisfies Fields<StepSpec>;

/** The original's ways of writing the same. */
const nestedFields = {
  action: action.optional().describe("The original's form of `prompt`, or of `skill` and `arguments`."),
  type: oneOf(["prompt", "skill"]).optional().describe("With `value`: another form of `prompt` or `skill`."),
  value: promptText.optional().describe("The prompt, or the name of the skill, as `type` says."),
  failurePolicy: z
    .strictObject({ retries: retries.optional(), recoveryPrompt: promptText.optional() }, { error: "an object" })
    .optional()
    .describe("The original's form of `retries` and `recovery_prompt`."),
  config: z.strictObject(stepOverrideFields, { error: "an object of a task's settings" }).optional(),
};

const chainFields = {
  name: text("a name", 200).optional().describe("What the chain is called in lists."),
  tags: listOf(text("text that is not empty", 200), "a list of tags").max(64, { error: "at most 64 tags" }).optional(),
  priority: whole().optional().describe("Of every step; higher first; default 0."),
  cwd: text("a directory").optional().describe("Where every step works; default the pool's."),
  queueTimeoutMs: milliseconds(1).optional().describe("The longest that each step may wait for a slot, in milliseconds."),
  isolation: isolationFields.isolation.describe(
    "`none`, or one `worktree` or `clone` for all its steps; default `worktree` in a git repository, else `none`.",
  ),
  baseRef: isolationFields.baseRef,
  maxBudgetUsd: dollarsFrom("above_zero").optional().describe("The most that all its runs may cost, in dollars."),
  key: text("text that is not empty", 512).optional().describe("Idempotency key: the same key and chain give the first id."),
} satisfies Fields<ChainOptions>;

const writtenStep = z.strictObject({ ...stepFields, ...nestedFields }, { error: "an object with the name of a step" });

/** What a chain file holds, in the library's names. */
export const chainSchema = z.strictObject(
  {
    ...chainFields,
    steps: listOf(writtenStep, "a list of steps")
      .min(1, { error: "at least one step" })
      .max(10_000, { error: "at most 10,000 steps" }),
  },
  { error: "a list of steps, or an object with `steps`" },
);

/**
 * A chain, checked in all that can be told without running it.
 *
 * @throws {PoolError} `invalid_options`, naming the step.
 */
export function parseChain(input: unknown, casing: Casing = "library", where?: string): WrittenChain {
  const value = Array.isArray(input) ? { steps: input as unknown } : input;
  const written = parse<z.output<typeof chainSchema>>(chainSchema, value, casing, where);
  try {
    const { steps, ...options } = written;
    const chain = { ...(options as ChainOptions), steps: steps.map(flatStep) };
    checkChain(chain.steps);
    return chain;
  } catch (error) {
    if (where === undefined || !(error instanceof PoolError)) throw error;
    throw new PoolError(error.code, `${where}: ${error.message}`, { ...error.details, file: where }, error);
  }
}

type WrittenStep = z.output<typeof writtenStep>;

function flatStep(written: WrittenStep, index: number): StepSpec {
  const { action: nested, type, value, failurePolicy, config, ...own } = written;
  const forms = [nested, type ?? value, own.prompt ?? own.skill].filter((form) => form !== undefined);
  if (forms.length > 1) throw twice(own.name, index, "prompt or skill");
  if ((type === undefined) !== (value === undefined)) throw badStep(own.name, index, "`type` and `value` go together");
  if (nested !== undefined && nested[nested.type] === undefined) {
    throw badStep(own.name, index, `its action of type ${nested.type} has no ${nested.type}`);
  }
  for (const field of ["retries", "recoveryPrompt"] as const) {
    if (failurePolicy?.[field] !== undefined && own[field] !== undefined) throw twice(own.name, index, field);
  }
  const kind = nested?.type ?? type;
  const prompt = kind === "prompt" ? (nested?.prompt ?? value) : own.prompt;
  const skill = kind === "skill" ? (nested?.skill ?? value) : own.skill;
  return defined({ ...config, ...failurePolicy, ...own, prompt, skill, arguments: nested?.arguments ?? own.arguments }) as StepSpec;
}

function twice(name: string, index: number, field: string): PoolError {
  return badStep(name, index, `${field} is given twice, in two forms`);
}

function badStep(name: string, index: number, what: string): PoolError {
  return invalidOptions(`Step ${String(index + 1)} (${name}): ${what}.`, `steps[${String(index)}]`);
}
