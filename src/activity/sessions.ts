/**
 * What is kept of each terminal beside the log: `sessions/<sid>.json`, written whole or not at all.
 *
 * A file's name is the hash of the session id, never the id: what comes from outside names no file.
 */
import { readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { markIn, stateOf, type ProcessMark } from "./living.ts";
import type { LogFolder } from "./place.ts";
import type { Cursor } from "./read.ts";

/** One terminal, as its hooks saw it last. Times are Unix seconds. */
export interface Session {
  readonly sid: string;
  readonly label: string;
  /** The Claude process, where it could be told. */
  readonly process?: ProcessMark;
  readonly cwd?: string;
  readonly project?: string;
  readonly branch?: string;
  /** How it began: `startup`, `resume`, `clear`, `compact`, `fork`; `task` for a task in a slot of a pool. */
  readonly source?: string;
  readonly startedAt: number;
  readonly seenAt: number;
  readonly endedAt?: number;
  /** What of the log it has seen. */
  readonly cursor?: Cursor;
  /** Whatever else its hooks keep: keys that this file does not know are kept as they are. */
  readonly memory?: Readonly<Record<string, unknown>>;
}

/** Seconds without a sign of life after which a terminal whose process is gone no longer holds anything. */
export const silentSecs = 15 * 60;

/** The `source` of a task in a slot: its process is the host's, which named itself. */
export const taskSource = "task";

const maxFileBytes = 256 * 1024;

/** The terminal with this hash; undefined: nothing is known of it. */
export function readSession(folder: LogFolder, sid: string): Session | undefined {
  return isSid(sid) ? sessionIn(join(folder.sessions, `${sid}.json`), sid) : undefined;
}

/** Every terminal that is known, the last seen first. */
export function readSessions(folder: LogFolder): readonly Session[] {
  return filesOf(folder)
    .flatMap((name) => (name.endsWith(".json") ? (readSession(folder, name.slice(0, -".json".length)) ?? []) : []))
    .sort((a, b) => b.seenAt - a.seenAt);
}

/** Writes what is known of a terminal. @throws the file system's own error. */
export function writeSession(folder: LogFolder, session: Session): void {
  if (!isSid(session.sid)) throw new TypeError(`${session.sid} is not the hash of a session.`);
  makeFolder(folder.sessions);
  const path = join(folder.sessions, `${session.sid}.json`);
  const fresh = join(folder.sessions, `.${session.sid}.${String(process.pid)}.${String(performance.now())}.tmp`);
  writeFileSync(fresh, `${JSON.stringify(wireOf(session))}\n`, { mode: 0o600 });
  renameSync(fresh, path);
}

/**
 * Is the terminal certainly gone: it ended, or gave no sign of life for a quarter of an hour and its process is not there? A terminal's process
 * is what its hooks took for it, a task's is what the host itself wrote: so for a task the process alone decides.
 */
export function isGoneSession(session: Session, now: number, state: typeof stateOf = stateOf): boolean {
  if (session.endedAt !== undefined && session.endedAt >= session.seenAt) return true;
  if (session.source !== taskSource && now - session.seenAt < silentSecs) return false;
  return session.process !== undefined && state(session.process) === "gone";
}

/** Removes the files of terminals that have not been seen since a time, and half-written ones; the number of files removed. */
export function forgetSessions(folder: LogFolder, before: number, project?: string): number {
  let count = 0;
  for (const name of filesOf(folder)) {
    const path = join(folder.sessions, name);
    const session = name.endsWith(".json") ? readSession(folder, name.slice(0, -".json".length)) : undefined;
    if (project !== undefined && session?.project !== project) continue;
    try {
      if ((session?.seenAt ?? statSync(path).mtimeMs / 1000) >= before) continue;
      unlinkSync(path);
      count += 1;
    } catch {
      // Another process removed it first.
    }
  }
  return count;
}

function filesOf(folder: LogFolder): readonly string[] {
  try {
    return readdirSync(folder.sessions);
  } catch {
    return []; // none yet
  }
}

function sessionIn(path: string, sid: string): Session | undefined {
  let wire: Readonly<Record<string, unknown>>;
  try {
    if (statSync(path).size > maxFileBytes) return undefined;
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    wire = value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined; // not there, or not ours: the terminal begins anew
  }
  const {
    sid: _,
    label,
    process,
    cwd,
    project,
    branch,
    source,
    started_at,
    seen_at,
    ended_at,
    cursor,
    ...memory
  } = wire;
  const mark = markIn(process);
  const place = cursorIn(cursor);
  return {
    sid,
    label: text(label) ?? "?",
    ...(mark === undefined ? {} : { process: mark }),
    ...texts({ cwd, project, branch, source }),
    startedAt: number(started_at) ?? 0,
    seenAt: number(seen_at) ?? 0,
    ...(number(ended_at) === undefined ? {} : { endedAt: number(ended_at) ?? 0 }),
    ...(place === undefined ? {} : { cursor: place }),
    memory,
  };
}

function wireOf(session: Session): Readonly<Record<string, unknown>> {
  const { startedAt, seenAt, endedAt, memory, ...same } = session;
  return {
    ...memory,
    ...same,
    started_at: startedAt,
    seen_at: seenAt,
    ...(endedAt === undefined ? {} : { ended_at: endedAt }),
  };
}

function cursorIn(value: unknown): Cursor | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { file, offset, at } = value as Readonly<Record<string, unknown>>;
  const [place, time] = [number(offset), number(at)];
  return typeof file === "string" && place !== undefined && time !== undefined
    ? { file, offset: place, at: time }
    : undefined;
}

function texts<Key extends string>(values: Readonly<Record<Key, unknown>>): { readonly [K in Key]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => text(value) !== undefined)) as {
    readonly [K in Key]?: string;
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function isSid(text: string): boolean {
  return /^[0-9a-f]{8,64}$/.test(text);
}
