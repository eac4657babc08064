/** What stands somewhere and belongs to nobody that is known, saved under a name of its own. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { savedRef } from "../core/workspace.ts";
import type { Checkout } from "./checkout.ts";
import { git, gitText, identity } from "./git.ts";
import { inRepository, savedRefs } from "./refs.ts";
import { isSame, readSaved } from "./saved-commit.ts";
import { orSaveFailed, saveCheckout } from "./saving.ts";
import { look } from "./standing.ts";
import { holdsWork } from "./work.ts";

/** Saves a checkout without an owner; resolves to the ref, if there was anything to save. */
export async function saveLeftover(checkout: Checkout): Promise<string | undefined> {
  const owner = nameFor(checkout.path);
  const { repository, path } = checkout;
  return orSaveFailed(owner, path, async () => {
    const seen = await look(checkout, { repository, owner });
    if (!(await holdsWork(checkout, seen, undefined))) return undefined;
    const known = await knownLeftover(repository, path, async (commit) =>
      isSame(await readSaved(commit, inRepository(repository)), seen.standing),
    );
    if (known !== undefined) return known;
    await saveCheckout(checkout, { owner, title: `Found in ${basename(path)}`, attempt: 1 });
    return savedRef(owner);
  });
}

/** Saves the files of a directory that is no checkout. @throws {PoolError} `workspace_save_failed`. */
export async function saveFiles(path: string, repository: string): Promise<string | undefined> {
  const index = join(repository, `claude-pool-index-${randomUUID()}`);
  const owner = nameFor(path);
  const call = inRepository(repository);
  const own = { ...call, cwd: path, env: { ...call.env, GIT_WORK_TREE: path, GIT_INDEX_FILE: index } };
  try {
    return await orSaveFailed(owner, path, async () => {
      await git(
        ["-c", "core.safecrlf=false", "-c", "core.fsync=committed,loose-object", "add", "--all", "--force"],
        own,
      );
      const tree = await gitText(["write-tree"], own);
      if ((await gitText(["ls-tree", tree], call)) === "") return undefined;
      const known = await knownLeftover(repository, path, async (commit) => {
        return (await gitText(["rev-parse", `${commit}^{tree}`], call)) === tree;
      });
      if (known !== undefined) return known;
      const args = ["commit-tree", tree, "-m", `Found in ${basename(path)}`];
      const commit = await gitText([...(await identity(call)), ...args], call);
      const ref = savedRef(owner);
      await git(["-c", "core.fsync=committed", "update-ref", ref, commit], call);
      return ref;
    });
  } finally {
    for (const file of [index, `${index}.lock`]) await rm(file, { force: true });
  }
}

/** A leftover of the same directory that holds just this. */
async function knownLeftover(
  repository: string,
  path: string,
  isIt: (commit: string) => Promise<boolean>,
): Promise<string | undefined> {
  const begin = savedRef(`leftover-${plain(path)}-`);
  for (const { ref, commit } of await savedRefs(repository)) {
    if (ref.startsWith(begin) && (await isIt(commit))) return ref;
  }
  return undefined;
}

function nameFor(path: string): string {
  const stamp = new Date().toISOString().replace(/[-:.]/g, "").slice(0, 18);
  return `leftover-${plain(path)}-${stamp}`;
}

function plain(path: string): string {
  return basename(path)
    .replace(/\.found-.*$/, "")
    .replace(/[^\w-]+/g, "-");
}
