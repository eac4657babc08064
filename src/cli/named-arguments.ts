/** Arguments of a skill or workflow on the command line: by their names, or in their order. */
import type { Command } from "commander";
import { invalidOptions } from "../core/errors.ts";
import type { SkillArgument } from "../core/skill.ts";
import type { SkillArguments } from "../pool-skills.ts";
import { collected } from "./collected.ts";

/** The name of a skill or workflow, and its arguments. */
export function addNamedArguments(command: Command): Command {
  return command
    .argument("<name>")
    .argument("[values...]", "the arguments in their order; a skill that declares none takes free text")
    .option("--arg <name=value>", "an argument by its name; may be given again", collected);
}

/** As `target goal?`: what may be left out has a question mark. */
export function argumentText(list: readonly SkillArgument[]): string {
  return list.map((argument) => argument.name + (argument.required ? "" : "?")).join(" ") || "-";
}

/** @throws {PoolError} `invalid_options` for a pair without `=`, a name given twice, or both kinds at once. */
export function argumentsOf(words: readonly string[], pairs: readonly string[] = []): SkillArguments {
  if (pairs.length === 0) return words;
  if (words.length > 0) {
    throw invalidOptions("Arguments come in their order or as --arg name=value: give one of them.", "--arg");
  }
  const values = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    if (at < 1) throw invalidOptions(`--arg: expected name=value, got ${JSON.stringify(pair)}.`, "--arg");
    if (values.has(name)) throw invalidOptions(`--arg: ${name} is given twice.`, "--arg");
    values.set(name, pair.slice(at + 1));
  }
  return Object.fromEntries(values);
}
