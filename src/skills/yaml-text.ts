/** YAML of others, read with bounds. */
import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import { PoolError } from "../core/errors.ts";

const load = createRequire(import.meta.url);

/** Loaded by the first file that needs it: most processes of a pool read no skill, and it weighs some 6 MB. */
function yaml(): typeof Yaml {
  return load("yaml") as typeof Yaml;
}

/** Fields as YAML text. */
export function writeYaml(fields: Readonly<Record<string, unknown>>, options: Yaml.ToStringOptions): string {
  return yaml().stringify(fields, options);
}

/**
 * The fields of a YAML text (JSON is YAML too).
 *
 * @throws {PoolError} `invalid_skill` for what is no YAML, or no fields.
 */
export function readYaml(text: string, where: string): Readonly<Record<string, unknown>> {
  const document = yaml().parseDocument(text, { prettyErrors: true });
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined)
    throw invalidSkill(where, `not YAML: ${(error.message.split("\n")[0] ?? "").replace(/:$/, "")}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }); // aliases of aliases could fill the memory
  } catch (cause) {
    throw invalidSkill(where, `not YAML that can be used: ${(cause as Error).message}`, cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalidSkill(where, "expected fields with values");
}

/** The file of a skill or workflow cannot be used. */
export function invalidSkill(where: string, what: string, cause?: unknown): PoolError {
  return new PoolError("invalid_skill", `${where}: ${what}.`, { file: where }, cause);
}
