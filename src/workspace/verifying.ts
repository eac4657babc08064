/** Where a process really stands, against where it was to stand. */
import { PoolError } from "../core/errors.ts";
import type { TaskWorkspace } from "../core/workspace.ts";
import { checkoutAt, realOf } from "./checkout.ts";
import { git } from "./git.ts";
import { readMark } from "./mark.ts";
import { headName } from "./prepare.ts";

/** The port's `verify`. @throws {PoolError} `workspace_mismatch`. */
export async function verify(workspace: TaskWorkspace, reportedCwd: string): Promise<void> {
  const [meant, reported] = await Promise.all([realOf(workspace.cwd), realOf(reportedCwd)]);
  if (meant !== reported) throw mismatch(`works in ${reported}, and was to work in ${meant}`);
  const checkout = await checkoutAt(workspace.path, workspace.repository);
  const mark = checkout === undefined ? undefined : await readMark(checkout.gitDir);
  if (checkout === undefined || mark?.state !== "ready")
    throw mismatch(`has no checkout at ${workspace.path} any more`);
  // Asked of the directory itself, as the worker's own git will.
  const { code, stdout } = await git(["rev-parse", "--absolute-git-dir"], { cwd: reported, answers: [128] });
  const gitDir = code === 0 ? await realOf(stdout.replace(/\n$/, "")) : "none";
  if (gitDir !== (await realOf(checkout.gitDir))) {
    throw mismatch(`works on the git directory ${gitDir}, and was to work on ${checkout.gitDir}`);
  }
  const head = await headName(checkout);
  if (head !== mark.head) throw mismatch(`stands on ${head}, and was to stand on ${mark.head ?? mark.branch}`);
}

function mismatch(what: string): PoolError {
  return new PoolError("workspace_mismatch", `The process ${what}; it was stopped before it did anything.`);
}
