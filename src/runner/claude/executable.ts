/** Which Claude program a slot runs. */
import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { promisify } from "node:util";
import { PoolError } from "../../core/errors.ts";

/**
 * The path of the program: the option, else CLAUDE_POOL_CLAUDE, else the one that comes with the Agent SDK.
 *
 * @throws {PoolError} `claude_not_found`.
 */
export function findExecutable(option: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const asked = [option, env.CLAUDE_POOL_CLAUDE].find((name) => name !== undefined && name !== "");
  if (asked === undefined) return sdkExecutable();
  const path = lookUp(asked, env.PATH ?? "");
  if (path !== undefined) return path;
  const from = option === asked ? "the option `claude`" : "CLAUDE_POOL_CLAUDE";
  throw new PoolError(
    "claude_not_found",
    `No executable Claude CLI at ${JSON.stringify(asked)} (from ${from}). Name the program's path, or leave it out to use the Agent SDK's own.`,
    { executable: asked },
  );
}

/** The first word of `--version`, like 2.1.197; undefined: it did not tell. */
export async function versionOf(executable: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(executable, ["--version"], { env, timeout: 10_000 });
    return /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0];
  } catch {
    return undefined; // a program that cannot say its version may still run; its first message tells
  }
}

/** Is it the program that came with the Agent SDK, and so of its version? */
export function isSdkExecutable(executable: string): boolean {
  return /[\\/]@anthropic-ai[\\/]claude-agent-sdk-/.test(executable);
}

/** Compares versions by their numbers; an unknown one is not enough. */
export function isAtLeast(version: string | undefined, wanted: string): boolean {
  if (version === undefined) return false;
  const [have, want] = [version, wanted].map((text) => text.split(/[.-]/).map((part) => Number.parseInt(part, 10)));
  const difference = [0, 1, 2].map((place) => (have?.[place] ?? 0) - (want?.[place] ?? 0)).find((step) => step !== 0);
  return (difference ?? 0) >= 0;
}

function lookUp(name: string, path: string): string | undefined {
  if (isAbsolute(name) || name.includes("/")) return isExecutable(resolve(name)) ? resolve(name) : undefined;
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function sdkExecutable(): string {
  const require = createRequire(import.meta.url);
  const name = process.platform === "win32" ? "claude.exe" : "claude";
  for (const variant of process.platform === "linux" ? ["", "-musl"] : [""]) {
    const packageName = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}${variant}`;
    try {
      const path = join(dirname(require.resolve(`${packageName}/package.json`)), name);
      if (isExecutable(path)) return path;
    } catch {
      // not installed: optional packages are installed for one platform only
    }
  }
  throw new PoolError(
    "claude_not_found",
    `The Agent SDK brings no Claude CLI for ${process.platform}-${process.arch}, or it was not installed. ` +
      "Reinstall with optional dependencies, or set `claude` or CLAUDE_POOL_CLAUDE to your own.",
    { executable: "" },
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // missing, or not ours to run: the caller says so
  }
}
