/**
 * The commit that a branch would move to: saved work on top of what the branch is, computed in objects alone.
 *
 * F1. What comes in is what the branch does not have (`branch..work`), as git merges it.
 * F2. A worker's commits keep their authors, dates and messages; the committer is the user. What was not committed becomes one
 *     more commit, named after the task.
 * F3. `rebase` replays commits one by one, and leaves out those that change nothing any more; where merges are among them, or
 *     a merge was under way, all becomes one commit.
 */
import type { MergeMethod } from "../core/merge.ts";
import { git, gitText, identity, type GitCall } from "./git.ts";
import { authored, commitTree, mergeTrees, replay, type Authored } from "./merge-trees.ts";
import { readSaved, type Saved } from "./saved-commit.ts";

export interface Landing {
  readonly title: string;
  readonly taskId: string;
  readonly saved: string;
  readonly method: MergeMethod;
}

/** `commit` is the branch's own when it has everything already. */
export type Landed = { readonly commit: string } | { readonly conflicts: readonly string[] };

/** @throws {PoolError} as `git`. */
export async function landingCommit(landing: Landing, onto: string, call: GitCall): Promise<Landed> {
  const saved = await readSaved(landing.saved, call);
  const marked = await unresolved(saved, call);
  if (marked.length > 0) return { conflicts: marked };
  const work = { ...landing, saved, who: await identity(call) };
  switch (landing.method) {
    case "squash":
      return squashed(work, onto, call);
    case "merge":
      return merged(work, onto, call);
    case "rebase":
      return rebased(work, onto, call);
  }
}

interface Work {
  readonly title: string;
  readonly taskId: string;
  readonly saved: Saved;
  readonly who: readonly string[];
}

async function squashed(work: Work, onto: string, call: GitCall): Promise<Landed> {
  const result = await mergeTrees(onto, work.saved.commit, call);
  if ("conflicts" in result) return result;
  if (result.tree === (await treeOf(onto, call))) return { commit: onto };
  const author = await firstAuthor(work.saved, onto, call);
  return { commit: await commitTree(result.tree, ["-p", onto], whoOf(work, author), messageOf(work), call) };
}

async function merged(work: Work, onto: string, call: GitCall): Promise<Landed> {
  const result = await mergeTrees(onto, work.saved.commit, call);
  if ("conflicts" in result) return result;
  if (result.tree === (await treeOf(onto, call))) return { commit: onto };
  const tip = await tipOf(work, call);
  const message = `Merge: ${messageOf(work)}`;
  return { commit: await commitTree(result.tree, ["-p", onto, "-p", tip], whoOf(work), message, call) };
}

/** The worker's commits, with one on top for what was not committed. */
async function tipOf(work: Work, call: GitCall): Promise<string> {
  const { saved } = work;
  const { commit, head, merges, tree } = saved;
  if (commit === head) return head;
  const base = head ?? "";
  if (head !== undefined && merges.length === 0 && tree === (await treeOf(head, call))) return head;
  const parents = [base, ...merges].filter((parent) => parent !== "").flatMap((parent) => ["-p", parent]);
  return commitTree(tree, parents, whoOf(work), messageOf(work), call);
}

async function rebased(work: Work, onto: string, call: GitCall): Promise<Landed> {
  const { head, merges } = work.saved;
  if (head === undefined || merges.length > 0 || (await hasMerges(head, onto, call))) return squashed(work, onto, call);
  let on = onto;
  for (const change of await changes(head, onto, call)) {
    if (change.parent === on) {
      on = change.commit; // it stands there already
      continue;
    }
    const next = await replayed(change, on, work, await authored(change.commit, call), call);
    if ("conflicts" in next) return next;
    on = next.commit;
  }
  const tip = await tipOf(work, call);
  if (tip === head || on === head) return { commit: tip === head ? on : tip };
  return replayed({ commit: tip, parent: head }, on, work, { message: messageOf(work) }, call);
}

interface Change {
  readonly commit: string;
  readonly parent: string | undefined;
}

async function replayed(
  change: Change,
  on: string,
  work: Work,
  as: Pick<Authored, "message"> & Partial<Authored>,
  call: GitCall,
): Promise<Landed> {
  const tree = await treeOf(on, call);
  const result = await replay(change, tree, call);
  if ("conflicts" in result) return result;
  if (result.tree === tree) return { commit: on };
  return { commit: await commitTree(result.tree, ["-p", on], whoOf(work, as.author), as.message, call) };
}

/** F1: oldest first. */
async function changes(head: string, onto: string, call: GitCall): Promise<readonly Change[]> {
  if (head === onto) return []; // the worker committed nothing, and the branch stands where he began
  const listed = await gitText(["rev-list", "--reverse", "--topo-order", "--parents", `${onto}..${head}`, "--"], call);
  return listed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [commit = "", parent] = line.split(" ");
      return { commit, parent };
    });
}

async function hasMerges(head: string, onto: string, call: GitCall): Promise<boolean> {
  if (head === onto) return false;
  const args = ["rev-list", "--min-parents=2", "--max-count=1", `${onto}..${head}`, "--"];
  return (await gitText(args, call)) !== "";
}

async function firstAuthor(saved: Saved, onto: string, call: GitCall): Promise<Authored["author"] | undefined> {
  const { head } = saved;
  if (head === undefined) return undefined;
  const [first] = await changes(head, onto, call);
  return first === undefined ? undefined : (await authored(first.commit, call)).author;
}

/** Files of a merge left half-way that still hold conflict markers. */
async function unresolved(saved: Saved, call: GitCall): Promise<readonly string[]> {
  if (saved.conflicts === undefined) return [];
  const { stdout: versions } = await git(["ls-tree", "-r", "-z", "--name-only", saved.conflicts], call);
  // 1/path, 2/path, 3/path
  const paths = [
    ...new Set(
      versions
        .split("\0")
        .filter((path) => path !== "")
        .map((path) => path.slice(2)),
    ),
  ];
  const marker = "^(<<<<<<<|>>>>>>>)( |$)";
  const args = ["grep", "-z", "--files-with-matches", "-E", marker, saved.tree, "--", ...paths];
  const { stdout } = await git(args, { ...call, answers: [1] });
  return stdout
    .split("\0")
    .filter((found) => found !== "")
    .map((found) => found.slice(saved.tree.length + 1))
    .sort();
}

async function treeOf(commit: string, call: GitCall): Promise<string> {
  return gitText(["rev-parse", "--verify", `${commit}^{tree}`], call);
}

function whoOf(
  work: Work,
  author?: Authored["author"],
): { readonly before: readonly string[]; readonly author?: Authored["author"] } {
  return { before: work.who, ...(author === undefined ? {} : { author }) };
}

function messageOf({ title, taskId }: Work): string {
  const line = (title.trim().split(/[\r\n]/, 1)[0] ?? "").trim();
  return `${line === "" ? `Task ${taskId}` : line}\n\nClaude-Pool-Task: ${taskId}\n`;
}
