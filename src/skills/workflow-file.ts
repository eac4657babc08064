/** A workflow's file, YAML or JSON: a chain with a description and arguments. */
import { checkChain, type StepSpec } from "../core/chain.ts";
import { defined } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import { checkSkillName, type SkillArgument } from "../core/skill.ts";
import { instantiate, type Workflow, type WorkflowSource } from "../core/workflow.ts";
import { parseWorkflowFields } from "../schema/workflow.ts";
import { invalidSkill, readYaml } from "./yaml-text.ts";

/**
 * Reads the text of a workflow's file and checks its chain as one that is submitted.
 *
 * @throws {PoolError} `invalid_skill`, beginning with `where`.
 */
export function parseWorkflowText(text: string, where: string, name: string, source: WorkflowSource): Workflow {
  const fields = readYaml(text.replace(/^\uFEFF/, ""), where);
  try {
    const { steps, ...known } = parseWorkflowFields(fields, where);
    const given = known.name ?? name;
    checkSkillName(given, "workflow");
    if (given !== name) {
      throw invalidSkill(where, `its name is ${JSON.stringify(given)}, but its file is called ${JSON.stringify(name)}`);
    }
    const workflow: Workflow = {
      name,
      description: known.description ?? "",
      arguments: (known.arguments ?? []).map((argument) => defined<SkillArgument>(argument)),
      steps: steps as readonly StepSpec[],
      source,
    };
    checkChain(instantiate(workflow, Object.fromEntries(workflow.arguments.map((argument) => [argument.name, "x"]))));
    return workflow;
  } catch (error) {
    if (!(error instanceof PoolError) || error.code === "invalid_skill") throw error;
    throw invalidSkill(where, error.message.replace(`${where}: `, "").replace(/\.$/, ""), error);
  }
}
