/** The terminal that a hook runs for: where it stands, what it is called, and what is remembered of it. */
import { statSync } from "node:fs";
import { sidOf, type Author, type Origin } from "../activity/entry.ts";
import { ensureFolder } from "../activity/folder.ts";
import { givenLabel, labelFor, subagentLabel } from "../activity/identity.ts";
import { markOf } from "../activity/living.ts";
import type { Terminal } from "../activity/news.ts";
import { groundOf, type Environment, type Ground } from "../activity/place.ts";
import { isGoneSession, readSession, readSessions, writeSession, type Session } from "../activity/sessions.ts";
import { readLogSettings, type LogSettings } from "../activity/settings.ts";
import { workedOn } from "../activity/working-set.ts";
import type { HookInput } from "./input.ts";
import { noteProblem } from "./problem.ts";

/** What the hooks keep of a terminal beside its session's own fields. */
export interface Memory {
  /** The memorable name that it was given once. */
  readonly name?: string;
  readonly title?: string;
  /** Hashes of the conversations before a `/clear` in the same process, the last one first. */
  readonly former: readonly string[];
  /** Words of its last three prompts. */
  readonly terms: readonly (readonly string[])[];
  /** Unix seconds at which its claims were last made to live longer. */
  readonly renewedAt: number;
  /** Unix seconds of its last guess in automatic mode; 0 for none. */
  readonly guessedAt: number;
  /** What it is told with the next prompt. */
  readonly notices: readonly string[];
  /** The label of which it was told that another has it too. */
  readonly warnedOf?: string;
}

export interface HookTerminal {
  readonly input: HookInput;
  readonly env: Environment;
  /** Unix seconds. */
  readonly now: number;
  readonly ground: Ground;
  readonly settings: LogSettings;
  readonly sid: string;
  /** What is known of it, also before it was ever written down. */
  readonly session: Session;
  readonly memory: Memory;
  readonly isNew: boolean;
  /** Unix seconds; 0 for a new one. */
  readonly lastSeenAt: number;
  /** What could not be used of the user's settings. */
  readonly remarks: readonly string[];
}

/**
 * Finds the terminal of a hook's input; where SessionStart did not run for it, it begins here.
 *
 * @throws {LogFolderError} for a log folder that is not the user's own; the file system's own error where there can be none.
 */
export function terminalOf(input: HookInput, env: Environment, now: number): HookTerminal {
  const ground = groundFor(input.cwd, env);
  ensureFolder(ground.folder);
  const { settings, remarks } = readLogSettings(ground.folder);
  const sid = sidOf(input.sessionId);
  const known = readSession(ground.folder, sid);
  const before = known ?? predecessor(ground, input, sid);
  const carried = memoryIn(before?.memory);
  const former =
    known === undefined && before !== undefined ? [before.sid, ...carried.former].slice(0, 8) : carried.former;
  const title = input.sessionTitle ?? carried.title;
  const memory: Memory = { ...carried, former, ...(title === undefined ? {} : { title }) };
  const named = nameFor(ground, memory, input.sessionId, env, now);
  const mark = known?.process === undefined || input.event === "SessionStart" ? markOf(process.ppid) : known.process;
  const session: Session = {
    sid,
    label: named.label,
    ...(mark === undefined ? {} : { process: mark }),
    cwd: input.cwd,
    project: ground.project,
    ...(ground.branch === undefined ? {} : { branch: ground.branch }),
    source: input.source ?? known?.source ?? "unknown",
    startedAt: known?.startedAt ?? now,
    seenAt: now,
    ...(before?.cursor === undefined ? {} : { cursor: before.cursor }),
  };
  return {
    input,
    env,
    now,
    ground,
    settings,
    sid,
    session,
    memory: named.memory,
    isNew: known === undefined,
    lastSeenAt: known?.seenAt ?? 0,
    remarks,
  };
}

/**
 * Does it run in a slot of the pool? There a conversation is a task: what a task claimed ends with it, the engine tells the model the news, and
 * only explicit blocks are written down.
 */
export function isSlot({ env }: Pick<HookTerminal, "env">): boolean {
  return (env.CLAUDE_POOL_MARKER ?? "") !== "";
}

/** Writes down that the terminal was seen, with what has changed; false where that cannot be done, which ends no hook. */
export function saveTerminal(
  { ground: { folder }, session, memory }: HookTerminal,
  changed: Partial<Session> = {},
  remembered: Partial<Memory> = {},
): boolean {
  try {
    writeSession(folder, { ...session, ...changed, memory: { ...memory, ...remembered } });
    return true;
  } catch (error) {
    noteProblem(folder, `what is known of a terminal could not be written: ${String(error)}`);
    return false;
  }
}

