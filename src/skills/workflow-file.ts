/** A workflow's file, YAML or JSON: a chain with a description and arguments. */
import { checkChain } from "../core/chain.ts";
import { defined } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import { checkSkillName, type SkillArgument } from "../core/skill.ts";
import { instantiate, type Workflow, type WorkflowSource } from "../core/workflow.ts";
import { parseWorkflow } from "../schema/workflow.ts";
import { invalidSkill, readYaml } from "./yaml-text.ts";

/**
 * Reads the text of a workflow's file and checks its chain as one that is submitted.
 *
 * @throws {PoolError} `invalid_skill`, beginning with `where`.
 */
export function parseWorkflowText(text: string, where: string, name: string, source: WorkflowSource): Workflow {
  const fields = readYaml(text.replace(/^\uFEFF/, ""), where);
  try {
    const { chain, ...beside } = parseWorkflow(fields, where);
    const { steps, name: given = name, ...options } = chain;
    checkSkillName(given, "workflow");
    if (given !== name) {
      throw invalidSkill(where, `its name is ${JSON.stringify(given)}, but its file is called ${JSON.stringify(name)}`);
    }
    const workflow: Workflow = {
      name,
      description: beside.description ?? "",
      arguments: (beside.arguments ?? []).map((argument) => defined<SkillArgument>(argument)),
      options,
      steps,
      source,
    };
    // With its arguments in their places, too.
    checkChain(instantiate(workflow, Object.fromEntries(workflow.arguments.map((argument) => [argument.name, "x"]))));
    return workflow;
  } catch (error) {
    if (!(error instanceof PoolError) || error.code !== "invalid_options") throw error;
    throw invalidSkill(where, error.message.replace(`${where}: `, "").replace(/\.$/, ""), error);
  }
}
