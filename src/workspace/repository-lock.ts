/**
 * One at a time, among all processes of this machine that use claude-pool: what changes a repository's register of worktrees,
 * its branches or its exclude file; what makes a directory ready, saves what stands in it, or removes it; and what lands on a
 * branch.
 *
 * X1. The lock file appears whole or not at all, with the name of its holder in it.
 * X2. Only a holder that is dead (pid and start time, since the last boot) is pushed aside, and only by who holds the second
 *     lock: two that find it dead at once would else remove each other's.
 * X3. Who holds a branch or a place may take the repository; never the other way round.
 */
import { createHash, randomUUID } from "node:crypto";
import { link, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PoolError } from "../core/errors.ts";
import type { Processes } from "../core/ports.ts";
import { textOf } from "./checkout.ts";
import { isMissing } from "./file-errors.ts";

/** Runs the body alone. */
export type RepositoryLock = <T>(
  repository: string,
  signal: AbortSignal | undefined,
  body: () => Promise<T>,
) => Promise<T>;

/**
 * @param waitMs how long others are waited for, in milliseconds.
 */
export function repositoryLock(processes: Processes, waitMs = 60_000): RepositoryLock {
  const turns: Turns = new Map();
  return (repository, signal, body) =>
    alone({ turns, processes, waitMs, file: join(repository, "claude-pool.lock") }, signal, body);
}

/** Runs the body alone in one place of a repository. */
export type PlaceLock = <T>(
  place: { readonly repository: string; readonly path: string },
  signal: AbortSignal | undefined,
  body: () => Promise<T>,
) => Promise<T>;

/** Others are waited for as long as they live: a directory's set-up takes as long as it takes. */
export function placeLock(processes: Processes): PlaceLock {
  const turns: Turns = new Map();
  return ({ repository, path }, signal, body) => {
    const name = `claude-pool-${basename(dirname(path))}-${basename(path)}.lock`;
    return alone({ turns, processes, waitMs: Infinity, file: join(repository, name) }, signal, body);
  };
}

/** Runs the body alone among those who land on a branch. */
export type BranchLock = <T>(
  target: { readonly repository: string; readonly branch: string },
  signal: AbortSignal | undefined,
  body: () => Promise<T>,
) => Promise<T>;

/** Others are waited for as long as they live: their checks take as long as they take. */
export function branchLock(processes: Processes): BranchLock {
  const turns: Turns = new Map();
  return ({ repository, branch }, signal, body) => {
    const name = createHash("sha256").update(branch).digest("hex").slice(0, 16);
    const file = join(repository, `claude-pool-landing-${name}.lock`);
    return alone({ turns, processes, waitMs: Infinity, file }, signal, body);
  };
}

/** In this process nobody has to ask the file system whose turn it is. */
type Turns = Map<string, Promise<unknown>>;

interface Lock {
  readonly turns: Turns;
  readonly processes: Processes;
  readonly waitMs: number;
  readonly file: string;
}

function alone<T>(
  { turns, processes, waitMs, file }: Lock,
  signal: AbortSignal | undefined,
  body: () => Promise<T>,
): Promise<T> {
  const before = turns.get(file) ?? Promise.resolve();
  const mine = untilAborted(before, signal).then(async () => {
    await take(file, processes, waitMs, signal);
    try {
      return await body();
    } finally {
      await rm(file, { force: true });
    }
  });
  const settled = Promise.allSettled([before, mine]);
  turns.set(file, settled);
  void settled.then(() => {
    if (turns.get(file) === settled) turns.delete(file);
  });
  return mine;
}

async function untilAborted(turn: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await turn;
    return;
  }
  if (signal.aborted) throw aborted(signal.reason);
  const given = Promise.withResolvers<never>();
  const giveUp = (): void => given.reject(aborted(signal.reason));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await Promise.race([turn, given.promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

async function take(
  file: string,
  processes: Processes,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const patience = performance.now() + waitMs;
  for (let pause = 4; ; pause = Math.min(pause * 1.5, 100)) {
    if (signal?.aborted === true) throw aborted(signal.reason);
    if (await create(file, processes)) return;
    if (await breakIfDead(file, processes)) continue;
    if (performance.now() > patience) throw await held(file);
    try {
      await delay(pause * (0.5 + Math.random()), undefined, { signal });
    } catch (error) {
      throw aborted(error);
    }
  }
}

/** X1: linked into place when it is written. */
async function create(file: string, { self, bootId }: Processes): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  const holder = { pid: self.pid, start_time: self.startTime, boot_id: bootId, hostname: hostname() };
  try {
    await writeFile(draft, JSON.stringify(holder), { flag: "wx" });
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    const why = error instanceof Error ? error.message : String(error);
    throw new PoolError("workspace_failed", `The lock file ${file} could not be written: ${why}`, {}, error);
  } finally {
    await rm(draft, { force: true });
  }
}

/** X2. */
async function breakIfDead(file: string, processes: Processes): Promise<boolean> {
  if (!(await isDead(file, processes))) return false;
  const second = `${file}.breaking`;
  if (!(await create(second, processes))) {
    // Held for a few file operations only; older, it is a dead one's.
    if ((await ageMs(second)) > 5_000 && (await isDead(second, processes))) await rm(second, { force: true });
    return false;
  }
  try {
    if (await isDead(file, processes)) await rm(file, { force: true });
    return true;
  } finally {
    await rm(second, { force: true });
  }
}

/** Does a living process of this machine hold this lock? False where nobody can tell. */
export async function isHeld(file: string, processes: Processes): Promise<boolean> {
  const holder = await holderIn(file);
  return holder !== undefined && isLiving(holder, processes) === true;
}

async function isDead(file: string, processes: Processes): Promise<boolean> {
  const holder = await holderIn(file);
  return holder !== undefined && isLiving(holder, processes) === false;
}

/** Undefined: of another machine nobody can tell. */
function isLiving(holder: LockHolder, processes: Processes): boolean | undefined {
  if (holder.hostname !== hostname()) return undefined;
  return holder.bootId === processes.bootId && processes.isAlive(holder);
}

interface LockHolder {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly hostname: string;
}

async function holderIn(file: string): Promise<LockHolder | undefined> {
  const text = await textOf(file);
  if (text === undefined) return undefined;
  try {
    const found = JSON.parse(text) as Partial<Record<string, unknown>>;
    return {
      pid: Number(found.pid),
      startTime: String(found.start_time),
      bootId: String(found.boot_id),
      hostname: String(found.hostname),
    };
  } catch {
    return undefined; // not one of ours: the message names the file
  }
}

async function held(file: string): Promise<PoolError> {
  const holder = await holderIn(file);
  const who = holder === undefined ? "something" : `process ${String(holder.pid)} of ${holder.hostname}`;
  return new PoolError(
    "repository_locked",
    `${who} holds ${file} and did not let go. Wait for it; if no such process runs, remove that file.`,
    { lock: file },
  );
}

async function ageMs(file: string): Promise<number> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

function aborted(cause: unknown): PoolError {
  return new PoolError("aborted", "Waiting for the repository was aborted.", {}, cause);
}
