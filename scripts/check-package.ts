/**
 * Packs the package as npm would publish it and checks the tarball itself: its metadata, its types, and that it works
 * where a user has it, beside its declared dependencies and nothing else of this repository.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { run } from "./run.ts";

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const folder = mkdtempSync(join(tmpdir(), "claude-pool-package-"));
try {
  await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], { quiet: true });
  const tarball = join(folder, `claude-pool-${manifest.version}.tgz`);
  await run("publint", ["run", tarball, "--strict"], { quiet: true });
  console.log("publint: its metadata is right");
  // The package is ESM only: `require` and the resolution of before Node 12 are not promised.
  await run("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"], { quiet: true });
  console.log("attw: its types are found");
  await tryInstalled(tarball);
  console.log("installed by itself, it imports and runs");
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Unpacks it where npm would put it, with links to its dependencies, so that nothing is downloaded. */
async function tryInstalled(tarball: string): Promise<void> {
  const modules = join(folder, "node_modules");
  const installed = join(modules, "claude-pool");
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(resolve("node_modules", name), join(modules, name));
  }
  const use = `
    const { openPool } = await import("claude-pool");
    const { scriptedRunner } = await import("claude-pool/testing");
    const pool = await openPool({ store: ":memory:", runner: scriptedRunner() });
    const { output } = await pool.run("hello");
    await pool.close();
    if (output !== "ok") throw new Error("it answered " + output);
  `;
  await run("node", ["--input-type=module", "--eval", use], { cwd: folder, quiet: true });
  const answer = await run("node", [join(installed, "bin/claude-pool.js"), "--version"], { cwd: folder, quiet: true });
  if (answer.stdout.trim() !== manifest.version) throw new Error(`--version says ${answer.stdout}`);
}
