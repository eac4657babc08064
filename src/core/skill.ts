/**
 * Skills: prompt templates with arguments (SKILL.md of agentskills.io, with the pool's metadata).
 *
 * S1. A template is filled in one pass: an argument is text, whatever it holds.
 * S2. Positions are those of the declared arguments; a missing optional one is empty and shifts nothing.
 * S3. Only a placeholder that can be meant is one: a declared name, a position that a declared argument has. All other text
 *     stays, amounts such as `$5.00` included.
 */
import { defined } from "./config.ts";
import { invalidOptions } from "./errors.ts";
import type { JsonObject, TaskOverrides } from "./task.ts";

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
  /** Keys of the front matter that say nothing to the pool (licence, compatibility, …), kept for writing it back. */
  readonly frontMatter?: JsonObject;
  /** Its folder, for `${CLAUDE_SKILL_DIR}`; absent for one added at run time. */
  readonly dir?: string;
  readonly source: SkillSource;
}

/** A skill as `list` shows it; a broken one has an error and little else. */
export interface SkillEntry extends Partial<Omit<Skill, "prompt">> {
  readonly name: string;
  readonly source: SkillSource;
  readonly error?: string;
}

/** What of a skill a chain's step keeps: enough to render it without looking it up again. */
export type SkillStep = Pick<Skill, "name" | "prompt" | "arguments" | "dir" | "config">;

/** The name of the one argument of a skill that declares none and was not written for the pool: free text, by words. */
export const freeArgument = "arguments";

/** What a chain adds by itself to the arguments of a step. */
const previousOutput = "_previous_output";

/** Names that may become folders: nothing that walks out of one. */
export const skillName = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** @throws {PoolError} `invalid_options` for a name that is no folder's name. */
export function checkSkillName(name: string, what: "skill" | "workflow" = "skill"): void {
  if (skillName.test(name)) return;
  throw invalidOptions(
    `${JSON.stringify(name.slice(0, 100))} is no ${what} name: small letters, digits, "-" and "_", at most 64, beginning with a letter or digit.`,
    what,
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
  const valueOf = (name: string): string => (Object.hasOwn(values, name) ? (values[name] ?? "") : "");
  const own = skill.arguments.map((argument) => valueOf(argument.name));
  const free = isFree(skill) ? own[0] : undefined;
  const positional = free === undefined ? own : words(free);
  const joined = free ?? own.filter((value) => value !== "").join(" ");
  let used = 0;
  // One pass over the template alone: what an argument holds is never looked at (S1).
  const text = skill.prompt.replace(placeholders(skill), (whole: string, ...rest: readonly unknown[]) => {
    const { escape, dir, index, bare, name } = rest.at(-1) as Placeholder;
    if (escape !== undefined) return whole.slice(1);
    if (dir !== undefined) return skill.dir ?? "[this skill has no folder]";
    if (name === previousOutput) return valueOf(name);
    if (bare !== undefined && Number(bare) >= positional.length) return whole; // S3
    used += 1;
    if (name !== undefined) return valueOf(name);
    const position = index ?? bare;
    return position === undefined ? joined : (positional[Number(position)] ?? "");
  });
  return used > 0 || joined === "" ? text : `${text}\n\nARGUMENTS: ${joined}`;
}

/** Text as a part of a template that renders to just this text: what a command printed. */
export function inertText(skill: SkillStep, text: string): string {
  return text.replace(placeholders(skill), (whole) => `\\${whole}`);
}

/** The placeholders of a template, as one text to compare. */
export function placeholdersIn(skill: SkillStep): string {
  const found = [...skill.prompt.matchAll(placeholders(skill))].map(([whole]) => whole);
  return found.filter((whole) => !whole.startsWith("\\")).join(" ");
}

/** @throws {PoolError} `invalid_options`. */
export function checkArguments(
  skill: Pick<SkillStep, "name" | "arguments">,
  values: Readonly<Record<string, string>>,
  what: "Skill" | "Workflow" = "Skill",
): void {
  const known = skill.arguments.map((argument) => argument.name);
  for (const name of Object.keys(values)) {
    if (known.includes(name) || (name === previousOutput && what === "Skill")) continue;
    const list = known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`;
    throw invalidOptions(`${what} ${skill.name} has no argument ${JSON.stringify(name)}: ${list}.`, name);
  }
  const [odd] = Object.entries<unknown>(values).find(([, value]) => typeof value !== "string") ?? [];
  if (odd !== undefined)
    throw invalidOptions(`${what} ${skill.name}: argument ${JSON.stringify(odd)} must be text.`, odd);
  for (const argument of skill.arguments) {
    const value = Object.hasOwn(values, argument.name) ? values[argument.name] : "";
    if (!argument.required || (value ?? "") !== "") continue;
    throw invalidOptions(`${what} ${skill.name} needs the argument ${JSON.stringify(argument.name)}.`, argument.name);
  }
}

/**
 * A task's own settings over those of the skill it runs: fields replace, lists of tools and servers add up, as between the
 * layers of the pool.
 */
export function overSkillConfig<T extends TaskOverrides>(skill: Pick<Skill, "config">, own: T): T {
  const { config = {} } = skill;
  const below = own.allowedToolsMode === "replace" && own.allowedTools !== undefined ? [] : config.allowedTools;
  return defined<T>({
    ...config,
    ...own,
    allowedTools: union(below, own.allowedTools),
    disallowedTools: union(config.disallowedTools, own.disallowedTools),
    mcpServers: config.mcpServers === undefined ? own.mcpServers : { ...config.mcpServers, ...own.mcpServers },
  });
}

function union(
  below: readonly string[] | undefined,
  own: readonly string[] | undefined,
): readonly string[] | undefined {
  return below === undefined && own === undefined ? undefined : [...new Set([...(below ?? []), ...(own ?? [])])];
}

function isFree(skill: SkillStep): boolean {
  return skill.arguments.length === 1 && skill.arguments[0]?.name === freeArgument;
}

/** Words of free text; quotes hold some together. */
function words(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  );
}

/** The named groups of a match. */
interface Placeholder {
  readonly escape?: string;
  readonly index?: string;
  readonly bare?: string;
  readonly dir?: string;
  readonly name?: string;
}

/** `$ARGUMENTS[i]`, `$ARGUMENTS`, `$i`, `${CLAUDE_SKILL_DIR}`, `{name}`; a backslash before one makes it text. */
function placeholders(skill: SkillStep): RegExp {
  const names = [...skill.arguments.map((argument) => argument.name), previousOutput];
  const named = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  // An amount is no position: not before a letter, nor before the decimals of a figure.
  const position = String.raw`(?<bare>\d+)(?!\w|[.,]\d)`;
  return new RegExp(
    String.raw`(?<escape>\\)?(?:\$(?:ARGUMENTS(?:\[(?<index>\d+)\]|\b)|${position}|(?<dir>\{CLAUDE_SKILL_DIR\}))|\{(?<name>${named})\})`,
    "g",
  );
}
