/** A log in a folder of its own, gone when the test ends. */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { newEntry, type Author, type Draft, type Entry } from "../../src/activity/entry.ts";
import { folderAt, type LogFolder } from "../../src/activity/place.ts";
import { readLog, type Reading } from "../../src/activity/read.ts";

const project = "demo-0123456789ab";

export function tempFolder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-log-")));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true, maxRetries: 5 });
  });
  return made;
}

export function tempLog(): LogFolder {
  return folderAt(join(tempFolder(), "pool"));
}

/** The terminal with this label, which is its session id too. */
export function author(instance: string, changed: Partial<Author> = {}): Author {
  return { instance, sessionId: `session-of-${instance}`, project, origin: "cli", home: "/home/somebody", ...changed };
}

/** An entry of terminal A. */
export function entry(draft: Draft, changed: Partial<Author> = {}, now?: number): Entry {
  const made = newEntry(draft, author("A", changed), now);
  if (made === undefined) throw new Error("The draft says nothing.");
  return made;
}

/** Everything that a log holds, newest archive included. */
export function all(folder: LogFolder, changed: Partial<Reading> = {}): readonly Entry[] {
  return readLog(folder, {
    now: Date.now() / 1000,
    maxBytes: 64 * 1024 * 1024,
    archives: "all",
    expired: true,
    ...changed,
  }).entries;
}

/** The current file's text. */
export function textOf(folder: LogFolder): string {
  return readFileSync(folder.file, "utf8");
}
