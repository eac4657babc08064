/** What a task changed, against where its work left the branch that it is for. */
import type { DiffFile, DiffRequest, WorkDiff } from "../core/workspaces-port.ts";
import type { TaskWorkspace } from "../core/workspace.ts";
import { PoolError } from "../core/errors.ts";
import { presentOf, type Present } from "./conflicts.ts";
import { git, gitBytes, gitList } from "./git.ts";
import { inRepository } from "./refs.ts";

/** A patch larger than this is left out, in bytes. */
const maxPatchBytes = 16_000_000;

/** The port's `diff`. @throws {PoolError} as `git`. */
export async function diffOf({ workspace, of }: DiffRequest, signal?: AbortSignal): Promise<WorkDiff> {
  const at = of === "directory" ? await presentOf(workspace, signal) : savedOf(workspace, signal);
  const base = await mergeBase(workspace, at);
  const entries = await entriesOf(base, at);
  const { patch, note } = await patchOf(base, at);
  return {
    base,
    commit: at.commit,
    files: entries.length,
    insertions: sum(entries, "insertions"),
    deletions: sum(entries, "deletions"),
    entries,
    patch,
    ...(note === undefined ? {} : { note }),
  };
}

function savedOf({ repository, saved, baseCommit }: TaskWorkspace, signal: AbortSignal | undefined): Present {
  return { commit: saved?.commit ?? baseCommit, call: inRepository(repository, signal) };
}

/**
 * Where the work left its branch, so that what others did there is none of it. Once the branch has the work itself, where the
 * work began.
 */
async function mergeBase({ target, baseCommit }: TaskWorkspace, { commit, call }: Present): Promise<string> {
  if (target === undefined) return leftAt(baseCommit, commit, call);
  const base = await leftAt(`refs/heads/${target}`, commit, call);
  return base === commit ? leftAt(baseCommit, commit, call) : base;
}

/** Without a common ancestor, or without that branch, all there is is a diff between the two. */
async function leftAt(from: string, commit: string, call: Present["call"]): Promise<string> {
  const { stdout } = await git(["merge-base", from, commit], { ...call, answers: [1, 128] });
  const [base = ""] = stdout.split("\n");
  if (base !== "") return base;
  const { stdout: head } = await git(["rev-parse", "--verify", "--quiet", `${from}^{commit}`], {
    ...call,
    answers: [1],
  });
  return head === "" ? commit : head.trim();
}

/** Renames are told as such; nothing of the user's settings has a say. */
const settings = ["-r", "-M", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none"];

async function entriesOf(base: string, { commit, call }: Present): Promise<readonly DiffFile[]> {
  const raw = await gitList(["diff-tree", ...settings, "-z", "--raw", "--no-abbrev", base, commit], call);
  const { stdout: counted } = await git(["diff-tree", ...settings, "-z", "--numstat", base, commit], call);
  const counts = countsOf(counted);
  const entries: DiffFile[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const letter = (raw[at] ?? "").split(" ").at(-1)?.charAt(0) ?? "";
    const isMove = letter === "R" || letter === "C";
    const from = isMove ? raw[at + 1] : undefined;
    if (isMove) at += 1;
    const path = raw[at + 1] ?? "";
    entries.push({
      path,
      ...(from === undefined ? {} : { from }),
      status: statuses[letter] ?? "modified",
      ...counts.get(path),
    });
  }
  return entries;
}

const statuses: Readonly<Record<string, DiffFile["status"]>> = {
  A: "added",
  M: "modified",
  D: "deleted",
  R: "renamed",
  C: "copied",
  T: "type_changed",
};

type Counts = Pick<DiffFile, "insertions" | "deletions">;

/** By path; of a binary file nothing is counted. */
function countsOf(text: string): ReadonlyMap<string, Counts> {
  const found = new Map<string, Counts>();
  const records = text.split("\0");
  for (let at = 0; at < records.length; at += 1) {
    const [, insertions, deletions, named] = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(records[at] ?? "") ?? [];
    if (insertions === undefined || deletions === undefined) continue;
    // A rename has no path there; the old and the new one follow.
    const path = named === "" ? records[(at += 2)] : named;
    const isBinary = insertions === "-";
    if (path !== undefined && !isBinary) {
      found.set(path, { insertions: Number(insertions), deletions: Number(deletions) });
    }
  }
  return found;
}

async function patchOf(
  base: string,
  { commit, call }: Present,
): Promise<{ readonly patch: string; readonly note?: string }> {
  const args = ["diff-tree", ...settings, "-p", "--binary", "--full-index", base, commit];
  const shown = `\`git diff --binary ${base} ${commit}\``;
  try {
    const { stdout } = await gitBytes(args, { ...call, maxBytes: maxPatchBytes });
    const patch = new TextDecoder("utf-8", { ignoreBOM: true }).decode(stdout);
    if (Buffer.byteLength(patch) === stdout.length && Buffer.from(patch).equals(stdout)) return { patch };
    return {
      patch,
      note: `Some files are not in UTF-8: their bytes are not whole in this patch; ${shown} has them.`,
    };
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    return {
      patch: "",
      note: `The patch is larger than ${String(maxPatchBytes / 1_000_000)} MB and left out; ${shown} shows it.`,
    };
  }
}

function isTooLarge(error: unknown): boolean {
  return (
    error instanceof PoolError && (error.cause as { readonly isMaxBuffer?: boolean } | undefined)?.isMaxBuffer === true
  );
}

function sum(entries: readonly DiffFile[], what: "insertions" | "deletions"): number {
  return entries.reduce((total, entry) => total + (entry[what] ?? 0), 0);
}
