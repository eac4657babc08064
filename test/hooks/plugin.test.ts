/** The plugin as it is shipped: whole, fresh and valid. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { bundleHook, hookBundle } from "../../scripts/bundle-hook.ts";
import { claudeProgram } from "../testing/real-claude.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "claude-pool-plugin-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

it("ships the hook program that src/hooks makes (node scripts/bundle-hook.ts)", async () => {
  const fresh = join(folder(), "hook.cjs");
  await bundleHook(fresh);
  expect(readFileSync(hookBundle, "utf8") === readFileSync(fresh, "utf8")).toBe(true);
});

it("bundles nothing but Node's builtins, and loads the slow ones late", () => {
  const code = readFileSync(hookBundle, "utf8");
  const required = [...code.matchAll(/^(.*)\brequire\("([^"]+)"\)/gmu)];
  const atStart = required.filter(([, before = ""]) => before.startsWith("let ")).map(([, , name = ""]) => name);
  const late = required.filter(([, before = ""]) => !before.startsWith("let ")).map(([, , name]) => name);
  expect([
    atStart.filter((name) => !["node:fs", "node:path", "node:os", "node:perf_hooks"].includes(name)),
    [...new Set(late)],
  ]).toEqual([[], ["node:child_process"]]);
});

it("is made of what Node 20 knows", async () => {
  const floor = ["--target", "es2022", "--lib", "es2023,es2024.string", "--module", "nodenext", "--types", "node"];
  const house = ["--strict", "--skipLibCheck", "--allowImportingTsExtensions", "--exactOptionalPropertyTypes"];
  const files = ["--ignoreConfig", "--noEmit", "src/hooks/program.ts"];
  const check = promisify(execFile)("node_modules/.bin/tsc", [...floor, ...house, ...files], { cwd: root });
  expect((await check).stdout).toBe("");
});

it.each([["plugin"], ["."]])("has a %s that Claude Code's own check passes without a warning", async (path) => {
  const home = folder();
  const env = { PATH: process.env.PATH, HOME: home, CLAUDE_CONFIG_DIR: join(home, ".claude"), DISABLE_TELEMETRY: "1" };
  const check = promisify(execFile)(claudeProgram(), ["plugin", "validate", "--strict", path], { cwd: root, env });
  const { stdout } = await check;
  expect([stdout.includes("Validation passed"), /⚠|✘|warning/iu.test(stdout)]).toEqual([true, false]);
});

it("has one version for the package and the plugin", () => {
  const version = (path: string): unknown => (json(path) as { readonly version: unknown }).version;
  expect(version("plugin/.claude-plugin/plugin.json")).toBe(version("package.json"));
});
