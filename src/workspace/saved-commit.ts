/**
 * The form of a saved commit that holds more than HEAD (ADR 0012).
 *
 * Its tree is everything that stood in the directory. Its parents are HEAD, then what was being merged, then, only where the
 * index would be lost else, a commit of the index; and that one's further parent, only in the middle of a conflict, has the
 * conflicting versions as `1/path` (base), `2/path` (ours), `3/path` (theirs). Lines at the end of the message name them, so
 * that it can be told from a commit of the worker's.
 */
import { PoolError } from "../core/errors.ts";
import { git, gitText, identity, type GitCall } from "./git.ts";

/** A nested repository or initialised submodule, saved in a commit of its own in the same repository. */
export interface SavedModule {
  readonly path: string;
  readonly commit: string;
}

/** What stands in a directory, in objects. */
export interface Standing {
  /** Absent on a branch without a commit. */
  readonly head?: string;
  readonly merges: readonly string[];
  /** Everything that git does not ignore. */
  readonly tree: string;
  readonly indexTree: string;
  /** A commit whose tree has the conflicting versions. */
  readonly conflicts?: string;
  /** Those that hold something that is nowhere else. */
  readonly modules: readonly SavedModule[];
}

/** A saved commit, taken apart. */
export interface Saved extends Standing {
  readonly commit: string;
}

/** For commits that are found again by what they hold: the same state makes the same commit. */
export const undated = { GIT_AUTHOR_DATE: "2000-01-01T00:00:00Z", GIT_COMMITTER_DATE: "2000-01-01T00:00:00Z" };

/** Fsync what is written: a saved commit outlives a power cut. */
const durable = ["-c", "core.fsync=committed,loose-object", "-c", "core.fsyncMethod=batch"];

/** The commit that keeps what stands there; HEAD itself when that is all. */
export async function commitOf(
  standing: Standing,
  headTree: string | undefined,
  title: string,
  call: GitCall,
): Promise<string> {
  const { head, merges, tree, indexTree, conflicts, modules } = standing;
  const isPlain = merges.length === 0 && conflicts === undefined && modules.length === 0;
  if (head !== undefined && isPlain && tree === headTree && indexTree === headTree) return head;
  const who = await identity(call);
  const isKept = conflicts === undefined && (indexTree === headTree || indexTree === tree);
  const index = isKept ? undefined : await commit([...who, ...durable], indexTree, [head, conflicts], "index", call);
  const lines = [
    `Claude-Pool-Head: ${head ?? "none"}`,
    ...merges.map((merge) => `Claude-Pool-Merge: ${merge}`),
    `Claude-Pool-Index: ${indexTree}`,
    ...(index === undefined ? [] : [`Claude-Pool-Index-Commit: ${index}`]),
    ...(conflicts === undefined ? [] : [`Claude-Pool-Conflicts: ${conflicts}`]),
    ...modules.map((module) => `Claude-Pool-Module: ${module.commit} ${JSON.stringify(module.path)}`),
  ];
  const message = `${subjectOf(title)}\n\nWhat stood in the directory and was not committed.\n\n${lines.join("\n")}\n`;
  return commit([...who, ...durable], tree, [head, ...merges, index], message, call);
}

/** Takes a saved commit apart; one that is not of our form is a commit of the worker's, and all of it is committed. */
export async function readSaved(commit: string, call: GitCall): Promise<Saved> {
  const format = "--format=%T%n%P%n%B";
  const { code, stdout } = await git(["show", "-s", "--no-show-signature", format, commit, "--"], {
    ...call,
    answers: [128],
  });
  if (code !== 0) {
    throw new PoolError("workspace_failed", `The saved work ${commit} is not in the repository: was its ref deleted?`);
  }
  const [tree = "", parents = "", ...body] = stdout.split("\n");
  return (
    parse(commit, tree, parents.split(" "), body) ?? {
      commit,
      head: commit,
      merges: [],
      tree,
      indexTree: tree,
      modules: [],
    }
  );
}

/** Is what stands there just what the saved commit has? */
export function isSame(saved: Saved, standing: Standing): boolean {
  const facts = ({ head, merges, tree, indexTree, conflicts, modules }: Standing): string => {
    const nested = modules.map(({ path, commit }) => `${path}\0${commit}`).toSorted();
    return JSON.stringify([head, merges, tree, indexTree, conflicts, nested]);
  };
  return facts(saved) === facts(standing);
}

function parse(commit: string, tree: string, parents: readonly string[], body: readonly string[]): Saved | undefined {
  const all = (name: string): readonly string[] =>
    body.flatMap((line) => (line.startsWith(`Claude-Pool-${name}: `) ? [line.slice(name.length + 14)] : []));
  const [head] = all("Head");
  const [indexTree] = all("Index");
  const [index] = all("Index-Commit");
  const [conflicts] = all("Conflicts");
  const merges = all("Merge");
  if (head === undefined || indexTree === undefined) return undefined;
  // A message says anything; parents do not lie.
  const named = [...(head === "none" ? [] : [head]), ...merges, ...(index === undefined ? [] : [index])];
  if (named.join(" ") !== parents.join(" ")) return undefined;
  const modules = all("Module").flatMap((line) => moduleIn(line) ?? []);
  return {
    commit,
    ...(head === "none" ? {} : { head }),
    merges,
    tree,
    indexTree,
    ...(conflicts === undefined ? {} : { conflicts }),
    modules,
  };
}

function moduleIn(line: string): SavedModule | undefined {
  const [, commit, quoted] = /^([0-9a-f]+) (".*")$/.exec(line) ?? [];
  if (commit === undefined || quoted === undefined) return undefined;
  try {
    return { commit, path: String(JSON.parse(quoted)) };
  } catch {
    return undefined; // a message of somebody else's
  }
}

async function commit(
  before: readonly string[],
  tree: string,
  parents: readonly (string | undefined)[],
  message: string,
  call: GitCall,
): Promise<string> {
  const given = parents.flatMap((parent) => (parent === undefined ? [] : ["-p", parent]));
  return gitText([...before, "commit-tree", tree, ...given, "-F", "-"], { ...call, input: message });
}

/** One line, whatever the prompt was. */
function subjectOf(title: string): string {
  const line = (title.trim().split(/[\r\n]/, 1)[0] ?? "").replace(/\p{Cc}+/gu, " ").trim();
  return line === "" ? "Work" : line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}
