/** A git repository in a test's own folder, which nothing of this machine's own settings reaches. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs git in the repository; what it prints. */
export type Git = (...args: readonly string[]) => string;

/** Makes an empty folder a repository with one commit on `main`. */
export function beginRepository(path: string, files: Readonly<Record<string, string>> = { "a.txt": "a\n" }): Git {
  const git = gitIn(path);
  git("init", "-q", "-b", "main");
  git("config", "user.name", "Somebody");
  git("config", "user.email", "somebody@example.com");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  git("add", "-A");
  git("commit", "-q", "-m", "Begin");
  return git;
}

function gitIn(path: string): Git {
  const own = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", HOME: "/nonexistent" };
  const env = { PATH: process.env.PATH, ...own };
  return (...args) => execFileSync("git", args, { cwd: path, encoding: "utf8", env, stdio: "pipe" }).trimEnd();
}
