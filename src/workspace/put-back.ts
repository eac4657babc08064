/** Undoes in a directory what differs from a tree, without touching its index or its branch. */
import { rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { within } from "./checkout.ts";
import { isMissing } from "./file-errors.ts";
import { git, gitList } from "./git.ts";
import { withOwnIndex } from "./own-index.ts";
import type { Root } from "./standing.ts";

/** What differs between two trees: paths of the first, and paths that only the second has. */
export interface Differing {
  readonly changed: readonly string[];
  readonly added: readonly string[];
}

/** Compares two trees file by file. */
export async function differing(at: Root, tree: string, other: string, signal?: AbortSignal): Promise<Differing> {
  const args = ["diff-tree", "-r", "-z", "--no-renames", "--name-status", tree, other];
  const records = await gitList(args, within(at, signal));
  const changed: string[] = [];
  const added: string[] = [];
  for (let at = 0; at + 1 < records.length; at += 2) {
    (records[at] === "A" ? added : changed).push(records[at + 1] ?? "");
  }
  return { changed, added };
}

/** Brings the files that differ back to what they are in the tree. */
export async function putBack(at: Root, tree: string, { changed, added }: Differing): Promise<void> {
  for (const path of added) await removeFile(at.path, path);
  if (changed.length === 0) return;
  await withOwnIndex(at, undefined, async (call) => {
    await git(["read-tree", tree], call);
    const input = changed.map((path) => `${path}\0`).join("");
    await git(["checkout-index", "--force", "-z", "--stdin"], { ...call, input });
  });
}

/** Removes a file, and the directories that it leaves empty. */
export async function removeFile(root: string, path: string): Promise<void> {
  await rm(join(root, path), { force: true, recursive: true });
  for (let above = dirname(path); above !== "."; above = dirname(above)) {
    try {
      await rmdir(join(root, above));
    } catch (error) {
      if (isMissing(error)) continue;
      return; // it is not empty, so neither are those above
    }
  }
}
