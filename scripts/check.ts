/**
 * Everything that must be true of a commit, in order, the cheapest first; stops at the first that is not.
 *
 * `npm run check` runs all; `npm run check lint types` only those.
 */
import { tryRun } from "./run.ts";

/** The build comes first because examples and types read the built package, as a user does. */
const steps = ["build", "format", "lint", "types", "dead-code", "package", "examples", "readme", "test"] as const;

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(steps as readonly string[]).includes(name));
if (unknown.length > 0) {
  console.error(`No step ${unknown.join(", ")}; there are ${steps.join(", ")}.`);
  process.exit(2);
}

const begun = performance.now();
for (const step of steps) {
  if (chosen.length > 0 && !chosen.includes(step)) continue;
  const start = performance.now();
  console.log(`\n== ${step}`);
  const { exitCode } = await tryRun("npm", ["run", "--silent", step], { timeoutMs: 1_200_000 });
  if (exitCode !== 0) {
    console.error(`\n== ${step} failed (exit ${String(exitCode)}, ${seconds(start)}); the steps after it did not run`);
    process.exit(1);
  }
  console.log(`== ${step} passed in ${seconds(start)}`);
}
console.log(`\n== all passed in ${seconds(begun)}`);

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
