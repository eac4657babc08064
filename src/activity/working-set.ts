/**
 * The files that a terminal edits, one line each beside its session's file: several hooks may add at once, and none waits for another.
 */
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureFolder } from "./folder.ts";
import type { LogFolder } from "./place.ts";

const maxBytes = 16 * 1024;
const mostFiles = 40;

/** Adds a file, relative to the top of the working tree. @throws the file system's own error. */
export function addWorkedOn(folder: LogFolder, sid: string, path: string): void {
  ensureFolder(folder);
  const file = pathOf(folder, sid);
  const line = `${JSON.stringify(path)}\n`;
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < maxBytes) appendFileSync(file, line, { mode: 0o600 });
  else {
    const kept = workedOn(folder, sid).map((one) => `${JSON.stringify(one)}\n`);
    writeFileSync(file, kept.join("") + line, { mode: 0o600 });
  }
}

/** The files it edited last, each once, the newest last. */
export function workedOn(folder: LogFolder, sid: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(pathOf(folder, sid), "utf8");
  } catch {
    return []; // nothing yet
  }
  const newestFirst = text.split("\n").reverse().flatMap(pathIn);
  return [...new Set(newestFirst)].slice(0, mostFiles).reverse();
}

function pathIn(line: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "string" ? [value] : [];
  } catch {
    return []; // empty, or the torn end of a write
  }
}

/** `sid` is a hash, never a text from outside. */
function pathOf(folder: LogFolder, sid: string): string {
  return join(folder.sessions, `${sid.replace(/[^0-9a-f]/gu, "")}.paths`);
}