/** The terminal as a reader of the log; its own open claims are named by the caller, who has read the log. */
export function readerOf(terminal: HookTerminal, claims: readonly string[]): Terminal {
  const { ground, memory, session, settings, sid } = terminal;
  const domain = Object.hasOwn(settings.domains, session.label) ? settings.domains[session.label] : undefined;
  return {
    label: session.label,
    sids: [sid, ...memory.former],
    project: ground.project,
    reader: {
      ...(domain === undefined ? {} : { domain }),
      files: workedOn(ground.folder, sid),
      ...(ground.branch === undefined ? {} : { branch: ground.branch }),
      claims,
      terms: [...new Set(memory.terms.flat())],
    },
  };
}

/** The terminal as an author; inside a subagent under its terminal's label with a suffix. */
export function authorOf({ input, ground, session, settings }: HookTerminal, origin: Origin): Author {
  const { agentId, agentType } = input;
  const isSubagent = agentId !== undefined;
  return {
    instance: isSubagent ? subagentLabel(session.label, agentType ?? agentId) : session.label,
    sessionId: input.sessionId,
    project: ground.project,
    ...(ground.branch === undefined ? {} : { branch: ground.branch }),
    ...(ground.worktree === undefined ? {} : { worktree: ground.worktree }),
    origin,
    profile: settings.profile,
  };
}

/** The terminals of the project that are not certainly gone, without this one. */
export function otherTerminals({ ground, sid, now, memory }: HookTerminal): readonly Session[] {
  return livingIn(ground, now).filter((session) => session.sid !== sid && !memory.former.includes(session.sid));
}

/** The directory that Claude Code was started for decides the project, where `cd` has led elsewhere; both may be gone. */
function groundFor(cwd: string, env: Environment): Ground {
  const started = env.CLAUDE_PROJECT_DIR ?? "";
  if (started === "" || started === cwd || !isDirectory(started)) return groundOf(cwd, env);
  const fixed = groundOf(started, env);
  if (!isDirectory(cwd)) return fixed;
  const here = groundOf(cwd, env);
  return here.project === fixed.project ? here : fixed;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The conversation that stood in the same process before `/clear` or a fork: the terminal is the same. */
function predecessor(ground: Ground, input: HookInput, sid: string): Session | undefined {
  if (input.event !== "SessionStart" || (input.source !== "clear" && input.source !== "fork")) return undefined;
  const mark = markOf(process.ppid);
  if (mark === undefined) return undefined;
  return readSessions(ground.folder).find(
    ({ sid: other, process: its, project, endedAt }) =>
      other !== sid &&
      endedAt === undefined &&
      project === ground.project &&
      its?.pid === mark.pid &&
      its.start === mark.start &&
      its.machine === mark.machine,
  );
}

function nameFor(
  ground: Ground,
  memory: Memory,
  sessionId: string,
  env: Environment,
  now: number,
): { readonly label: string; readonly memory: Memory } {
  const naming = {
    env,
    sessionId,
    ...(memory.title === undefined ? {} : { title: memory.title }),
    ...(memory.name === undefined ? {} : { kept: memory.name }),
  };
  const given = givenLabel(naming);
  if (given !== undefined) return { label: given, memory };
  const name = labelFor(naming, new Set(livingIn(ground, now).map(({ label }) => label)));
  return { label: name, memory: { ...memory, name } };
}

function livingIn(ground: Ground, now: number): readonly Session[] {
  return readSessions(ground.folder).filter(
    (session) => session.project === ground.project && !isGoneSession(session, now),
  );
}

/** What a session's file holds of ours; anything else in it counts as not there. */
function memoryIn(value: Readonly<Record<string, unknown>> = {}): Memory {
  const { name, title, warnedOf, renewedAt, guessedAt } = value;
  return {
    ...(typeof name === "string" ? { name } : {}),
    ...(typeof title === "string" ? { title } : {}),
    ...(typeof warnedOf === "string" ? { warnedOf } : {}),
    former: textsIn(value.former),
    terms: (Array.isArray(value.terms) ? value.terms : []).map(textsIn).slice(0, 3),
    renewedAt: typeof renewedAt === "number" ? renewedAt : 0,
    guessedAt: typeof guessedAt === "number" ? guessedAt : 0,
    notices: textsIn(value.notices),
  };
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}
