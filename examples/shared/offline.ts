/** What lets the examples run anywhere: a scripted model in place of Claude's, and a git repository to work in. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ScriptedApi, startScriptedApi } from "claude-pool/testing";

export interface Offline extends AsyncDisposable {
  readonly api: ScriptedApi;
  /** A git repository with one file, `notes.md`, in one commit on `main`. */
  readonly folder: string;
  /** For `openPool`: with a login of your own you need none of them. */
  readonly options: { readonly cwd: string; readonly store: string; readonly env: Readonly<Record<string, string>> };
}

export async function offline(): Promise<Offline> {
  const root = mkdtempSync(join(tmpdir(), "claude-pool-example-"));
  const folder = join(root, "project");
  mkdirSync(folder);
  const git = (...args: readonly string[]): void => void execFileSync("git", args, { cwd: folder });
  git("init", "--quiet", "--initial-branch", "main");
  git("config", "user.name", "Example");
  git("config", "user.email", "example@example.com");
  writeFileSync(join(folder, "notes.md"), "# Notes\n\nWrite more tests.\n");
  git("add", "--all");
  git("commit", "--quiet", "--message", "Begin");
  const api = await startScriptedApi();
  return {
    api,
    folder,
    options: { cwd: folder, store: join(root, "pool.db"), env: api.environment(join(root, "home")) },
    async [Symbol.asyncDispose]() {
      await api.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
