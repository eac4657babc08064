/** Where the pool's directories are, and that git does not take them for the user's files. */
import { readFileSync } from "node:fs";
import { appendFile, mkdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { realOf, textOf } from "./checkout.ts";
import type { RepositoryLock } from "./repository-lock.ts";

/**
 * The directory that all places of a repository are in; `configured` is taken from the main checkout.
 *
 * Below `.claude` Claude Code lets nobody edit without asking, except in `.claude/worktrees`, where its own are.
 */
export function baseDirectory(repository: string, configured: string | undefined): string {
  return resolve(mainCheckout(repository), configured ?? join(".claude", "worktrees", "claude-pool"));
}

/** Has git leave the base directory out, where it is in the user's checkout; once. */
export async function excludeBase(
  repository: string,
  configured: string | undefined,
  lock: RepositoryLock,
  signal: AbortSignal | undefined,
): Promise<void> {
  const way = relative(await realOf(mainCheckout(repository)), await realOf(baseDirectory(repository, configured)));
  if (way === "" || way === ".." || way.startsWith("../") || isAbsolute(way)) return;
  // A backslash keeps git from reading a name as a pattern.
  const line = `/${way.replace(/[\\*?[\]!# ]/g, "\\$&")}/`;
  const file = join(repository, "info", "exclude");
  const has = async (): Promise<boolean> => ((await textOf(file)) ?? "").split("\n").includes(line);
  if (await has()) return;
  await lock(repository, signal, async () => {
    if (await has()) return;
    await mkdir(dirname(file), { recursive: true });
    const text = (await textOf(file)) ?? "";
    await appendFile(file, `${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`);
  });
}

/** The checkout around a git common directory; a submodule's is named in its settings. */
function mainCheckout(repository: string): string {
  if (basename(repository) === ".git") return dirname(repository);
  let settings: string;
  try {
    settings = readFileSync(join(repository, "config"), "utf8");
  } catch {
    return dirname(repository); // git itself will say what is wrong with it
  }
  const [, worktree] = /^\s*worktree\s*=\s*(.+?)\s*$/m.exec(settings) ?? [];
  return worktree === undefined ? dirname(repository) : resolve(repository, worktree.replace(/^"(.*)"$/, "$1"));
}
