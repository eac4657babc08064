/** Workflows, chains with a name and arguments, as `pool.workflows`. */
import type { RunChainOptions } from "./core/api.ts";
import type { ChainOptions, ChainResult, StepSpec } from "./core/chain.ts";
import { PoolError } from "./core/errors.ts";
import type { FoundWorkflow, Skills } from "./core/skills-port.ts";
import { instantiate, type Workflow, type WorkflowEntry } from "./core/workflow.ts";
import { named, refuseUntrusted, type SkillArguments } from "./pool-skills.ts";
import { nearest } from "./schema/nearest.ts";
import type { Task } from "./task-handle.ts";

export interface WorkflowParts {
  readonly folders: Skills;
  readonly submitChain: (steps: readonly StepSpec[], options: ChainOptions) => Promise<Task>;
  readonly runChain: (steps: readonly StepSpec[], options: RunChainOptions) => Promise<ChainResult>;
}

/** Chains with a name and arguments: the project's, the user's, and the package's own. */
export class PoolWorkflows {
  readonly #parts: WorkflowParts;

  constructor(parts: WorkflowParts) {
    this.#parts = parts;
  }

  /** Every workflow by name, each from the first place that has it; a broken one with its error. */
  list(): Promise<readonly WorkflowEntry[]> {
    return this.#parts.folders.workflows();
  }

  /** One workflow as it is written. @throws {PoolError} `workflow_not_found`, `invalid_skill`, `invalid_options`. */
  async get(name: string): Promise<Workflow> {
    return (await this.#find(name)).workflow;
  }

  /**
   * The steps of a workflow for these arguments, and the options of their chain.
   *
   * @throws {PoolError} as `get`; `untrusted_config`; `invalid_options` for its arguments.
   */
  async chain(
    name: string,
    values: SkillArguments = {},
  ): Promise<{ readonly steps: readonly StepSpec[]; readonly options: ChainOptions }> {
    const found = await this.#find(name);
    refuseUntrusted(found, `Workflow ${name}`);
    const { workflow } = found;
    return { steps: instantiate(workflow, named(workflow, values)), options: { name, ...workflow.options } };
  }

  /** Submits a workflow as a chain; `options` win over the workflow's. @throws {PoolError} what `chain` and `pool.submitChain` throw. */
  async submit(name: string, values: SkillArguments = {}, options: ChainOptions = {}): Promise<Task> {
    const chain = await this.chain(name, values);
    return this.#parts.submitChain(chain.steps, { ...chain.options, ...options });
  }

  /**
   * Runs a workflow and waits for its result.
   *
   * @throws {PoolError} what `submit` throws, and `task_failed`.
   * @example await pool.workflows.run("review_and_fix", { review_target: "src/auth.ts" })
   */
  async run(name: string, values: SkillArguments = {}, options: RunChainOptions = {}): Promise<ChainResult> {
    const chain = await this.chain(name, values);
    return this.#parts.runChain(chain.steps, { ...chain.options, ...options });
  }

  async #find(name: string): Promise<FoundWorkflow> {
    const found = await this.#parts.folders.workflow(name);
    if (found !== undefined) return found;
    const meant = nearest(
      name,
      (await this.list()).map((one) => one.name),
    );
    const hint =
      meant === undefined ? "`claude-pool workflow list` shows the names." : `Did you mean ${JSON.stringify(meant)}?`;
    throw new PoolError("workflow_not_found", `No workflow ${JSON.stringify(name)}. ${hint}`, { workflow: name });
  }
}
