/**
 * Skills: prompt templates with arguments (SKILL.md of agentskills.io, with the pool's metadata).
 *
 * S1. A template is filled in one pass: an argument is text, whatever it holds.
 * S2. Positions are those of the declared arguments; a missing optional one is empty and shifts nothing.
 */
import { invalidOptions } from "./errors.ts";
import type { TaskOverrides } from "./task.ts";

/** Where a skill was found; the first of these wins over the others. */
export const skillSources = ["runtime", "project", "claude_project", "user", "claude_user", "builtin"] as const;
export type SkillSource = (typeof skillSources)[number];

export const skillScopes = ["task", "coordinator", "chain"] as const;
export type SkillScope = (typeof skillScopes)[number];

export interface SkillArgument {
  readonly name: string;
  readonly description?: string;
  readonly required: boolean;
}

export interface Skill {
  readonly name: string;
  readonly description: string;
  /** The template: the body of SKILL.md. */
  readonly prompt: string;
  readonly arguments: readonly SkillArgument[];
  /** Settings of a task that runs it; the task's own win. */
  readonly config?: TaskOverrides;
  readonly scope: SkillScope;
  readonly argumentHint?: string;
  /** Its folder, for `${CLAUDE_SKILL_DIR}`; absent for one added at run time. */
  readonly dir?: string;
  readonly source: SkillSource;
}

/** What of a skill a chain's step keeps: enough to render it without looking it up again. */
export type SkillStep = Pick<Skill, "name" | "prompt" | "arguments" | "dir" | "config">;

/** Names that may become folders: nothing that walks out of one. */
export const skillName = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** @throws {PoolError} `invalid_options` for a name that is no folder's name. */
export function checkSkillName(name: string): void {
  if (skillName.test(name)) return;
  throw invalidOptions(
    `${JSON.stringify(name)} is no skill name: small letters, digits, "-" and "_", at most 64, beginning with a letter or digit.`,
    "skill",
  );
}

/**
 * The prompt of a skill for these arguments (by name).
 *
 * @throws {PoolError} `invalid_options` for a required argument that is missing, or one that is not declared.
 * @example renderSkill(skill, { target: "src/auth.ts" })
 */
export function renderSkill(skill: SkillStep, values: Readonly<Record<string, string>>): string {
  checkArguments(skill, values);
  return renderSkillStep(skill, values);
}

/** As {@link renderSkill}, for arguments that were checked at submit. */
export function renderSkillStep(skill: SkillStep, values: Readonly<Record<string, string>>): string {
  const positional = skill.arguments.map((argument) => values[argument.name] ?? "");
  const joined = positional.filter((value) => value !== "").join(" ");
  let usesArguments = false;
  // One pass over the template alone: what an argument holds is never looked at (S1).
  const text = skill.prompt.replace(
    tokens(Object.keys(values)),
    (whole, index?: string, bare?: string, name?: string) => {
      if (whole === "${CLAUDE_SKILL_DIR}") return skill.dir ?? "[this skill has no folder]";
      usesArguments = true;
      if (whole === "$ARGUMENTS") return joined;
      const position = index ?? bare;
      if (position !== undefined) return positional[Number(position)] ?? "";
      return name === undefined ? whole : (values[name] ?? "");
    },
  );
  return usesArguments || joined === "" ? text : `${text}\n\nARGUMENTS: ${joined}`;
}

/** @throws {PoolError} `invalid_options`. */
export function checkArguments(skill: SkillStep, values: Readonly<Record<string, string>>): void {
  const known = skill.arguments.map((argument) => argument.name);
  for (const name of Object.keys(values)) {
    if (known.includes(name) || name.startsWith("_")) continue;
    const list = known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`;
    throw invalidOptions(`Skill ${skill.name} has no argument ${JSON.stringify(name)}: ${list}.`, name);
  }
  for (const argument of skill.arguments) {
    if (!argument.required || (values[argument.name] ?? "") !== "") continue;
    throw invalidOptions(`Skill ${skill.name} needs the argument ${JSON.stringify(argument.name)}.`, argument.name);
  }
}

/** `$ARGUMENTS[i]`, `$ARGUMENTS`, `$i`, `${CLAUDE_SKILL_DIR}` and `{name}` for the names that have values. */
function tokens(names: readonly string[]): RegExp {
  const named = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const braces = named === "" ? "" : `|\\{(${named})\\}`;
  return new RegExp(
    `\\$ARGUMENTS\\[(\\d+)\\]|\\$ARGUMENTS\\b|\\$(\\d+)(?![\\d.,])|\\$\\{CLAUDE_SKILL_DIR\\}${braces}`,
    "g",
  );
}
