/** A place of its own for the demo: a repository, a home, a store, a model; all of it is gone at the end. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startScriptedApi, type ScriptedApi } from "../../testing/index.ts";
import { files, script } from "./script.ts";

export interface Stage extends AsyncDisposable {
  readonly folder: string;
  readonly repository: string;
  readonly store: string;
  /** Claude's environment: the loopback model, a home of its own, and nothing of the user's. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the tasks changed, as `git status --short` tells. */
  changes(): string;
}

/** What would lead a real login, another provider or a proxy into the demo. */
const silenced = [
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_CUSTOM_HEADERS",
  "ANTHROPIC_MODEL",
  "ANTHROPIC_SMALL_FAST_MODEL",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
];

/** Builds the stage; `keep` leaves the folder at the end. */
export async function buildStage(keep: boolean): Promise<Stage> {
  checkGit();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-demo-")));
  const repository = join(folder, "greeter");
  const home = join(folder, "home");
  let api: ScriptedApi | undefined;
  try {
    mkdirSync(home, { recursive: true });
    buildRepository(repository);
    api = await startScriptedApi();
    script(api, repository);
    return stageOf({ folder, repository, home, api, keep });
  } catch (error) {
    await api?.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function stageOf(parts: {
  readonly folder: string;
  readonly repository: string;
  readonly home: string;
  readonly api: ScriptedApi;
  readonly keep: boolean;
}): Stage {
  const { folder, repository, home, api, keep } = parts;
  return {
    folder,
    repository,
    store: join(folder, "pool.db"),
    environment: { ...Object.fromEntries(silenced.map((name) => [name, ""])), ...api.environment(home) },
    changes: () => git(repository, "status", "--short", "--untracked-files=all"),
    async [Symbol.asyncDispose]() {
      await api.close();
      if (!keep) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function buildRepository(repository: string): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(repository, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  git(repository, "init", "--quiet");
  git(repository, "add", ".");
  git(repository, "-c", "user.name=demo", "-c", "user.email=demo@example.invalid", "commit", "--quiet", "-m", "Greet");
}

/** @throws if git is not there. */
function checkGit(): void {
  try {
    execFileSync("git", ["--version"], { stdio: "ignore" });
  } catch (error) {
    throw new Error("The demo needs git, which was not found. Install it, and try again.", { cause: error });
  }
}

/** Git without the user's own configuration: no signing, no hooks, no templates. */
function git(repository: string, ...args: readonly string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  return execFileSync("git", [...args], {
    cwd: repository,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  }).trimEnd();
}
