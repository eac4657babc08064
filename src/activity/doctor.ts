/** What is wrong with a log, in words, without changing anything. */
import { lstatSync, statSync, accessSync, constants, closeSync, openSync, readSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { plainLine } from "./harmless.ts";
import { lockHolder } from "./lock.ts";
import type { Ground, LogFolder } from "./place.ts";
import { archivesOf, readLog } from "./read.ts";
import { isGoneSession, readSessions } from "./sessions.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly check: "folder" | "file" | "lines" | "lock" | "archive" | "terminals" | "errors" | "place";
  readonly level: "ok" | "warning" | "error";
  readonly text: string;
}

/** Looks at a log and at what lies around it. Unix seconds. */
export function examineLog(ground: Pick<Ground, "folder" | "warnings">, now: number): readonly Finding[] {
  const { folder, warnings } = ground;
  const own = folderFindings(folder);
  const places = warnings.map((text): Finding => ({ check: "place", level: "warning", text }));
  // What lies in a folder that cannot be entered is nobody's to say.
  const isThere = lstatSync(folder.root, { throwIfNoEntry: false }) !== undefined;
  if (isThere && !isUsable(folder.root, constants.X_OK)) return [...own, ...places];
  return [
    ...own,
    ...fileFindings(folder),
    ...lineFindings(folder, now),
    lockFinding(folder),
    archiveFinding(folder),
    terminalFinding(folder, now),
    ...errorFindings(folder, now),
    ...places,
  ];
}

function folderFindings(folder: LogFolder): readonly Finding[] {
  const stat = lstatSync(folder.root, { throwIfNoEntry: false });
  if (stat === undefined) return [unmadeFinding(folder.root)];
  const problems: Finding[] = [];
  const add = (level: "warning" | "error", text: string): number =>
    problems.push({ check: "folder", level, text: `${folder.root} ${text}` });
  if (stat.isSymbolicLink()) add("error", "is a symbolic link; nothing is written there.");
  else if (!stat.isDirectory()) add("error", "is no directory.");
  else if (process.getuid !== undefined && stat.uid !== process.getuid())
    add("error", "belongs to another user; nothing is written there.");
  else if ((stat.mode & 0o077) !== 0) add("warning", "is open to other users; the next entry closes it (chmod 700).");
  if (!isUsable(folder.root)) add("error", "cannot be written.");
  else
    for (const path of [folder.sessions, folder.archive]) {
      const below = lstatSync(path, { throwIfNoEntry: false });
      if (below === undefined || (below.isDirectory() && isUsable(path))) continue;
      problems.push({ check: "folder", level: "error", text: `${path} cannot be written.` });
    }
  return problems.length > 0 ? problems : [{ check: "folder", level: "ok", text: folder.root }];
}

/** Of a folder that is not there: can it be made? */
function unmadeFinding(root: string): Finding {
  let above = root;
  while (lstatSync(above, { throwIfNoEntry: false }) === undefined) above = dirname(above);
  const isFolder = statSync(above, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder && isUsable(above))
    return { check: "folder", level: "ok", text: `${root} is not there yet; the first entry makes it.` };
  const [why, how] = isFolder ? ["cannot be written", "Make that writable, or put"] : ["is no directory", "Put"];
  const text = `${root} cannot be made: ${above} ${why}. ${how} the log elsewhere with POOL_HOME.`;
  return { check: "folder", level: "error", text };
}

function fileFindings(folder: LogFolder): readonly Finding[] {
  const stat = statSync(folder.file, { throwIfNoEntry: false });
  if (stat === undefined) return [{ check: "file", level: "ok", text: "No entries yet." }];
  const found: Finding[] = [];
  if (!stat.isFile()) found.push({ check: "file", level: "error", text: `${folder.file} is no regular file.` });
  else if (!isUsable(folder.file, constants.R_OK | constants.W_OK)) {
    const text = `${folder.file} cannot be read and written by you (chmod 600 it).`;
    found.push({ check: "file", level: "error", text });
  } else {
    if ((stat.mode & 0o077) !== 0) {
      found.push({
        check: "file",
        level: "warning",
        text: `${folder.file} can be read by other users (chmod 600 it).`,
      });
    }
    if (endsTorn(folder.file, stat.size)) {
      found.push({
        check: "file",
        level: "warning",
        text: "The last line has no end: a writer was killed, or is writing. The next entry heals it.",
      });
    }
  }
  return found.length > 0
    ? found
    : [{ check: "file", level: "ok", text: `${folder.file}, ${String(stat.size)} bytes` }];
}

function lineFindings(folder: LogFolder, now: number): readonly Finding[] {
  const { entries, skipped } = readLog(folder, { now, maxBytes: 64 * 1024 * 1024, archives: "all", expired: true });
  const { notJson, notEntry, oversized } = skipped;
  const bad = notJson + notEntry + oversized;
  const old = entries.filter(({ v }) => v === 1).length;
  const skewed = entries.filter(({ flags }) => flags.includes("clock_skew")).length;
  const counts = `${String(entries.length)} entries, ${String(old)} of them of version 1`;
  const found: Finding[] = [{ check: "lines", level: "ok", text: counts }];
  if (bad > 0) {
    const text = `${String(bad)} lines are skipped: ${String(notJson)} are no JSON, ${String(notEntry)} no entries, ${String(oversized)} too long.`;
    found.push({ check: "lines", level: "warning", text });
  }
  if (skewed > 0)
    found.push({
      check: "lines",
      level: "warning",
      text: `${String(skewed)} entries are from the future: a clock is wrong.`,
    });
  return found;
}

function lockFinding(folder: LogFolder): Finding {
  const holder = lockHolder(folder.lock);
  if (holder === undefined) return { check: "lock", level: "ok", text: "Nobody holds the lock." };
  const who = holder.pid === undefined ? "somebody" : `process ${String(holder.pid)}`;
  if (!holder.left) return { check: "lock", level: "ok", text: `${who} holds the lock at this moment.` };
  return { check: "lock", level: "warning", text: `The lock was left behind by ${who}; the next writer breaks it.` };
}

function archiveFinding(folder: LogFolder): Finding {
  const names = archivesOf(folder);
  return { check: "archive", level: "ok", text: `${String(names.length)} archived files` };
}

function terminalFinding(folder: LogFolder, now: number): Finding {
  const sessions = readSessions(folder);
  const gone = sessions.filter((session) => isGoneSession(session, now)).length;
  return {
    check: "terminals",
    level: "ok",
    text: `${String(sessions.length)} terminals known, ${String(gone)} of them gone`,
  };
}

/** What hooks could not do, of the last day. */
function errorFindings(folder: LogFolder, now: number): readonly Finding[] {
  const path = join(folder.root, "errors.log");
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.mtimeMs / 1000 < now - 86_400 || !isUsable(path, constants.R_OK)) return [];
  const last = readFileSync(path, "utf8").trimEnd().split("\n").at(-1) ?? "";
  return [{ check: "errors", level: "warning", text: `${path}, the last line: ${plainLine(last, 300)}` }];
}

/** Without more it must be a folder in which something can be made. */
function isUsable(path: string, how: number = constants.W_OK | constants.X_OK): boolean {
  try {
    accessSync(path, how);
    return true;
  } catch {
    return false;
  }
}

function endsTorn(path: string, size: number): boolean {
  if (size === 0) return false;
  const file = openSync(path, "r");
  try {
    const last = Buffer.alloc(1);
    return readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 10;
  } finally {
    closeSync(file);
  }
}
