/** The port through which the pool reads and writes skills and workflows. */
import type { Skill, SkillEntry } from "./skill.ts";
import type { Workflow, WorkflowEntry } from "./workflow.ts";

/** A file of a skill or workflow, and whether what in it needs trust has it. */
export interface RestrictedFile {
  readonly path: string;
  /** Of the text that was read. */
  readonly fingerprint: string;
  /** What could run a program or loosen protection, in words; empty: nothing. */
  readonly needs: readonly string[];
  /** True for the user's own and the built-in ones. */
  readonly isTrusted: boolean;
}

export interface FoundSkill extends RestrictedFile {
  readonly skill: Skill;
}

export interface FoundWorkflow extends RestrictedFile {
  readonly workflow: Workflow;
}

/**
 * Skills and workflows that lie in folders.
 *
 * L1. The first folder that has a name wins, with a broken file too: nothing runs in place of what was meant.
 * L2. A broken file hides no other: it is listed with its error.
 * L3. What is written is whole or not there, and nothing is written outside the folder that was named.
 */
export interface Skills {
  list(): Promise<readonly SkillEntry[]>;
  /** @throws {PoolError} `invalid_options` for what is no name, `invalid_skill` for a broken file. */
  get(name: string): Promise<FoundSkill | undefined>;
  workflows(): Promise<readonly WorkflowEntry[]>;
  /** @throws {PoolError} as `get`. */
  workflow(name: string): Promise<FoundWorkflow | undefined>;
  /** The project's own files that hold something that needs trust, trusted or not. */
  restricted(): Promise<readonly RestrictedFile[]>;
  /** The commands inside a skill. */
  commands(skill: Skill): readonly string[];
  /** The skill with what its commands print in their place. @throws {PoolError} `skill_command_failed`, `invalid_skill`. */
  runCommands(skill: Skill, cwd: string): Promise<Skill>;
  /** Writes a skill; resolves to the file. @throws {PoolError} `skill_exists` unless it may be replaced. */
  save(skill: Skill, to: "project" | "user", replace: boolean): Promise<string>;
  /** Copies a skill's folder; resolves to its SKILL.md. @throws {PoolError} `skill_exists`. */
  eject(skill: Skill, to: "project" | "user"): Promise<string>;
}
