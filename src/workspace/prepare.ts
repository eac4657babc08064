/**
 * A directory made what a request says (W2, W4).
 *
 * What a `kill -9` leaves after each step: before the mark says `making`, what stood there is on its owner's ref or untouched;
 * from then on until it says `ready`, nothing that stands there is anybody's, and the next `prepare` begins again.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { WorkspaceRequest } from "../core/workspaces-port.ts";
import { savedRef, type TaskWorkspace } from "../core/workspace.ts";
import { giveUp } from "./branches-of-owner.ts";
import { checkoutAt, isDirectory, within, type Checkout } from "./checkout.ts";
import { healed, saveStanding } from "./clearing.ts";
import { git, gitText } from "./git.ts";
import { copyIgnored } from "./include.ts";
import { canBeReused, makeClone, makeWorktree, reuseWorktree } from "./making.ts";
import { readMark, writeMark, type Mark } from "./mark.ts";
import { mergeInto } from "./merge-in.ts";
import { excludeBase } from "./places.ts";
import { putIn } from "./put-in.ts";
import { inRepository, refAt } from "./refs.ts";
import { takeAway } from "./removing.ts";
import { baseOf, groundOf, impossible, type Base, type Ground } from "./repository.ts";
import type { RepositoryLock } from "./repository-lock.ts";
import { readSaved, type Saved } from "./saved-commit.ts";
import { setUp } from "./setup.ts";

export interface Preparing {
  readonly lock: RepositoryLock;
  readonly baseDirectory: string | undefined;
}

/** The port's `prepare`. */
export async function prepare(
  request: WorkspaceRequest,
  parts: Preparing,
  signal: AbortSignal,
): Promise<TaskWorkspace> {
  const ground = await groundOf(request.cwd, signal);
  const base = await beginning(request, ground, signal);
  await excludeBase(ground.repository, parts.baseDirectory, parts.lock, signal);
  const stands = await standsThere(request, ground, parts, signal);
  const [checkout, mark] = stands ?? (await make(request, ground, base, parts, signal));
  await dress(request, checkout, ground, base, stands === undefined, signal);
  if (request.mergeIn !== undefined) await mergeInto(checkout, request.mergeIn, request.owner, signal);
  await writeMark(checkout.gitDir, { ...mark, state: "ready", head: await headName(checkout) });
  const cwd = join(checkout.path, ground.prefix);
  // The worker may have removed it, or moved it: he finds out by himself.
  if (!(await isDirectory(cwd))) await mkdir(cwd, { recursive: true });
  return workspaceOf(request, { checkout, cwd, mark, base });
}

/** What the task begins from; for work that goes on as it was. */
async function beginning(request: WorkspaceRequest, ground: Ground, signal: AbortSignal): Promise<Base> {
  const { before } = request;
  if (before !== undefined && before.repository !== ground.repository) {
    throw impossible(
      `The work of ${request.owner} is in the repository ${before.repository}, and ${request.cwd} is now in ${ground.repository}.`,
    );
  }
  if (request.start === "base" || before === undefined) return baseOf(request.baseRef, ground, signal);
  const { baseRef, baseCommit, target } = before;
  return { baseRef, baseCommit, ...(target === undefined ? {} : { target }) };
}

/** The directory when the owner's work stands there and goes on; it is left exactly as it is. */
async function standsThere(
  request: WorkspaceRequest,
  { repository }: Ground,
  { lock }: Preparing,
  signal: AbortSignal,
): Promise<[Checkout, Mark] | undefined> {
  const { before, path, owner } = request;
  if (request.start === "base") return undefined;
  const here = await healed(path, repository, lock, signal);
  if (here?.mark?.owner === owner && here.mark.state === "ready" && here.checkout.kind === request.isolation) {
    return [here.checkout, here.mark];
  }
  // It stands somewhere else, perhaps unsaved: a host died there.
  if (before !== undefined && before.path !== path) await leave(before.path, owner, repository, lock, signal);
  return undefined;
}

