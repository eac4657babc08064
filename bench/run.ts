/**
 * Every figure of docs/benchmarks.md, side by side in one run.
 *
 * `npm run bench`; `-- --quick` with fewer rounds, `-- --only NAME` one case, `-- --write` keeps the table in
 * docs/benchmarks.md. A figure that is missed is printed as missed and fails nothing, because machines differ; a
 * benchmark that breaks does.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { activityLog } from "./cases/activity-log.ts";
import { backToBack } from "./cases/back-to-back.ts";
import { chains } from "./cases/chains.ts";
import { fourSlots } from "./cases/four-slots.ts";
import { mcpStatus } from "./cases/mcp-status.ts";
import { httpEvents } from "./cases/http-events.ts";
import { hook } from "./cases/hook.ts";
import { memory } from "./cases/memory.ts";
import { million } from "./cases/million.ts";
import { oneByOne } from "./cases/one-by-one.ts";
import { reopen } from "./cases/reopen.ts";
import { throughput } from "./cases/throughput.ts";
import { warmTurn } from "./cases/warm-turn.ts";
import { worktrees } from "./cases/worktrees.ts";
import type { Bench, Figure } from "./figure.ts";
import { machine } from "./machine.ts";
import { figuresJson, figuresTable, figureLine, writePage } from "./report.ts";

const cases: Readonly<Record<string, Bench>> = {
  "warm-turn": warmTurn,
  "back-to-back": backToBack,
  "four-slots": fourSlots,
  throughput,
  "one-by-one": oneByOne,
  chains,
  million,
  reopen,
  memory,
  worktrees,
  "activity-log": activityLog,
  "http-events": httpEvents,
  "mcp-status": mcpStatus,
  hook,
};

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    write: { type: "boolean", default: false },
  },
});
const unknown = (values.only ?? []).filter((name) => !(name in cases));
if (unknown.length > 0) {
  console.error(`No benchmark ${unknown.join(", ")}; there are ${Object.keys(cases).join(", ")}.`);
  process.exit(2);
}

const begun = performance.now();
const figures: Figure[] = [];
for (const [name, bench] of Object.entries(cases)) {
  if (values.only !== undefined && !values.only.includes(name)) continue;
  const start = performance.now();
  const measured = await bench({ quick: values.quick });
  figures.push(...measured);
  console.log(`== ${name}, ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  for (const figure of measured) console.log(figureLine(figure));
}

const about = await machine();
const json = figuresJson(figures, about, {
  quick: values.quick,
  seconds: Math.round((performance.now() - begun) / 1_000),
});
const results = new URL("results/", import.meta.url);
mkdirSync(results, { recursive: true });
writeFileSync(new URL("latest.json", results), json);
console.log(`\n${figuresTable(figures)}\n\n${about}`);
if (values.write) writePage(figures, about);
