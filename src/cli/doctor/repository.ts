/** What `doctor` looks at in git: its version, locks that stand, and directories of the pool that are left over. */
import { existsSync } from "node:fs";
import { PoolError } from "../../core/errors.ts";
import { gitVersion, oldestGit, repositoryLocks, staleWorktrees } from "../../ground.ts";
import { openPool } from "../../open-pool.ts";
import { elapsed } from "../quantities.ts";
import type { Finding, Patient } from "./checks.ts";

/** Younger ones are of a git that is at work. */
const oldLockMs = 60_000;

export async function checkGit(): Promise<Finding> {
  const check = "git";
  const remedy = `Install git ${oldestGit} or newer: without it no task can be isolated, and nothing is merged.`;
  try {
    const { version, isEnough } = await gitVersion();
    return isEnough ? { check, state: "ok", found: version } : { check, state: "warning", found: version, remedy };
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    return { check, state: "warning", found: "not found", remedy };
  }
}

export async function checkLocks({ directory }: Patient): Promise<Finding> {
  const check = "locks";
  try {
    const old = (await repositoryLocks(directory)).filter(({ ageMs }) => ageMs > oldLockMs);
    if (old.length === 0) return { check, state: "ok", found: "none left over" };
    const found = old.map(({ path, ageMs }) => `${path} (for ${elapsed(ageMs)})`).join(", ");
    return { check, state: "warning", found, remedy: "If no git and no host works there, remove them." };
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    return { check, state: "ok", found: "not looked for: git cannot use this repository" };
  }
}

export async function checkWorktrees({ directory, store }: Patient): Promise<Finding> {
  const check = "worktrees";
  const [left, held] = await ofThePool(directory, store);
  const stale = staleWorktrees(directory).filter((path) => !left.includes(path));
  if (left.length > 0) {
    const remedy =
      "`claude-pool worktree list` says what they are; `claude-pool worktree prune` saves and removes them.";
    return { check, state: "warning", found: `left over: ${left.join(", ")}`, remedy };
  }
  if (stale.length > 0) {
    const found = `registered, but gone: ${stale.join(", ")}`;
    return { check, state: "warning", found, remedy: "git worktree prune" };
  }
  return { check, state: "ok", found: held === 0 ? "none left over" : `${String(held)} of the pool, none left over` };
}

/** The paths of those left over, and how many there are in all. */
async function ofThePool(directory: string, store: string): Promise<readonly [readonly string[], number]> {
  if (store === ":memory:" || !existsSync(store)) return [[], 0];
  try {
    await using pool = await openPool({ slots: 0, store, cwd: directory });
    const all = await pool.worktrees.list();
    const left = all.filter(({ explanation, isMissing }) => explanation === "leftover" || isMissing === true);
    return [left.map(({ path }) => path), all.length];
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    return [[], 0]; // the lines about the store and about git say so
  }
}
