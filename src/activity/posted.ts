/**
 * What one terminal wrote lately, beside the log: a repeated hook is known as one also after the log has rotated, and a flood is stopped.
 *
 * A line for each entry, `<time> <until> <dedup>`; written after the entry itself, so a crash between the two forgets at most one.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "./entry.ts";
import type { LogFolder } from "./place.ts";

const floodBounds = { perMinute: 12, perDay: 200 } as const;

const maxBytes = 32 * 1024;

/** What still stands of it, and whether this terminal has written enough for now. */
export function postedBefore(
  folder: LogFolder,
  sid: string,
  now: number,
): { readonly standing: ReadonlySet<string>; readonly isFlood: boolean } {
  const lines = linesOf(folder, sid).filter(({ at }) => at > now - 86_400 && at <= now + 60);
  return {
    standing: new Set(lines.filter(({ until }) => now < until).map(({ dedup }) => dedup)),
    isFlood:
      lines.length >= floodBounds.perDay || lines.filter(({ at }) => at > now - 60).length >= floodBounds.perMinute,
  };
}

/** Notes that an entry was written. */
export function remember(folder: LogFolder, entry: Entry): void {
  if (entry.sid === undefined) return;
  const path = pathOf(folder, entry.sid);
  const line = `${String(entry.timestamp)} ${String(entry.timestamp + entry.ttl)} ${entry.dedup ?? "-"}\n`;
  const lines = linesOf(folder, entry.sid);
  if (lines.length * 48 < maxBytes) appendFileSync(path, line, { mode: 0o600 });
  else {
    const kept = lines
      .slice(-floodBounds.perDay)
      .map(({ at, until, dedup }) => `${String(at)} ${String(until)} ${dedup}\n`);
    writeFileSync(path, kept.join("") + line, { mode: 0o600 });
  }
}

interface Posted {
  readonly at: number;
  readonly until: number;
  readonly dedup: string;
}

function linesOf(folder: LogFolder, sid: string): readonly Posted[] {
  let text: string;
  try {
    text = readFileSync(pathOf(folder, sid), "utf8");
  } catch {
    return []; // it has written nothing yet
  }
  return text.split("\n").flatMap((line) => {
    const [at, until, dedup] = line.split(" ");
    return dedup !== undefined && Number.isFinite(Number(at)) ? [{ at: Number(at), until: Number(until), dedup }] : [];
  });
}

/** `sid` is a hash or comes from our own file names, never a text from outside. */
function pathOf(folder: LogFolder, sid: string): string {
  return join(folder.sessions, `${sid.replace(/[^0-9a-f]/g, "")}.posted`);
}
