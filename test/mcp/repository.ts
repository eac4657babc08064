/** A repository, and a runner whose turns write a file into the task's own directory: `FILE TEXT`. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";

export interface Repository {
  readonly path: string;
  readonly git: (...args: readonly string[]) => string;
}

/** On `main`, with `a.txt`; gone when the test is over. */
export function repository(): Repository {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-repository-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const path = join(root, "work");
  mkdirSync(path);
  const env = { PATH: process.env.PATH, HOME: root, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const git = (...args: readonly string[]): string =>
    execFileSync("git", args, { cwd: path, encoding: "utf8", env, stdio: "pipe" }).trim();
  git("init", "-q", "-b", "main");
  git("config", "user.name", "Somebody");
  git("config", "user.email", "somebody@example.com");
  writeFileSync(join(path, "a.txt"), "a\n");
  git("add", "-A");
  git("commit", "-q", "-m", "Begin");
  return { path, git };
}

export const writing: RunnerScript = ({ prompt }, { cwd }) => {
  const [, file, text] = /^(\S+\.txt) (\S+)/.exec(prompt) ?? [];
  if (file !== undefined) writeFileSync(join(cwd, file), `${text ?? ""}\n`);
  return "done";
};
