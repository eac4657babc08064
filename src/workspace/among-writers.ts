/**
 * Git on files that others may be writing, as the steps of a chain do that run side by side in one directory.
 *
 * A file that goes away, shrinks or changes between git's first look at it and the end of its reading ends git: then it is run
 * once more. Only what git says of such a file counts; whatever else cannot be read fails at once.
 */
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { PoolError } from "../core/errors.ts";
import { git, type GitAnswer, type GitCall } from "./git.ts";

/** For writers that never pause. */
const patienceMs = 30_000;

/**
 * @param call on an index of its own (own-index.ts).
 * @throws {PoolError} as `git`.
 */
export async function gitAmongWriters(args: readonly string[], call: GitCall): Promise<GitAnswer> {
  const patience = performance.now() + patienceMs;
  for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
    try {
      return await git(args, call);
    } catch (error) {
      if (!hasChanged(error) || performance.now() + pause > patience) throw error;
    }
    // A git that was ended by a signal leaves it.
    await rm(`${String(call.env?.GIT_INDEX_FILE)}.lock`, { force: true });
    await delay(pause * (0.5 + Math.random()));
  }
}

const gone = String.raw`(?:No such file or directory|Not a directory)$`;
const said = new RegExp(
  String.raw`^fatal: unable to stat '.*': ${gone}|^error: (?:open|readlink)\(".*"\): ${gone}|` +
    "^error: short read while indexing |^fatal: confused by unstable object source data ",
  "m",
);

/** SIGBUS is what reading a file gives that was cut short while git had it mapped into memory. */
function hasChanged(error: unknown): boolean {
  if (!(error instanceof PoolError)) return false;
  const { signal, stderr } = error.details;
  return signal === "SIGBUS" || (typeof stderr === "string" && said.test(stderr));
}
