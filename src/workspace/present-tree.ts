/** What stands in a directory of the pool's at this moment, as one git object. */
import { within, type Checkout } from "./checkout.ts";
import { commitOf } from "./saved-commit.ts";
import { look } from "./standing.ts";

/** The tree of everything that git does not ignore there: the one that saving it would have. @throws {PoolError} as `git`. */
export async function presentTree(checkout: Checkout, owner: string, signal?: AbortSignal): Promise<string> {
  const { standing } = await look(checkout, { repository: checkout.repository, owner }, signal);
  return standing.tree;
}

/** The commit that saving it would make, on no ref. @throws {PoolError} as `git`. */
export async function presentCommit(checkout: Checkout, owner: string, signal?: AbortSignal): Promise<string> {
  const { standing, headTree } = await look(checkout, { repository: checkout.repository, owner }, signal);
  return commitOf(standing, headTree, "What stands there", within(checkout, signal));
}
