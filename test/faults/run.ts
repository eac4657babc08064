/**
 * `kill -9` of hosts, again and again, and then the count: `npm run faults`.
 *
 * `-- --seed N` repeats the choices of another run, `--kills N` sets how many hosts die (default 200; half as many of
 * chains' hosts and of those with worktrees, a tenth on the real CLI), `--only scripted|chains|workspaces|log|real|http` runs one of the parts. Exit 1 if anything does not add up.
 */
import { parseArgs } from "node:util";
import { Checks } from "./checks.ts";
import { chainKills } from "./chain-kills.ts";
import { logKills } from "./log-kills.ts";
import { httpLoad } from "./http-load.ts";
import { random } from "./random.ts";
import { realKills } from "./real-kills.ts";
import { scriptedKills } from "./scripted-kills.ts";
import { workspaceKills } from "./workspace-kills.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    kills: { type: "string", default: "200" },
    only: { type: "string" },
  },
});
const [seed, kills] = [Number(values.seed), Number(values.kills)];
const parts = {
  scripted: scriptedKills,
  chains: chainKills,
  workspaces: workspaceKills,
  log: logKills,
  real: realKills,
  http: httpLoad,
};
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(kills) || kills < 1) usage();
if (values.only !== undefined && !(values.only in parts)) usage();

console.log(`seed ${String(seed)}`);
const checks = new Checks();
for (const [name, part] of Object.entries(parts)) {
  if (values.only !== undefined && values.only !== name) continue;
  const start = performance.now();
  const count = name === "real" ? Math.max(Math.round(kills / 10), 1) : kills;
  await part({ kills: count, random: random(seed), seed, checks });
  console.log(`== ${name}: ${((performance.now() - start) / 1_000).toFixed(1)} s`);
}
console.log(`\n${String(checks.passed)} passed, ${String(checks.failed)} failed (seed ${String(seed)})`);
process.exitCode = checks.failed === 0 ? 0 : 1;

function usage(): never {
  console.error("usage: npm run faults -- [--seed N] [--kills N] [--only scripted|chains|workspaces|log|real|http]");
  process.exit(2);
}
