/** What is in the base directory of a pool, and whose. */
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { FoundPlace } from "../core/workspaces-port.ts";
import { savedRef } from "../core/workspace.ts";
import { checkoutAt, isThere, namesIn, realOf, registered, type Checkout } from "./checkout.ts";
import { isMissing } from "./file-errors.ts";
import { saveFiles, saveLeftover } from "./leftover.ts";
import { draftSuffix } from "./making.ts";
import { readMark, type Mark } from "./mark.ts";
import { inRepository, isAncestor, refAt } from "./refs.ts";
import { readSaved, isSame } from "./saved-commit.ts";
import { look, type Look } from "./standing.ts";
import { holdsWork, saveOwned } from "./work.ts";

/** The port's `find`. */
export async function find(repository: string, folder: string): Promise<readonly FoundPlace[]> {
  const real = await realOf(folder);
  const names = (await namesIn(real)).toSorted();
  const found: FoundPlace[] = [];
  for (const name of names) {
    const one = await describe(join(real, name), repository).catch(unlessGone);
    if (one !== undefined) found.push(one);
  }
  for (const { path, gitDir } of await registered(repository)) {
    if (dirname(path) !== real || names.includes(basename(path))) continue;
    const mark = await readMark(gitDir);
    found.push({ path, kind: "worktree", ...ownerOf(mark), isSaved: mark?.state !== "ready", isMissing: true });
  }
  return found;
}

/** Somebody removed it, or moved it on, while it was looked at. */
function unlessGone(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

async function describe(path: string, repository: string): Promise<FoundPlace> {
  if (path.endsWith(draftSuffix)) return { path, kind: "clone", isSaved: true };
  const checkout = await checkoutAt(path, repository);
  const mark = checkout === undefined ? undefined : await readMark(checkout.gitDir);
  if (checkout === undefined || (mark === undefined && checkout.kind === "clone")) {
    return { path, kind: "unknown", isSaved: false };
  }
  return { path: checkout.path, kind: checkout.kind, ...ownerOf(mark), ...(await state(checkout, mark)) };
}

function ownerOf(mark: Mark | undefined): Pick<FoundPlace, "owner" | "branch"> {
  return mark === undefined ? {} : { owner: mark.owner, branch: mark.branch };
}

async function state(checkout: Checkout, mark: Mark | undefined): Promise<Pick<FoundPlace, "head" | "isSaved">> {
  const { repository } = checkout;
  if (mark !== undefined && mark.state !== "ready") return { isSaved: true };
  try {
    const seen = await look(checkout, { repository, owner: mark?.owner ?? `leftover-${basename(checkout.path)}` });
    const { head } = seen.standing;
    return { ...(head === undefined ? {} : { head }), isSaved: await isSaved(checkout, mark, seen) };
  } catch {
    return { isSaved: false }; // it cannot be read: `rescue` says why
  }
}

async function isSaved(checkout: Checkout, mark: Mark | undefined, seen: Look): Promise<boolean> {
  const { repository, kind } = checkout;
  const saved = mark === undefined ? undefined : await refAt(repository, savedRef(mark.owner));
  if (mark === undefined || saved === undefined) return !(await holdsWork(checkout, seen, mark?.branch));
  if (!isSame(await readSaved(saved, inRepository(repository)), seen.standing)) return false;
  const tip = kind === "clone" ? undefined : await refAt(repository, `refs/heads/${mark.branch}`);
  return tip === undefined || isAncestor(repository, tip, saved);
}

/** The port's `rescue`. @throws {PoolError} `workspace_save_failed`. */
export async function rescue(found: FoundPlace, repository: string): Promise<string | undefined> {
  if (found.path.endsWith(draftSuffix) || !(await isThere(found.path))) return undefined;
  const checkout = await checkoutAt(found.path, repository);
  if (checkout === undefined) return saveFiles(await realpath(found.path), repository);
  const mark = await readMark(checkout.gitDir);
  if (mark === undefined) return saveLeftover(checkout);
  return saveOwned(checkout, mark);
}
