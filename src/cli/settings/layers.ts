/** Flags over environment over the project's file over the user's file over the defaults; each value knows where it is from. */
import { dirname, resolve } from "node:path";
import { defaultConfig } from "../../core/config.ts";
import { projectFilePath, readSettingsFile, userFilePath, type Settings, type SettingsFile } from "./files.ts";
import { refuseUntrusted } from "./trust.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of one origin. */
export interface Layer {
  readonly source: string;
  readonly settings: Settings;
}

export interface LayeredSettings {
  /** Without defaults: what somebody chose. */
  readonly chosen: Settings;
  /** Every setting with its value and its origin, defaults included. */
  readonly all: Readonly<Record<string, Setting>>;
}

interface Setting {
  readonly value: unknown;
  readonly source: string;
}

/**
 * Reads both files and puts the layers together.
 *
 * @throws {PoolError} `invalid_options`, `untrusted_config`.
 */
export function layeredSettings(flags: Settings, directory: string, env: Environment): LayeredSettings {
  const project = projectFile(directory, env);
  if (project !== undefined) refuseUntrusted(project, env);
  const user = readSettingsFile(userFilePath(env));
  return layer([
    { source: "flag", settings: flags },
    { source: "environment", settings: environmentSettings(env) },
    ...[project, user].flatMap((file) => (file === undefined ? [] : [fromFile(file)])),
    { source: "default", settings: defaultConfig },
  ]);
}

/** The project's file of a directory, trusted or not. */
export function projectFile(directory: string, env: Environment): SettingsFile | undefined {
  const path = projectFilePath(directory, env);
  return path === undefined ? undefined : readSettingsFile(path);
}

/**
 * Puts layers together, the strongest first. As between task, slot and pool, lists of tools add up and what has names is
 * united by name: a project's file cannot make the user's own list of refused tools disappear.
 */
function layer(layers: readonly Layer[]): LayeredSettings {
  const all: Record<string, Setting> = {};
  for (const { source, settings } of layers) {
    for (const [key, value] of Object.entries(settings) as [string, unknown][]) {
      if (value === undefined) continue;
      const stronger = all[key];
      if (stronger === undefined) all[key] = { value, source };
      else if (adding.has(key)) all[key] = united(stronger, { value, source });
    }
  }
  const chosen = Object.entries(all).filter(([, { source }]) => source !== "default");
  return { all, chosen: Object.fromEntries(chosen.map(([key, { value }]) => [key, value])) };
}

const adding: ReadonlySet<string> = new Set(["allowedTools", "disallowedTools", "mcpServers", "env"]);

function united(stronger: Setting, weaker: Setting): Setting {
  if (isEmpty(weaker.value)) return stronger;
  if (isEmpty(stronger.value)) return weaker;
  const source = `${stronger.source}, ${weaker.source}`;
  if (!Array.isArray(stronger.value))
    return { value: { ...(weaker.value as object), ...(stronger.value as object) }, source };
  return { value: [...new Set([...(weaker.value as unknown[]), ...(stronger.value as unknown[])])], source };
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function environmentSettings(env: Environment): Settings {
  const claude = env.CLAUDE_POOL_CLAUDE;
  return claude === undefined || claude === "" ? {} : { claude };
}

/** Paths in a file are meant from where the file is. */
function fromFile({ path, settings }: SettingsFile): Layer {
  const { store, claude, worktreeBaseDir } = settings;
  const base = dirname(path);
  return {
    source: path,
    settings: {
      ...settings,
      ...(store === undefined || store === ":memory:" ? {} : { store: resolve(base, store) }),
      ...(claude?.includes("/") === true ? { claude: resolve(base, claude) } : {}),
      ...(worktreeBaseDir === undefined ? {} : { worktreeBaseDir: resolve(base, worktreeBaseDir) }),
    },
  };
}
