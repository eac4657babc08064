/** Merges of commits in objects alone: no directory, no index, no ref is touched. */
import { git, gitText, type GitCall } from "./git.ts";

/** A power cut leaves no branch without its objects. */
export const durable = ["-c", "core.fsync=committed,loose-object,reference"];

export type Merged = { readonly tree: string } | { readonly conflicts: readonly string[] };

/** What a merge of two commits would be. @throws {PoolError} as `git`. */
export async function mergeTrees(ours: string, theirs: string, call: GitCall): Promise<Merged> {
  const args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories"];
  const { code, stdout } = await git([...durable, ...args, ours, theirs], { ...call, answers: [1] });
  const [tree = "", ...paths] = stdout.split("\0");
  return code === 0 ? { tree } : { conflicts: [...new Set(paths.filter((path) => path !== ""))].sort() };
}

/** What the change of one commit against its parent would be on top of another tree. */
export async function replay(
  change: { readonly commit: string; readonly parent: string | undefined },
  tree: string,
  call: GitCall,
): Promise<Merged> {
  const { commit, parent } = change;
  // This git takes its merge base from history alone: so that is made to say it.
  const based = parent === undefined ? [] : ["-p", parent];
  const stand = await commitTree(tree, based, standIn, "onto", call);
  return mergeTrees(stand, commit, call);
}

/** Who wrote a commit, and what of it. */
export interface Authored {
  readonly author: Readonly<Record<"GIT_AUTHOR_NAME" | "GIT_AUTHOR_EMAIL" | "GIT_AUTHOR_DATE", string>>;
  readonly message: string;
}

/** @throws {PoolError} as `git`. */
export async function authored(commit: string, call: GitCall): Promise<Authored> {
  const format = "--format=%an%x00%ae%x00%ad%x00%B";
  const settings = ["--no-show-signature", "--no-patch", "--date=raw", "--encoding=UTF-8", format];
  const shown = await gitText(["show", ...settings, commit, "--"], call);
  const [name = "", email = "", date = "", ...message] = shown.split("\0");
  return {
    // Git writes no commit without a name, though it reads one.
    author: { GIT_AUTHOR_NAME: name === "" ? "unknown" : name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: `@${date}` },
    message: message.join("\0"),
  };
}

/** Writes a commit; `before` goes in front of the command (the identity). */
export async function commitTree(
  tree: string,
  parents: readonly string[],
  who: { readonly before: readonly string[]; readonly author?: Authored["author"] },
  message: string,
  call: GitCall,
): Promise<string> {
  const env = { ...call.env, ...who.author };
  return gitText([...durable, ...who.before, "commit-tree", tree, ...parents, "-F", "-"], {
    ...call,
    env,
    input: message,
  });
}

/** Nobody ever sees it. */
const standIn = { before: ["-c", "user.name=claude-pool", "-c", "user.email=claude-pool@localhost"] };
