/**
 * The hooks in a settings file of Claude Code: added and taken away without touching anything else in it.
 *
 * S1. What is ours is a hook that runs `claude-pool-hook`; it stands in groups of its own, so taking a group away leaves no trace.
 * S2. A file is written whole or not at all, through a link, with the mode it had; before a change the old one is kept beside it.
 * S3. What cannot be understood is left alone: that is an error, never a new file in its place.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { PoolError } from "../../core/errors.ts";
import { writeWhole } from "../../write-whole.ts";

type Json = Readonly<Record<string, unknown>>;

/** How a hook runs the program. */
export interface HookCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** What was or would be done to a settings file. */
export interface SettingsChange {
  readonly file: string;
  /** Events whose hooks are new, or gone; empty: the file is as it should be. */
  readonly events: readonly string[];
  /** Where the file as it was is kept. */
  readonly backup?: string;
}

const shipped = fileURLToPath(new URL("../../../plugin/hooks/", import.meta.url));

/** The program of this installation. */
export function ownHookCommand(): HookCommand {
  return { command: "node", args: [`${shipped}claude-pool-hook.cjs`] };
}

/** Adds our hooks, those of another version replaced; `write: false` only says what would be added. @throws {PoolError} `invalid_options` (S3). */
export function addHooks(file: string, command: HookCommand, write: boolean): SettingsChange {
  const old = readSettings(file);
  const bare = without(old.settings);
  const settings = { ...bare, hooks: joined(objectAt(bare, "hooks"), ownHooks(command)) };
  if (isDeepStrictEqual(settings, old.settings)) return { file, events: [] };
  const events = Object.keys(ownHooks(command));
  if (!write) return { file, events };
  const backup = old.text === undefined ? undefined : keep(file);
  writeSettings(file, formatted(settings, old.text));
  return { file, events, ...(backup === undefined ? {} : { backup }) };
}

/** Takes our hooks away; the file becomes, byte for byte, what it was where nothing else has changed. @throws {PoolError} `invalid_options` (S3). */
export function removeHooks(file: string, write: boolean): SettingsChange {
  const { settings, text } = readSettings(file);
  const events = hookedEvents(settings);
  if (text === undefined || events.length === 0) return { file, events: [] };
  if (!write) return { file, events };
  const rest = without(settings);
  const before = readIfThere(backupOf(file));
  if (before !== undefined && isDeepStrictEqual(parsed(before, file), rest)) writeSettings(file, before);
  else if (before === undefined && Object.keys(rest).length === 0) rmSync(file);
  else writeSettings(file, formatted(rest, text));
  rmSync(backupOf(file), { force: true });
  return { file, events };
}

/** The events of a settings file that run our program. @throws {PoolError} `invalid_options` (S3). */
export function installedEvents(file: string): readonly string[] {
  return hookedEvents(readSettings(file).settings);
}

/** Is the plugin, which brings the same hooks, enabled in this file? */
export function hasPlugin(file: string): boolean {
  const enabled = objectAt(readSettings(file).settings, "enabledPlugins");
  return Object.entries(enabled).some(([name, on]) => name.startsWith("pool@") && on === true);
}

function backupOf(file: string): string {
  return `${file}.before-claude-pool`;
}

/** The plugin's own table, with the program's place instead of the plugin's. */
function ownHooks(command: HookCommand): Readonly<Record<string, readonly Json[]>> {
  const table = JSON.parse(readFileSync(`${shipped}hooks.json`, "utf8")) as { readonly hooks: Record<string, Json[]> };
  return Object.fromEntries(
    Object.entries(table.hooks).map(([event, groups]) => [
      event,
      groups.map((group) => ({ ...group, hooks: (group.hooks as Json[]).map((hook) => ({ ...hook, ...command })) })),
    ]),
  );
}

function joined(theirs: Json, ours: Readonly<Record<string, readonly Json[]>>): Json {
  const added = Object.entries(ours).map(([event, groups]) => [event, [...listAt(theirs, event), ...groups]] as const);
  return { ...theirs, ...Object.fromEntries(added) };
}

/** The settings without our groups; an event that held nothing else goes, and so does `hooks`. */
function without(settings: Json): Json {
  const events = hookedEvents(settings);
  if (events.length === 0) return settings;
  const kept = Object.entries(objectAt(settings, "hooks")).flatMap(
    ([event, groups]): readonly (readonly [string, unknown])[] => {
      if (!events.includes(event)) return [[event, groups]];
      const rest = listAt({ [event]: groups }, event).filter((group) => !isOurs(group));
      return rest.length === 0 ? [] : [[event, rest]];
    },
  );
  const { hooks: _, ...others } = settings;
  return kept.length === 0 ? others : { ...settings, hooks: Object.fromEntries(kept) };
}

function hookedEvents(settings: Json): readonly string[] {
  const hooks = objectAt(settings, "hooks");
  return Object.keys(hooks).filter((event) => listAt(hooks, event).some(isOurs));
}

/** A group in which somebody put a hook of theirs beside ours is theirs. */
function isOurs(group: unknown): boolean {
  const hooks = listAt(isObject(group) ? group : {}, "hooks");
  return hooks.length > 0 && hooks.every((hook) => isObject(hook) && runsOurs(hook));
}

function runsOurs({ command, args }: Json): boolean {
  const words = [command, ...(Array.isArray(args) ? (args as readonly unknown[]) : [])];
  return words.some((word) => typeof word === "string" && /(?:^|[/\\])claude-pool-hook(?:\.cjs)?$/u.test(word));
}

interface SettingsText {
  readonly settings: Json;
  /** Undefined where there is no file. */
  readonly text: string | undefined;
}

function readSettings(file: string): SettingsText {
  const text = readIfThere(file);
  return { settings: text === undefined || text.trim() === "" ? {} : parsed(text, file), text };
}

function parsed(text: string, file: string): Json {
  const settings = jsonIn(text);
  const hooks = isObject(settings) ? (settings.hooks ?? {}) : undefined;
  if (isObject(settings) && isObject(hooks) && Object.values(hooks).every(Array.isArray)) return settings;
  throw new PoolError(
    "invalid_options",
    `${file} is not what Claude Code's settings look like, so it was left as it is. Mend it, then try again.`,
    { field: "settings" },
  );
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says which file
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function keep(file: string): string {
  copyFileSync(file, backupOf(file));
  return backupOf(file);
}

function writeSettings(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeWhole(file, text, 0o600);
}

/** With the indent and the last line end that the file had. */
function formatted(settings: Json, before: string | undefined): string {
  const indent = /^[{[]\r?\n([ \t]+)/u.exec(before ?? "")?.[1] ?? 2;
  return `${JSON.stringify(settings, undefined, indent)}${before?.endsWith("\n") === false ? "" : "\n"}`;
}

function objectAt(value: Json, key: string): Json {
  const found = value[key];
  return isObject(found) ? found : {};
}

function listAt(value: Json, key: string): readonly unknown[] {
  const found = value[key];
  return Array.isArray(found) ? found : [];
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
