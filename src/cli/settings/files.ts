/** Where settings are read from: the project's claude-pool.json and the user's own. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { microdollars } from "../../core/budget.ts";
import { PoolError } from "../../core/errors.ts";
import { poolHome, repositoryTop } from "../../project.ts";
import { parseConfigFile, type ConfigFile } from "../../schema/parse.ts";

const configFileName = "claude-pool.json";

/** A file's settings; the cap is always in microdollars, so that layers compare. */
export type Settings = Omit<ConfigFile, "budgetUsd">;

export interface SettingsFile {
  readonly path: string;
  readonly settings: Settings;
}

export function userFilePath(env: Readonly<Record<string, string | undefined>>): string {
  return join(poolHome(env), configFileName);
}

/** The nearest claude-pool.json from a directory up to the root of its repository; outside one, the directory's own. */
export function projectFilePath(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const top = repositoryTop(directory) ?? directory;
  for (let here = directory; ; here = dirname(here)) {
    const path = join(here, configFileName);
    if (existsSync(path)) return path === userFilePath(env) ? undefined : path;
    if (here === top || here === dirname(here)) return undefined;
  }
}

/**
 * Reads a settings file; undefined if there is none.
 *
 * @throws {PoolError} `invalid_options`, naming the file.
 */
export function readSettingsFile(path: string): SettingsFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new PoolError(
      "invalid_options",
      `${path}: cannot be read: ${(error as Error).message}.`,
      { file: path },
      error,
    );
  }
  return { path, settings: withOneCap(parseConfigFile(text, path)) };
}

/** `budgetUsd` and `budgetMicrodollars` are one setting. */
export function withOneCap(file: ConfigFile): Settings {
  const { budgetUsd, ...settings } = file;
  return budgetUsd === undefined ? settings : { ...settings, budgetMicrodollars: microdollars(budgetUsd) };
}
