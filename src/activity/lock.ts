/**
 * The lock on the log's folder: a file created exclusively, which says who created it (ADR 0016).
 *
 * L1. Nothing that must not be lost depends on the lock: an append without it happens all the same.
 * L2. A lock is broken only when its holder is certainly gone; one that cannot be told (another machine, an unreadable file) when it is old.
 * L3. Breaking takes the file away by a rename and looks at what it took: a living lock that was taken by mistake is put back.
 * L4. Where links can be made, the lock is never there without saying whose it is.
 */
import { lstatSync, readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { markIn, ownMark, stateOf } from "./living.ts";

/** Milliseconds after which a lock that cannot be told alive or gone is taken for left behind; no holder works a hundredth of it. */
const unknownMs = 30_000;
/** Milliseconds that a holder has between creating the file and writing into it, where it is no link. */
const emptyMs = 2_000;

/** A lock that is held; `release` gives it back. */
export interface HeldLock {
  release(): void;
}

/** Takes the lock, waiting at most `waitMs`; undefined: it was not to be had. Throws what the file system throws. */
export async function takeLock(path: string, waitMs: number): Promise<HeldLock | undefined> {
  const since = performance.now();
  for (let round = 1; ; round += 1) {
    const held = tryLock(path);
    if (held !== undefined) return held;
    const left = waitMs - (performance.now() - since);
    // Whether it was left behind is asked now and again, and at the last: the answer costs more than many attempts.
    if ((round % 16 === 4 || left <= 0) && breakIfLeft(path)) continue;
    if (left <= 0) return undefined;
    await pause(Math.min(left, round < 8 ? 0.2 + Math.random() * 0.4 : 1 + Math.random() * 2));
  }
}

/** Takes the lock if it is free at this moment. */
export function tryLock(path: string): HeldLock | undefined {
  const content = JSON.stringify({ ...ownMark(), nonce: nonce() });
  try {
    create(path, content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  }
  return { release: () => giveBack(path, content) };
}

/** A symbolic link is made together with what it says; a file is not, and a process killed in between leaves one that says nothing (L4). */
function create(path: string, content: string): void {
  if (process.platform !== "win32") {
    try {
      symlinkSync(content, path);
      return;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"].includes(code)) throw error;
      // A file system without links.
    }
  }
  writeFileSync(path, content, { flag: "wx", mode: 0o600 });
}

function contentOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (!["EINVAL", "UNKNOWN"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return readFileSync(path, "utf8"); // no link, so a file
  }
}

/** Who holds the lock, in words, for `doctor`; undefined: nobody. */
export function lockHolder(path: string): { readonly pid?: number; readonly left: boolean } | undefined {
  const found = look(path);
  if (found === undefined) return undefined;
  const mark = markIn(found.value);
  return { ...(mark === undefined ? {} : { pid: mark.pid }), left: isLeft(found) };
}

interface Found {
  readonly content: string;
  readonly value: unknown;
  readonly ageMs: number;
}

function look(path: string): Found | undefined {
  try {
    const content = contentOf(path);
    return { content, value: parsed(content), ageMs: Date.now() - lstatSync(path).mtimeMs };
  } catch {
    return undefined; // given back meanwhile
  }
}

function isLeft({ value, ageMs }: Found): boolean {
  const mark = markIn(value);
  if (mark === undefined) return ageMs > emptyMs;
  const state = stateOf(mark);
  return state === "gone" || (state === "unknown" && ageMs > unknownMs);
}

/** Takes away a lock that was left behind (L2, L3); true: it is worth trying again at once. */
function breakIfLeft(path: string): boolean {
  const found = look(path);
  if (found === undefined) return true;
  if (!isLeft(found)) return false;
  const aside = `${path}.${String(process.pid)}.${nonce()}`;
  try {
    renameSync(path, aside);
    const taken = contentOf(aside);
    if (taken !== found.content) create(path, taken);
  } catch {
    // Somebody else was quicker in breaking it, or in taking it after the break: then theirs stands.
  }
  remove(aside);
  return true;
}

function giveBack(path: string, content: string): void {
  try {
    if (contentOf(path) === content) unlinkSync(path);
  } catch {
    // Broken by somebody who took this process for gone: it is theirs now.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // not there: the rename did not happen
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Tells this taking of the lock from every other of this process. */
function nonce(): string {
  return Math.random().toString(36).slice(2, 10);
}

/** Less than a millisecond is waited for on the spot: a timer's shortest is longer than the lock is ever held. */
function pause(ms: number): Promise<void> | undefined {
  if (ms >= 1) return new Promise((resolve) => setTimeout(resolve, ms));
  Atomics.wait(sleeper, 0, 0, ms);
  return undefined;
}
