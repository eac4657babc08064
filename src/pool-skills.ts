/**
 * Skills, as `pool.skills`.
 *
 * U1. Whatever runs a skill has it from `resolve`: there alone trust is asked for and commands are run.
 */
import { resolve } from "node:path";
import { checkDirectory } from "./admission.ts";
import type { RunOptions, SubmitOptions } from "./core/api.ts";
import { PoolError, invalidOptions } from "./core/errors.ts";
import type { FoundSkill, RestrictedFile, Skills } from "./core/skills-port.ts";
import type { Records } from "./core/records.ts";
import {
  checkSkillName,
  freeArgument,
  overSkillConfig,
  renderSkill,
  type Skill,
  type SkillEntry,
} from "./core/skill.ts";
import type { TaskResult, TaskSpec } from "./core/task.ts";
import { nearest } from "./schema/nearest.ts";
import { parseSkillDefinition, type SkillDefinition } from "./schema/skill.ts";
import { parseSkillText, skillOf } from "./skills/skill-file.ts";
import type { Task } from "./task-handle.ts";

/** Arguments by name, or in the order in which the skill declares them. */
export type SkillArguments = Readonly<Record<string, string>> | readonly string[];

export interface SkillParts {
  readonly folders: Skills;
  readonly records: Pick<Records, "runtimeSkills" | "putSkill" | "deleteSkill">;
  /** The pool's directory, where a task works unless it says otherwise. */
  readonly cwd: string;
  /** Whether commands inside skills are run at all. */
  readonly commandsRun: boolean;
  readonly submit: (spec: TaskSpec) => Promise<Task>;
  readonly run: (spec: TaskSpec, options: Pick<RunOptions, "signal" | "onOutput">) => Promise<TaskResult>;
}

/** Prompt templates with arguments: added at run time, the project's, the user's, and the package's own. */
export class PoolSkills {
  readonly #parts: SkillParts;

  constructor(parts: SkillParts) {
    this.#parts = parts;
  }

