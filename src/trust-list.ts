/**
 * The user's list of trusted files of projects: each by its path, with a hash of what was trusted, so that a change asks again.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PoolError } from "./core/errors.ts";
import { makeFolder } from "./make-folder.ts";

/** Path to fingerprint. @throws {PoolError} `invalid_options` for a damaged list. */
export function readTrust(home: string): Readonly<Record<string, string>> {
  let text: string;
  try {
    text = readFileSync(trustPath(home), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    return JSON.parse(text) as Readonly<Record<string, string>>;
  } catch (error) {
    const path = trustPath(home);
    throw new PoolError(
      "invalid_options",
      `${path} is damaged: remove it, and trust the projects anew.`,
      { file: path },
      error,
    );
  }
}

/** Written beside and renamed: a crash leaves the old list or the new one. */
export function writeTrust(entries: Readonly<Record<string, string>>, home: string): void {
  const path = trustPath(home);
  makeFolder(dirname(path));
  const beside = `${path}.${String(process.pid)}`;
  writeFileSync(beside, `${JSON.stringify(entries, null, 2)}\n`, { mode: 0o600 });
  renameSync(beside, path);
}

function trustPath(home: string): string {
  return join(home, "trusted.json");
}
