/** Where a directory of the user's checkout is in another checkout of the same repository. */
import { existsSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { PoolError } from "../core/errors.ts";
import { git } from "./git.ts";

/** The root of the checkout that a directory is in; undefined: it is in none, or not there. */
export async function checkoutOf(cwd: string, signal?: AbortSignal): Promise<string | undefined> {
  if (!existsSync(cwd)) return undefined;
  const { code, stdout } = await git(["rev-parse", "--show-toplevel"], { cwd, signal, answers: [128] });
  return code === 0 ? stdout.replace(/\n$/, "") : undefined;
}

/**
 * The directory in `root` that is what `cwd` is in its checkout; a `cwd` inside of `root` is taken as it is.
 *
 * @throws {PoolError} `cwd_not_found` when that directory is not in this tree.
 */
export async function placeIn(root: string, cwd: string, signal?: AbortSignal): Promise<string> {
  const inside = await insideOf(root, cwd, signal);
  const place = join(root, inside);
  if (existsSync(place)) return place;
  throw new PoolError("cwd_not_found", `${inside} is not there in ${root}: this tree has no such directory.`);
}

async function insideOf(root: string, cwd: string, signal?: AbortSignal): Promise<string> {
  if (!existsSync(cwd)) return isInside(root, cwd) ? relative(root, cwd) : "";
  const [own, real] = [realpathSync(root), realpathSync(cwd)];
  if (isInside(own, real)) return relative(own, real);
  const checkout = await checkoutOf(real, signal);
  return checkout === undefined ? "" : relative(realpathSync(checkout), real);
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith("../") && !isAbsolute(way);
}