  /** Every skill by name, each from the first place that has it; a broken one with its error. */
  async list(): Promise<readonly SkillEntry[]> {
    const added = await this.#parts.records.runtimeSkills();
    const names = new Set(added.map(({ name }) => name));
    const others = (await this.#parts.folders.list()).filter(({ name }) => !names.has(name));
    const own = added.map(({ prompt: _, ...entry }): SkillEntry => entry);
    return [...own, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** One skill as it is written. @throws {PoolError} `skill_not_found`, `invalid_skill`, `invalid_options`. */
  async get(name: string): Promise<Skill> {
    return (await this.#find(name)).skill;
  }

  /**
   * A skill that may run, with what its commands print in their place.
   *
   * @throws {PoolError} as `get`; `untrusted_config`, `skill_commands_off`, `skill_command_failed`.
   */
  async resolve(name: string, cwd?: string): Promise<Skill> {
    const found = await this.#find(name);
    const { skill } = found;
    const commands = this.#parts.folders.commands(skill);
    if (commands.length > 0) {
      if (skill.source === "runtime")
        throw commandsOff(skill, commands, "it was added at run time; save it, and read it");
      if (!this.#parts.commandsRun) throw commandsOff(skill, commands, "`skill_commands` is not set");
    }
    refuseUntrusted(found, `Skill ${name}`);
    if (commands.length === 0) return skill;
    const directory = resolve(this.#parts.cwd, cwd ?? ".");
    checkDirectory(directory);
    return this.#parts.folders.runCommands(skill, directory);
  }

  /**
   * Runs a skill as a task and waits for its result; `options` win over what the skill sets.
   *
   * @throws {PoolError} what `submit` throws, and `task_failed`.
   * @example await pool.skills.run("code_review", { target: "src/auth.ts" }, { model: "opus" })
   */
  async run(name: string, values: SkillArguments = {}, options: RunOptions = {}): Promise<TaskResult> {
    const { signal, onOutput, ...own } = options;
    return this.#parts.run(await this.spec(name, values, own), {
      ...(signal === undefined ? {} : { signal }),
      ...(onOutput === undefined ? {} : { onOutput }),
    });
  }

  /** Submits a skill as a task. @throws {PoolError} what `resolve` and `pool.submit` throw; `invalid_options` for its arguments. */
  async submit(name: string, values: SkillArguments = {}, options: SubmitOptions = {}): Promise<Task> {
    return this.#parts.submit(await this.spec(name, values, options));
  }

  /** The task that a skill makes. @throws {PoolError} what `resolve` throws; `invalid_options` for its arguments. */
  async spec(name: string, values: SkillArguments = {}, options: SubmitOptions = {}): Promise<TaskSpec> {
    const skill = await this.resolve(name, options.cwd);
    const prompt = renderSkill(skill, named(skill, values));
    return { ...overSkillConfig(skill, options), prompt };
  }

  /**
   * Adds a skill for every process of the pool; one of the same name that was added before is replaced.
   *
   * @param definition its fields, or the text of a SKILL.md.
   * @throws {PoolError} `invalid_options`, `invalid_skill`.
   */
  async add(definition: SkillDefinition | string): Promise<Skill> {
    const text = typeof definition === "string" ? parseSkillText(definition, "SKILL.md") : undefined;
    const skill: Skill = { ...skillOf(parseSkillDefinition(text ?? definition)), source: "runtime" };
    await this.#parts.records.putSkill(skill);
    return skill;
  }

  /** Removes a skill that was added at run time; false if there was none. */
  async remove(name: string): Promise<boolean> {
    checkSkillName(name);
    return this.#parts.records.deleteSkill(name);
  }

  /**
   * Writes a skill that was added at run time into a folder, where it then lives; resolves to its SKILL.md.
   *
   * @throws {PoolError} `skill_not_found`, `skill_exists` unless `replace`.
   */
  async save(
    name: string,
    options: { readonly to?: "project" | "user"; readonly replace?: boolean } = {},
  ): Promise<string> {
    checkSkillName(name);
    const skill = (await this.#parts.records.runtimeSkills()).find((one) => one.name === name);
    if (skill === undefined) {
      throw notFound(name, "among those added at run time", []);
    }
    const path = await this.#parts.folders.save(skill, options.to ?? "project", options.replace ?? false);
    // A crash before this leaves the skill twice, in the same words.
    await this.remove(name);
    return path;
  }

  /**
   * Copies a skill's folder into the project's or the user's, to be changed there; resolves to its SKILL.md.
   *
   * @throws {PoolError} as `get`; `skill_exists`.
   */
  async eject(name: string, options: { readonly to?: "project" | "user" } = {}): Promise<string> {
    return this.#parts.folders.eject(await this.get(name), options.to ?? "project");
  }

  async #find(name: string): Promise<FoundSkill> {
    checkSkillName(name);
    const added = (await this.#parts.records.runtimeSkills()).find((one) => one.name === name);
    if (added !== undefined) return { skill: added, path: "", fingerprint: "", needs: [], isTrusted: true };
    const found = await this.#parts.folders.get(name);
    if (found === undefined)
      throw notFound(
        name,
        "",
        (await this.list()).map((one) => one.name),
      );
    return found;
  }
}

/** Values by name; a list is put in the order of the arguments, and free text takes all of it. */
export function named(
  skill: Pick<Skill, "name" | "arguments">,
  values: SkillArguments,
): Readonly<Record<string, string>> {
  if (!isList(values)) return values;
  const names = skill.arguments.map((argument) => argument.name);
  if (names.length === 1 && names[0] === freeArgument) return { [freeArgument]: values.join(" ") };
  if (values.length > names.length) {
    const list = names.length === 0 ? "none" : names.join(", ");
    throw invalidOptions(
      `${skill.name} takes ${list}, but ${String(values.length)} arguments were given.`,
      "arguments",
    );
  }
  return Object.fromEntries(values.map((value, index) => [names[index] ?? "", value]));
}

/** @throws {PoolError} `untrusted_config`. */
export function refuseUntrusted(file: RestrictedFile, what: string): void {
  if (file.needs.length === 0 || file.isTrusted) return;
  throw new PoolError(
    "untrusted_config",
    `${what} (${file.path}) has ${file.needs.join("; ")}, which only a trusted project may set, since it came with the repository. ` +
      "Read the file; then `claude-pool trust`, or move it to your own folder.",
    { file: file.path, needs: file.needs },
  );
}

function commandsOff(skill: Skill, commands: readonly string[], why: string): PoolError {
  return new PoolError(
    "skill_commands_off",
    `Skill ${skill.name} holds the command ${JSON.stringify(commands[0])}, which is not run: ${why}.`,
    { skill: skill.name, commands },
  );
}

function notFound(name: string, where: string, known: readonly string[]): PoolError {
  const meant = nearest(name, known);
  const hint =
    meant === undefined ? "`claude-pool skill list` shows the names." : `Did you mean ${JSON.stringify(meant)}?`;
  const text = `No skill ${JSON.stringify(name)}${where === "" ? "" : ` ${where}`}. ${hint}`;
  return new PoolError("skill_not_found", text, { skill: name });
}

function isList(values: SkillArguments): values is readonly string[] {
  return Array.isArray(values);
}
