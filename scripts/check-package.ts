/**
 * Packs the package as npm would publish it and checks the tarball itself: its metadata, its types, and that it works
 * where a user has it, installed beside nothing of this repository.
 */
import { mkdtempSync, rmSync, symlinkSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "claude-pool-package-"));
try {
  await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], { quiet: true });
  const tarball = join(folder, `claude-pool-${process.env.npm_package_version ?? (await version())}.tgz`);
  await run("publint", ["run", tarball, "--strict"]);
  // The package is ESM only: `require` and the resolution of before Node 12 are not promised.
  await run("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--format", "table-flipped"]);
  await tryInstalled(tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Unpacks it where npm would put it; its dependencies are this repository's, so that nothing is downloaded. */
async function tryInstalled(tarball: string): Promise<void> {
  const modules = join(folder, "node_modules");
  const installed = join(modules, "claude-pool");
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
  symlinkSync(resolve("node_modules"), join(installed, "node_modules"));
  const use =
    'const m = await import("claude-pool"); const t = await import("claude-pool/testing"); if (!m.openPool || !t.startScriptedApi) process.exit(1);';
  await run("node", ["--input-type=module", "--eval", use], { cwd: folder });
  await run("node", [join(installed, "bin/claude-pool.js"), "--version"], { cwd: folder });
}

async function version(): Promise<string> {
  const { stdout } = await run("npm", ["pkg", "get", "version"], { quiet: true });
  return String(JSON.parse(stdout));
}
