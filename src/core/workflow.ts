/**
 * Workflows: chains with a name and arguments.
 *
 * F1. `{name}` is replaced in one pass over the workflow's own text. What is put in is inert: a placeholder of chains in it
 *     (`{previous_output}`, `{steps.x.y}`) stays the text that it is.
 */
import type { ChainOptions, StepSpec } from "./chain.ts";
import { invalidOptions } from "./errors.ts";
import { checkArguments, type SkillArgument, type SkillSource } from "./skill.ts";
import { escapeTemplate, parseTemplate, referencesOf, writtenReference } from "./template.ts";

export interface Workflow {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly SkillArgument[];
  readonly steps: readonly StepSpec[];
  /** Of the chain that it makes; what the caller says wins. */
  readonly options?: ChainOptions;
  readonly source: WorkflowSource;
}

export const workflowSources = ["project", "user", "builtin"] as const satisfies readonly SkillSource[];
export type WorkflowSource = (typeof workflowSources)[number];

/** A workflow as `list` shows it; a broken one has an error and little else. */
export interface WorkflowEntry extends Partial<Omit<Workflow, "steps">> {
  readonly name: string;
  readonly source: WorkflowSource;
  readonly error?: string;
}

/**
 * The steps of a workflow for these arguments.
 *
 * @throws {PoolError} `invalid_options` for a required argument that is missing, or one that is not declared.
 */
export function instantiate(workflow: Workflow, values: Readonly<Record<string, string>>): readonly StepSpec[] {
  checkArguments(workflow, values, "Workflow");
  const fill = filler(workflow, values);
  return workflow.steps.map((step) => ({
    ...step,
    ...(step.prompt === undefined ? {} : { prompt: fill(step.prompt) }),
    ...(step.recoveryPrompt === undefined ? {} : { recoveryPrompt: fill(step.recoveryPrompt) }),
    ...(step.arguments === undefined
      ? {}
      : { arguments: Object.fromEntries(Object.entries(step.arguments).map(([name, text]) => [name, fill(text)])) }),
  }));
}

/** Replaces `{name}` of every declared argument; one that was not given is empty, and `{{name}}` is the text `{name}`. */
function filler(workflow: Workflow, values: Readonly<Record<string, string>>): (text: string) => string {
  const names = workflow.arguments.map((argument) => argument.name);
  if (names.length === 0) return (text) => text;
  // Names are letters, digits, "-" and "_": nothing that means something in a pattern.
  const placeholder = new RegExp(`\\{(?:(${names.join("|")})|\\{(${names.join("|")})\\})\\}`, "g");
  return (text) => {
    const filled = text.replace(placeholder, (_, name?: string, escaped?: string) => {
      if (name === undefined) return `{${escaped ?? ""}}`;
      return escapeTemplate(Object.hasOwn(values, name) ? (values[name] ?? "") : ""); // F1
    });
    // What two arguments, or one and the text around it, would make together, no escape can keep apart.
    if (references(filled) === references(text.replace(placeholder, " "))) return filled;
    throw invalidOptions(
      `The arguments of workflow ${workflow.name} would make a placeholder of a chain.`,
      "arguments",
    );
  };
}

function references(text: string): string {
  return referencesOf(parseTemplate(text)).map(writtenReference).join();
}
