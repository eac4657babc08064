/**
 * The user's list of trusted files of projects: each by its path, with a hash of what was trusted, so that a change asks again.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PoolError } from "./core/errors.ts";
import { makeFolder } from "./make-folder.ts";
import { writeWhole } from "./write-whole.ts";

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

/** A crash leaves the old list or the new one. */
export function writeTrust(entries: Readonly<Record<string, string>>, home: string): void {
  const path = trustPath(home);
  makeFolder(dirname(path));
  writeWhole(path, `${JSON.stringify(entries, null, 2)}\n`, 0o600);
}

function trustPath(home: string): string {
  return join(home, "trusted.json");
}
