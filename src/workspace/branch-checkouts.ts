/** Where a branch is checked out. */
import { join, resolve } from "node:path";
import { isDirectory, realOf, registered, textOf } from "./checkout.ts";
import { git, gitList } from "./git.ts";
import type { Root } from "./standing.ts";

/** The root of the repository's main checkout; undefined: it is bare. */
export async function mainCheckout(repository: string, signal?: AbortSignal): Promise<string | undefined> {
  const call = { cwd: repository, signal };
  const { stdout } = await git(["config", "--get", "core.worktree"], { ...call, answers: [1] });
  // Of a submodule the list names its git directory.
  if (stdout !== "") return resolve(repository, stdout.replace(/\n$/, ""));
  const listed = await gitList(["worktree", "list", "--porcelain", "-z"], call);
  const [first = "", second] = listed;
  return second === "bare" ? undefined : first.replace(/^worktree /, "");
}

/** The directories in which it is checked out, the main checkout included; those that are not there at present are left out. */
export async function checkoutsOf(repository: string, branch: string, signal?: AbortSignal): Promise<readonly Root[]> {
  return checkoutsAmong(await mainCheckout(repository, signal), repository, branch);
}

/** As {@link checkoutsOf}, where the main checkout is known. */
export async function checkoutsAmong(
  main: string | undefined,
  repository: string,
  branch: string,
): Promise<readonly Root[]> {
  const all: Root[] = [...(main === undefined ? [] : [{ path: main, gitDir: repository }])];
  for (const linked of await registered(repository)) all.push(linked);
  const found: Root[] = [];
  for (const checkout of all) {
    if (await stands(checkout, branch)) found.push({ ...checkout, path: await realOf(checkout.path) });
  }
  return found;
}

/** Is this the branch that the directory is on? */
export async function stands(checkout: Root, branch: string): Promise<boolean> {
  const head = await textOf(join(checkout.gitDir, "HEAD"));
  return head === `ref: refs/heads/${branch}\n` && (await isDirectory(checkout.path));
}

/** A directory in which the branch is in the middle of a rebase or bisect, which must find it where it left it. */
export async function busyWith(
  main: string | undefined,
  repository: string,
  branch: string,
): Promise<string | undefined> {
  const all = [{ path: main ?? repository, gitDir: repository }, ...(await registered(repository))];
  for (const { path, gitDir } of all) {
    for (const file of ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"]) {
      const name = (await textOf(join(gitDir, file)))?.trim();
      if (name === `refs/heads/${branch}` || (file === "BISECT_START" && name === branch)) return path;
    }
  }
  return undefined;
}
