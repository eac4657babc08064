/**
 * Runs what the docs show: every `sh`, `ts` and `json` fence of the pages below, in order, so that no page
 * shows what does not work.
 *
 * A comment before a fence says where it runs, in words that the reader sees in the source:
 * `<!-- needs-login -->` not at all, since it needs a login of one's own;
 * `<!-- fresh-clone -->` in a copy of this repository without node_modules; only with CI=true, because it installs everything.
 * Everything else runs in a git repository of a user who has installed the package, with a scripted model instead of Claude's.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, cpSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseConfigFile } from "../src/schema/parse.ts";
import { startScriptedApi, text } from "../src/testing/index.ts";
import { run, tryRun } from "./run.ts";
import { processesWith, sandbox } from "./sandbox.ts";

interface Fence {
  readonly place: string;
  readonly language: string;
  readonly mark: string | undefined;
  readonly code: string;
}

const pages = ["README.md", "docs/configuration.md", "docs/errors.md", "docs/testing.md"];
const failed: string[] = [];
let ran = 0;
for (const page of pages) {
  for (const fence of fencesOf(page)) {
    const why = await tryFence(fence);
    if (why === undefined) continue;
    console.error(`FAILED ${fence.place}\n${fence.code}${why}`);
    failed.push(fence.place);
  }
}
console.log(`${String(ran - failed.length)} of ${String(ran)} commands and examples of the docs passed`);
if (failed.length > 0 || ran === 0) process.exitCode = 1;

function fencesOf(page: string): readonly Fence[] {
  const source = readFileSync(page, "utf8");
  return [...source.matchAll(/(?:^<!-- (.+?) -->\n+)?^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    place: `${page}:${String(source.slice(0, match.index).split("\n").length)}`,
    mark: match[1],
    language: match[2] ?? "",
    code: match[3] ?? "",
  }));
}

/** Runs one fence; the answer says what went wrong. */
async function tryFence(fence: Fence): Promise<string | undefined> {
  if (!["sh", "ts", "json"].includes(fence.language)) return undefined;
  const skip = whyNotRun(fence);
  if (skip !== undefined) {
    console.log(`-- ${fence.place}: ${skip}`);
    return undefined;
  }
  ran += 1;
  const folder = mkdtempSync(join(tmpdir(), "claude-pool-docs-"));
  const start = performance.now();
  try {
    if (fence.language === "json") parseConfigFile(fence.code, fence.place);
    else if (fence.mark === "fresh-clone") await runInClone(fence, folder);
    else await runAsUser(fence, folder);
    const left = processesWith(folder);
    if (left.length > 0) throw new Error(`it left ${String(left.length)} processes`);
    console.log(`ok ${fence.place} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    for (const pid of processesWith(folder)) process.kill(Number(pid), "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

function whyNotRun(fence: Fence): string | undefined {
  if (fence.mark === "needs-login") return "needs a login";
  return fence.mark === "fresh-clone" && process.env.CI !== "true" ? "runs in CI" : undefined;
}

async function runAsUser(fence: Fence, folder: string): Promise<void> {
  const project = await userProject(folder);
  await using api = await startScriptedApi();
  api.otherwise(text("Here is what I found."));
  const env = sandbox(folder, { ...api.environment(folder), PWD: project });
  if (fence.language === "sh") {
    await demand("bash", ["-euo", "pipefail", "-c", fence.code], project, env);
    return;
  }
  const file = join(project, "example.ts");
  writeFileSync(file, fence.code);
  const strict = [
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2024",
    "--lib",
    "es2024,esnext.disposable",
  ];
  await demand("tsc", [...strict, "--types", "node", "--skipLibCheck", file], project, env);
  await demand("node", [file], project, env);
}

/** A small repository whose user has installed the package; npm would have made the same links. */
async function userProject(folder: string): Promise<string> {
  const project = join(folder, "project");
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  mkdirSync(join(project, "src"));
  writeFileSync(join(project, "package.json"), '{ "name": "your-project", "private": true, "type": "module" }\n');
  writeFileSync(join(project, ".gitignore"), "node_modules\n");
  writeFileSync(join(project, "src", "main.ts"), "export const answer = 42;\n");
  symlinkSync(resolve("."), join(modules, "claude-pool"));
  symlinkSync(resolve("bin/claude-pool.js"), join(modules, ".bin/claude-pool"));
  symlinkSync(resolve("node_modules/@types"), join(modules, "@types"));
  symlinkSync(resolve("node_modules/vitest"), join(modules, "vitest"));
  const git = (...args: readonly string[]) => run("git", args, { cwd: project, quiet: true });
  await git("init", "--quiet", "--initial-branch=main");
  await git("config", "user.name", "You");
  await git("config", "user.email", "you@example.com");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "Begin");
  return project;
}

/** As a newcomer would: what git has and would have, no node_modules, and npm as this machine has it configured. */
async function runInClone(fence: Fence, folder: string): Promise<void> {
  const clone = join(folder, "claude-pool");
  const { stdout } = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    quiet: true,
  });
  for (const file of stdout.split("\0").filter((name) => name !== "")) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(file, join(clone, file));
  }
  const npm = await run("npm", ["config", "list", "--json"], { quiet: true });
  const config = JSON.parse(npm.stdout) as Readonly<Record<string, unknown>>;
  const env = sandbox(join(folder, "home"), {
    // Without this repository's own node_modules/.bin: the machine's Node, old or not, is what the newcomer has.
    PATH: (process.env.PATH ?? "")
      .split(":")
      .filter((part) => !part.includes("node_modules"))
      .join(":"),
    npm_config_cache: String(config.cache),
    npm_config_userconfig: String(config.userconfig),
  });
  await demand("bash", ["-euo", "pipefail", "-c", fence.code], clone, env, 900_000);
}

/** @throws with all that the program printed, if it fails or takes too long. */
async function demand(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  timeoutMs = 120_000,
): Promise<void> {
  const result = await tryRun(program, args, { cwd, env, quiet: true, timeoutMs });
  if (result.exitCode !== 0) throw new Error(`exit ${String(result.exitCode)}\n${result.output}`);
}
