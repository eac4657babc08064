/** What a check or set-up command finds in its environment. */
import { basename } from "node:path";
import type { Checkout } from "./checkout.ts";
import { mainCheckout } from "./branch-checkouts.ts";

/** Where it runs and for whom; the number is the place's own, so that ports can be told apart. */
export async function commandFacts(
  { path, repository }: Pick<Checkout, "path" | "repository">,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const checkout = await mainCheckout(repository, signal);
  const [number = "0"] = /\d+$/.exec(basename(path)) ?? [];
  return {
    ...withoutGit(process.env),
    CLAUDE_POOL_WORKTREE: path,
    CLAUDE_POOL_CHECKOUT: checkout ?? repository,
    CLAUDE_POOL_PLACE: number,
  };
}

/** A hook that started this process leaves variables that would send the command's git to another repository. */
function withoutGit(env: NodeJS.ProcessEnv): Record<string, string> {
  const misleading = /^GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|PREFIX|NAMESPACE|ALTERNATE_.*)$/;
  const entries = Object.entries(env).filter(([name, value]) => value !== undefined && !misleading.test(name));
  return Object.fromEntries(entries) as Record<string, string>;
}
