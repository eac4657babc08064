/**
 * SKILL.md, read and written: front matter between two lines `---`, then the prompt.
 *
 * M1. What is written reads back as the same skill.
 */
import { isDeepStrictEqual } from "node:util";
import { defined } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import { checkSkillName, freeArgument, type Skill, type SkillArgument } from "../core/skill.ts";
import type { JsonObject, TaskOverrides } from "../core/task.ts";
import { toWire } from "../core/wire.ts";
import { maxSkillBytes, parseSkillMetadata, type SkillDefinition } from "../schema/skill.ts";
import { invalidSkill, readYaml, writeYaml } from "./yaml-text.ts";

/** A skill but for where it was found. */
export type SkillText = Omit<Skill, "source" | "dir">;

/**
 * Reads the text of a SKILL.md; `folder`, where there is one, is the name that it must have.
 *
 * @throws {PoolError} `invalid_skill`, beginning with `where`.
 */
export function parseSkillText(text: string, where: string, folder?: string): SkillText {
  // A file was measured before it was read; a text that a program hands over is measured here.
  if (text.length > maxSkillBytes) throw invalidSkill(where, `it is longer than ${String(maxSkillBytes)} characters`);
  const { front, body } = split(text, where);
  const fields = readYaml(front, where);
  const { name: _, description: __, metadata, "allowed-tools": tools, "argument-hint": hint, ...others } = fields;
  try {
    const name = textField(fields, "name", where) ?? folder;
    if (name === undefined) throw invalidSkill(where, "the front matter has no name");
    checkSkillName(name);
    if (folder !== undefined && name !== folder) {
      throw invalidSkill(where, `its name is ${JSON.stringify(name)}, but its folder is ${JSON.stringify(folder)}`);
    }
    if (body === "") throw invalidSkill(where, "there is no prompt below the front matter");
    const { own, rest } = splitMetadata(metadata, where);
    const known = parseSkillMetadata({ ...own, config: configOf(own.config, others, tools, where) }, where);
    const argumentHint = typeof hint === "string" ? hint : undefined;
    return defined<SkillText>({
      name,
      description: textField(fields, "description", where) ?? firstLine(body),
      prompt: body,
      arguments: known.arguments?.map((argument) => defined<SkillArgument>(argument)) ?? free(argumentHint),
      config: isEmpty(known.config) ? undefined : (known.config as TaskOverrides),
      scope: known.scope ?? "task",
      argumentHint,
      frontMatter: nonEmpty({ ...others, ...(rest === undefined ? {} : { metadata: rest }) }),
    });
  } catch (error) {
    if (!(error instanceof PoolError) || error.code === "invalid_skill") throw error;
    throw invalidSkill(where, error.message.replace(`${where}: `, "").replace(/\.$/, ""), error);
  }
}

/** The text of a skill's SKILL.md (M1). */
export function writeSkillText(skill: SkillText): string {
  const { metadata: rest, ...others } = (skill.frontMatter ?? {}) as { readonly metadata?: JsonObject };
  const { allowedTools, ...config } = skill.config ?? {};
  const line = allowedTools?.join(", ");
  const fitsInLine = line !== undefined && line !== "" && isDeepStrictEqual(toolRules(line), allowedTools);
  const kept = fitsInLine ? config : (skill.config ?? {});
  const front = defined({
    name: skill.name,
    description: skill.description,
    "argument-hint": skill.argumentHint,
    "allowed-tools": fitsInLine ? line : undefined,
    ...others,
    metadata: defined({
      ...rest,
      scope: skill.scope,
      arguments: skill.arguments,
      config: isEmpty(kept) ? undefined : toWire(kept),
    }),
  });
  return `---\n${writeYaml(front, { lineWidth: 0 })}---\n\n${skill.prompt}\n`;
}

/** A definition as a program gives it. */
export function skillOf(definition: SkillDefinition): SkillText {
  const { prompt, arguments: list, scope = "task", ...others } = definition;
  return {
    ...others,
    description: others.description.trim(),
    prompt: trimmed(prompt.replaceAll("\r\n", "\n")),
    arguments:
      list?.map((argument) => ({ ...argument, required: argument.required ?? false })) ?? free(others.argumentHint),
    scope,
  };
}

function split(text: string, where: string): { readonly front: string; readonly body: string } {
  const lines = text
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n")
    .split("\n");
  const isFence = (line: string): boolean => /^---[ \t]*$/.test(line);
  if (!isFence(lines[0] ?? "")) throw invalidSkill(where, "it must begin with front matter, a line `---`");
  const end = lines.findIndex((line, index) => index > 0 && isFence(line));
  if (end === -1) throw invalidSkill(where, "its front matter has no end, a second line `---`");
  return { front: lines.slice(1, end).join("\n"), body: trimmed(lines.slice(end + 1).join("\n")) };
}

function trimmed(body: string): string {
  return body.replace(/^(?:[ \t]*\n)+/, "").trimEnd();
}

function textField(fields: Readonly<Record<string, unknown>>, key: string, where: string): string | undefined {
  const value = fields[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw invalidSkill(where, `${key}: expected text, got ${JSON.stringify(value)}`);
}

/** The pool's own part of the metadata, and what others keep there. */
function splitMetadata(
  metadata: unknown,
  where: string,
): { readonly own: Readonly<Record<string, unknown>>; readonly rest: JsonObject | undefined } {
  if (metadata === undefined || metadata === null) return { own: {}, rest: undefined };
  if (typeof metadata !== "object" || Array.isArray(metadata)) {
    throw invalidSkill(where, "metadata: expected names with values");
  }
  const { scope, arguments: list, config, ...rest } = metadata as Record<string, unknown>;
  return { own: defined({ scope, arguments: list, config }), rest: nonEmpty(rest as JsonObject) };
}

/** Settings in wire names: the metadata's, and what Claude Code's own keys say where those are silent. */
function configOf(config: unknown, front: Readonly<Record<string, unknown>>, tools: unknown, where: string): unknown {
  if (config !== undefined && (typeof config !== "object" || config === null)) return config; // the schema refuses it
  const model = typeof front.model === "string" && front.model !== "inherit" ? { model: front.model } : {};
  const effort = typeof front.effort === "string" ? { effort: front.effort } : {};
  const allowed = tools === undefined || tools === null ? {} : { allowed_tools: listOfTools(tools, where) };
  return { ...model, ...effort, ...config, ...allowed };
}

function listOfTools(tools: unknown, where: string): readonly string[] {
  if (typeof tools === "string") return toolRules(tools);
  if (Array.isArray(tools) && tools.every((tool) => typeof tool === "string")) return tools;
  throw invalidSkill(where, "allowed-tools: expected the names of tools, apart by commas or spaces");
}

/** `Bash(git add:*), Read Edit` are three: what stands between brackets belongs together. */
function toolRules(line: string): readonly string[] {
  return line.match(/(?:[^\s,(]|\([^)]*\)?)+/g) ?? [];
}

function free(hint: string | undefined): readonly SkillArgument[] {
  return [defined<SkillArgument>({ name: freeArgument, description: hint, required: false })];
}

function firstLine(body: string): string {
  return (body.split("\n", 1)[0] ?? "").replace(/^#+\s*/, "").slice(0, 200);
}

function isEmpty(value: object | undefined): boolean {
  return value === undefined || Object.keys(value).length === 0;
}

function nonEmpty(value: JsonObject): JsonObject | undefined {
  return isEmpty(value) ? undefined : value;
}
