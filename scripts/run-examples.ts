/**
 * Runs every file of examples/ as a user would, against the built package, each in a home of its own, and fails if one
 * fails, hangs, says nothing, or leaves a process.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { processesWith, sandbox } from "./sandbox.ts";
import { tryRun } from "./run.ts";

const limitMs = 90_000;
const asked = process.argv.slice(2);
const examples = readdirSync("examples")
  .filter((name) => name.endsWith(".ts"))
  .filter((name) => asked.length === 0 || asked.some((part) => name.includes(part)))
  .sort();

let failures = 0;
for (const name of examples) {
  const home = mkdtempSync(join(tmpdir(), "claude-pool-example-"));
  const start = performance.now();
  const result = await tryRun("node", [resolve("examples", name)], {
    env: sandbox(home),
    timeoutMs: limitMs,
    quiet: true,
  });
  const left = processesWith(home);
  rmSync(home, { recursive: true, force: true });
  const ok = result.exitCode === 0 && result.stdout.trim() !== "" && left.length === 0;
  if (!ok) failures += 1;
  const took = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (${took}, exit ${String(result.exitCode)})`);
  if (left.length > 0) console.log(`       still alive: ${left.join(", ")}`);
  console.log(result.output.trimEnd().replaceAll(/^/gm, "       "));
}
console.log(`${String(examples.length - failures)} of ${String(examples.length)} examples passed`);
if (failures > 0 || examples.length === 0) process.exitCode = 1;
