/** Who takes part: the terminals whose hooks left a file, and those that only the log knows. */
import { isSameOwner, type Claim } from "./claims.ts";
import { isOfTask, type Entry } from "./entry.ts";
import type { LogFolder } from "./place.ts";
import { readLog } from "./read.ts";
import { isGoneSession, readSession, readSessions, silentSecs, taskSource, type Session } from "./sessions.ts";
import { standingClaims } from "./write.ts";

/** One terminal. Times are Unix seconds. */
export interface Presence {
  readonly label: string;
  readonly sid?: string;
  /** `live`: seen in the last quarter of an hour, or its process is there; `gone`: it ended, or its process did. */
  readonly state: "live" | "idle" | "gone";
  readonly isOwn: boolean;
  readonly project?: string;
  readonly branch?: string;
  readonly cwd?: string;
  readonly seenAt: number;
  readonly claims: readonly Claim[];
  /** The last that it wrote. */
  readonly last?: Entry;
}

/** The terminals of a project, or of all, the last seen first; those that are gone and hold nothing are left out after a day. */
export function presences(
  folder: LogFolder,
  now: number,
  options: { readonly own: string; readonly project?: string },
): readonly Presence[] {
  const { own, project } = options;
  const { entries } = readLog(folder, {
    now,
    maxBytes: 2 * 1024 * 1024,
    expired: true,
    ...(project === undefined ? {} : { project }),
  });
  const claims = standingClaims(folder, now, project);
  const sessions = readSessions(folder).filter(
    (session) => session.source !== taskSource && (project === undefined || session.project === project),
  );
  const known = new Set(sessions.map(({ sid }) => sid));
  const writers = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.sid !== undefined && known.has(entry.sid)) continue;
    // A slot has one task at a time: the last is what it is at, or was.
    const isOne = entry.sid === undefined || isOfTask(entry);
    writers.set(isOne ? `label ${entry.sourceInstance}` : (entry.sid ?? ""), entry);
  }
  const found = [
    ...sessions.map((session) => fromSession(session, now, entries)),
    ...[...writers.values()].map((entry) => fromEntry(folder, entry, now)),
  ];
  return found
    .map((presence) => ({
      ...presence,
      isOwn: presence.sid === own,
      claims: claims.filter(({ entry }) =>
        isSameOwner(entry, {
          sourceInstance: presence.label,
          ...(presence.sid === undefined ? {} : { sid: presence.sid }),
        }),
      ),
    }))
    .filter(({ state, seenAt, claims: held }) => held.length > 0 || now - seenAt < (state === "gone" ? 3_600 : 86_400))
    .sort((a, b) => b.seenAt - a.seenAt);
}

function fromSession(session: Session, now: number, entries: readonly Entry[]): Omit<Presence, "isOwn" | "claims"> {
  const { sid, label, project, branch, cwd, seenAt } = session;
  const last = entries.findLast((entry) => entry.sid === sid);
  const state = isGoneSession(session, now) ? "gone" : stateAt(seenAt, now);
  return {
    label,
    sid,
    state,
    seenAt: Math.max(seenAt, last?.timestamp ?? 0),
    ...(project === undefined ? {} : { project }),
    ...(branch === undefined ? {} : { branch }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(last === undefined ? {} : { last }),
  };
}

function fromEntry(folder: LogFolder, entry: Entry, now: number): Omit<Presence, "isOwn" | "claims"> {
  const { sourceInstance: label, sid, project, branch, timestamp } = entry;
  const task = sid === undefined ? undefined : readSession(folder, sid);
  return {
    label,
    state: task !== undefined && isGoneSession(task, now) ? "gone" : stateAt(timestamp, now),
    seenAt: timestamp,
    last: entry,
    ...(sid === undefined ? {} : { sid }),
    ...(project === undefined ? {} : { project }),
    ...(branch === undefined ? {} : { branch }),
  };
}

function stateAt(seenAt: number, now: number): "live" | "idle" {
  return now - seenAt < silentSecs ? "live" : "idle";
}
