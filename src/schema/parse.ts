/** The edge: what callers, files and other programs hand over becomes a value the core can trust, or a PoolError. */
import type { z } from "zod";
import type { OpenPoolOptions } from "../core/api.ts";
import { PoolError, invalidOptions } from "../core/errors.ts";
import type { PermissionMode, SlotConfig, TaskSpec } from "../core/task.ts";
import { spelled, toLibrary, type Casing } from "./casing.ts";
import { configFileSchema, poolOptionsSchema, slotConfigSchema, taskSpecSchema } from "./fields.ts";
import { problem } from "./problem.ts";

export type { Casing } from "./casing.ts";

/** What claude-pool.json can set: the options of `openPool` that make sense in a file. */
export type ConfigFile = Omit<OpenPoolOptions, "cwd" | "homes" | "kind" | "runner" | "clock" | "processes">;

/**
 * A task's specification: a prompt, or an object with a `prompt`.
 *
 * @throws {PoolError} `invalid_options`, naming the field in the caller's own casing.
 * @example parseTaskSpec({ prompt: "Fix it", max_turns: 3 }, "wire") // { prompt: "Fix it", maxTurns: 3 }
 */
export function parseTaskSpec(input: unknown, casing: Casing = "library", where?: string): TaskSpec {
  const value = typeof input === "string" ? { prompt: input } : input;
  return parse<TaskSpec>(taskSpecSchema, value, casing, where);
}

/**
 * A slot's configuration.
 *
 * @throws {PoolError} `invalid_options`.
 */
export function parseSlotConfig(input: unknown, casing: Casing = "library", where?: string): SlotConfig {
  return parse<SlotConfig>(slotConfigSchema, input, casing, where);
}

/**
 * The options of `openPool`.
 *
 * @throws {PoolError} `invalid_options`.
 */
export function parsePoolOptions(input: unknown, casing: Casing = "library"): OpenPoolOptions {
  return checked(parse<OpenPoolOptions>(poolOptionsSchema, input, casing), casing);
}

/**
 * The text of a claude-pool.json.
 *
 * @throws {PoolError} `invalid_options`, beginning with the file's name.
 */
export function parseConfigFile(json: string, filename: string): ConfigFile {
  const value = readJson(json, filename);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const { $schema: _, ...settings } = isObject ? (value as Record<string, unknown>) : {};
  return checked(parse<ConfigFile>(configFileSchema, isObject ? settings : value, "wire", filename), "wire", filename);
}

/**
 * The same settings from anywhere else.
 *
 * @throws {PoolError} `invalid_options`.
 */
export function parseSettings(input: unknown, casing: Casing): ConfigFile {
  return checked(parse<ConfigFile>(configFileSchema, input, casing), casing);
}

/**
 * Refuses mode `bypassPermissions` where bypass has not been made possible.
 *
 * @throws {PoolError} `invalid_options`.
 */
export function refuseBypass(mode: PermissionMode | undefined, allowBypassPermissions: boolean): void {
  if (mode !== "bypassPermissions" || allowBypassPermissions) return;
  throw invalidOptions(
    "permissionMode: bypassPermissions was asked for, but this pool does not make it possible. " +
      "Open the pool with allowBypassPermissions (`--allow-bypass-permissions`), or choose another mode.",
    "permissionMode",
  );
}

/** Any schema's value, or the first thing wrong with it in the caller's own words. @throws {PoolError} `invalid_options`. */
export function parse<T>(schema: z.ZodObject, input: unknown, casing: Casing, where?: string): T {
  const value = toLibrary(input, casing);
  const answer = schema.safeParse(value);
  if (!answer.success) {
    throw problem(answer.error.issues, value, { casing, schema, ...(where === undefined ? {} : { where }) });
  }
  return withoutUndefined(answer.data) as T;
}

function checked<T extends ConfigFile>(options: T, casing: Casing, where?: string): T {
  const at = where === undefined ? "" : `${where}: `;
  if (options.budgetUsd !== undefined && options.budgetMicrodollars !== undefined) {
    const [usd, micro] = [spelled("budgetUsd", casing), spelled("budgetMicrodollars", casing)];
    throw invalidOptions(`${at}${usd} and ${micro} are the same setting: give one of them.`, usd);
  }
  return options;
}

function readJson(json: string, filename: string): unknown {
  try {
    return JSON.parse(json.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new PoolError("invalid_options", `${filename}: not JSON: ${(error as Error).message}.`, { file: filename }, error);
  }
}

/** Fields given as `undefined` are fields not given. */
function withoutUndefined(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const values = Object.values(fields);
  if (!values.includes(undefined)) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