async function leave(
  path: string,
  owner: string,
  repository: string,
  lock: RepositoryLock,
  signal: AbortSignal,
): Promise<void> {
  const other = await checkoutAt(path, repository);
  const mark = other === undefined ? undefined : await readMark(other.gitDir);
  if (other === undefined || mark?.owner !== owner || mark.state !== "ready") return;
  await lock(repository, signal, () => giveUp(other, owner));
}

async function make(
  request: WorkspaceRequest,
  { repository }: Ground,
  base: Base,
  { lock }: Preparing,
  signal: AbortSignal,
): Promise<[Checkout, Mark]> {
  const { poolId, owner, path, isolation } = request;
  const here = await healed(path, repository, lock, signal);
  if (here !== undefined) await saveStanding(here.checkout, here.mark);
  const saved = request.start === "saved" ? await savedWork(request, repository, signal) : undefined;
  const making = { repository, path, poolId, owner, commit: saved?.head ?? base.baseCommit };
  const made = await makeOrReuse(here, making, isolation, lock, signal);
  if (saved !== undefined) await putIn(made[0], saved, { repository, owner }, signal);
  return made;
}

async function makeOrReuse(
  here: { readonly checkout: Checkout; readonly mark?: Mark } | undefined,
  making: Parameters<typeof makeWorktree>[0],
  isolation: WorkspaceRequest["isolation"],
  lock: RepositoryLock,
  signal: AbortSignal,
): Promise<[Checkout, Mark]> {
  if (here !== undefined) {
    const { checkout, mark } = here;
    const isReusable = isolation === "worktree" && checkout.kind === "worktree" && (await canBeReused(checkout));
    if (isReusable) return [checkout, await reuseWorktree(checkout, mark, making, lock, signal)];
    await takeAway(checkout, mark, lock);
  }
  return isolation === "worktree" ? makeWorktree(making, lock, signal) : makeClone(making, signal);
}

/** The ref is the truth; the record may be older, or newer than a ref that somebody deleted. */
async function savedWork(
  { owner, before }: WorkspaceRequest,
  repository: string,
  signal: AbortSignal,
): Promise<Saved | undefined> {
  const commit = (await refAt(repository, savedRef(owner), signal)) ?? before?.saved?.commit;
  return commit === undefined ? undefined : readSaved(commit, inRepository(repository, signal));
}

/** Copies of ignored files, and the set-up command. */
async function dress(
  request: WorkspaceRequest,
  checkout: Checkout,
  ground: Ground,
  base: Base,
  isFresh: boolean,
  signal: AbortSignal,
): Promise<void> {
  await copyIgnored({ from: ground.root, to: checkout, patterns: request.include, isFresh }, signal);
  if (request.setup !== undefined)
    await setUp({ ...request.setup, checkout, owner: request.owner, commit: base.baseCommit }, signal);
}

/** What HEAD is: a branch, or the commit it is detached at. */
export async function headName(checkout: Checkout): Promise<string> {
  const { code, stdout } = await git(["symbolic-ref", "--quiet", "HEAD"], { ...within(checkout), answers: [1] });
  return code === 0 ? stdout.trim() : gitText(["rev-parse", "HEAD"], within(checkout));
}

function workspaceOf(
  { before, isolation, start }: WorkspaceRequest,
  made: { readonly checkout: Checkout; readonly cwd: string; readonly mark: Mark; readonly base: Base },
): TaskWorkspace {
  const { path, repository } = made.checkout;
  const plain: TaskWorkspace = { isolation, repository, path, cwd: made.cwd, branch: made.mark.branch, ...made.base };
  if (start === "base" || before === undefined) return plain;
  const { saved, checks } = before;
  return { ...plain, ...(saved === undefined ? {} : { saved }), ...(checks === undefined ? {} : { checks }) };
}
