/** What a run whose host died left in Claude's transcripts. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { microdollars } from "../../core/budget.ts";
import type { Remains } from "../../core/runner-port.ts";
import { isFields, number } from "./messages.ts";

/**
 * Looks for the run's prompt, by the uuid it was sent with.
 *
 * Only files written since the run began are read; a resumed conversation stays in the folder it began in, so all folders
 * are looked at, that of the run's directory first.
 */
export async function findRemains(
  configDir: string,
  run: { readonly runId: string; readonly cwd: string; readonly sinceMs: number },
): Promise<Remains> {
  const projects = join(configDir, "projects");
  const own = run.cwd.replace(/[^A-Za-z0-9]/g, "-");
  const folders = await names(projects);
  for (const folder of [...folders.filter((name) => name === own), ...folders.filter((name) => name !== own)]) {
    for (const file of (await names(join(projects, folder))).filter((name) => name.endsWith(".jsonl"))) {
      const path = join(projects, folder, file);
      if (!(await writtenSince(path, run.sinceMs))) continue;
      const found = await read(path, run.runId);
      if (found !== undefined) return { sessionId: basename(file, ".jsonl"), ...found };
    }
  }
  return {};
}

async function read(path: string, runId: string): Promise<Pick<Remains, "costMicrodollars"> | undefined> {
  let holdsPrompt = false;
  let otherPrompts = 0;
  let costUsd: number | undefined;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const entry = parse(line);
    if (entry === undefined) continue;
    if (entry["type"] === "user" && entry["uuid"] === runId) holdsPrompt = true;
    else if (isPrompt(entry) && !holdsPrompt) otherPrompts += 1;
    // One from before the prompt is of an earlier process.
    if (entry["type"] === "cost-state" && holdsPrompt) costUsd = costOf(entry);
  }
  if (!holdsPrompt) return undefined;
  // The line holds the whole conversation's cost: it is the run's own only if no other run is in it.
  return costUsd === undefined || otherPrompts > 0 ? {} : { costMicrodollars: microdollars(costUsd) };
}

function isPrompt(entry: Readonly<Record<string, unknown>>): boolean {
  return entry["type"] === "user" && entry["isMeta"] !== true && entry["promptSource"] !== undefined;
}

function costOf(entry: Readonly<Record<string, unknown>>): number | undefined {
  return number(entry["totalCostUSD"]) ?? number(entry["total_cost_usd"]);
}

/** One line; undefined: cut off by the crash, or no object. */
function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined; // the last line of a killed process may be half a line
  }
}

/** File systems keep whole seconds at worst. */
async function writtenSince(path: string, sinceMs: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs >= sinceMs - 2_000;
  } catch {
    return false; // removed while we looked
  }
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return []; // no transcripts at all, or a file among the folders
  }
}
