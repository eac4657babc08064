/**
 * Skills and workflows in folders: the project's, the user's, and those that come with the package.
 *
 * L1. The first folder that has a name wins, with a broken file too: nothing runs in place of what was meant.
 * L2. A broken file hides no other: it is listed with its error.
 * L3. What is written is whole or not there, and nothing is written outside the folder that was named.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { FoundSkill, FoundWorkflow, RestrictedFile, Skills } from "../core/skills-port.ts";
import { checkSkillName, type Skill, type SkillEntry, type SkillSource } from "../core/skill.ts";
import type { WorkflowEntry, WorkflowSource } from "../core/workflow.ts";
import { commandsOf, withCommandsRun } from "./commands.ts";
import { entries, readBounded, skillNames, workflowEndings, workflowNames, type SkillFolder } from "./folders.ts";
import { needsTrust } from "./needs-trust.ts";
import { ejectSkill, saveSkill, type SkillHome } from "./save.ts";
import { parseSkillText } from "./skill-file.ts";
import { parseWorkflowText } from "./workflow-file.ts";

export interface FolderSkillsOptions {
  /** The strongest first. */
  readonly skills: readonly SkillFolder[];
  readonly workflows: readonly SkillFolder<WorkflowSource>[];
  /** Where `save` and `eject` write. */
  readonly homes: { readonly project: SkillHome; readonly user: SkillHome };
  /** Does the user trust this file of the project as it is? Asked with the hash of its text. */
  readonly isTrusted: (path: string, fingerprint: string) => boolean;
  readonly commandTimeoutMs?: number;
  readonly commandMaxBytes?: number;
}

/** @example new FolderSkills({ skills: [{ path: ".claude-pool/skills", source: "project" }], … }).get("code_review") */
export class FolderSkills implements Skills {
  readonly #options: FolderSkillsOptions;

  constructor(options: FolderSkillsOptions) {
    this.#options = options;
  }

  async get(name: string): Promise<FoundSkill | undefined> {
    checkSkillName(name);
    for (const { path: folder, source } of this.#options.skills) {
      const dir = join(folder, name);
      const path = join(dir, "SKILL.md");
      const text = await readBounded(path);
      if (text === undefined) continue;
      const skill: Skill = { ...parseSkillText(text, path, name), dir, source };
      return { skill, path, ...this.#trust(text, path, source, needsTrust(skill.config, commandsOf(skill.prompt))) };
    }
    return undefined;
  }

  async workflow(name: string): Promise<FoundWorkflow | undefined> {
    checkSkillName(name, "workflow");
    for (const { path: folder, source } of this.#options.workflows) {
      for (const ending of workflowEndings) {
        const path = join(folder, name + ending);
        const text = await readBounded(path);
        if (text === undefined) continue;
        const workflow = parseWorkflowText(text, path, name, source);
        const needs = workflow.steps.flatMap((step) =>
          needsTrust(step, []).map((need) => `step ${step.name}: ${need}`),
        );
        return { workflow, path, ...this.#trust(text, path, source, needs) };
      }
    }
    return undefined;
  }

  list(): Promise<readonly SkillEntry[]> {
    return entries(this.#options.skills, skillNames, async (name) => {
      const { prompt: _, ...entry } = present(await this.get(name)).skill;
      return entry;
    });
  }

  workflows(): Promise<readonly WorkflowEntry[]> {
    return entries(this.#options.workflows, workflowNames, async (name) => {
      const { steps: _, ...entry } = present(await this.workflow(name)).workflow;
      return entry;
    });
  }

  async restricted(): Promise<readonly RestrictedFile[]> {
    const [skills, workflows] = [(await this.list()).filter(isProjects), (await this.workflows()).filter(isProjects)];
    const files = await Promise.all([
      ...skills.map(({ name }) => this.get(name)),
      ...workflows.map(({ name }) => this.workflow(name)),
    ]);
    return files.filter((file) => file !== undefined).filter((file) => file.needs.length > 0);
  }

  commands(skill: Skill): readonly string[] {
    return commandsOf(skill.prompt);
  }

  runCommands(skill: Skill, cwd: string): Promise<Skill> {
    const { commandTimeoutMs: timeoutMs = 10_000, commandMaxBytes: maxBytes = 65_536 } = this.#options;
    return withCommandsRun(skill, { cwd, timeoutMs, maxBytes });
  }

  save(skill: Skill, to: "project" | "user", replace: boolean): Promise<string> {
    return saveSkill(this.#options.homes[to], skill, replace);
  }

  eject(skill: Skill, to: "project" | "user"): Promise<string> {
    return ejectSkill(this.#options.homes[to], skill);
  }

  #trust(text: string, path: string, source: SkillSource, needs: readonly string[]): Omit<RestrictedFile, "path"> {
    const fingerprint = createHash("sha256").update(text).digest("hex");
    return { needs, fingerprint, isTrusted: !isProjects({ source }) || this.#options.isTrusted(path, fingerprint) };
  }
}

/** What came with the repository, and can be used. */
function isProjects(entry: { readonly source: SkillSource; readonly error?: string }): boolean {
  return entry.error === undefined && (entry.source === "project" || entry.source === "claude_project");
}

function present<T>(file: T | undefined): T {
  if (file === undefined) throw new Error("it has just been removed");
  return file;
}
