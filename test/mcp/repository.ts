/** A repository, and a runner whose turns write a file into the task's own directory: `FILE TEXT`. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import { beginRepository, type Git } from "../git-repository.ts";

export interface Repository {
  readonly path: string;
  readonly git: Git;
}

/** On `main`, with `a.txt`; gone when the test is over. */
export function repository(): Repository {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-repository-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const path = join(root, "work");
  mkdirSync(path);
  return { path, git: beginRepository(path) };
}

export const writing: RunnerScript = ({ prompt }, { cwd }) => {
  const [, file, text] = /^(\S+\.txt) (\S+)/.exec(prompt) ?? [];
  if (file !== undefined) writeFileSync(join(cwd, file), `${text ?? ""}\n`);
  return "done";
};
