/**
 * Finding and ending what one Claude process started.
 *
 * E1. A tool's process is found by what it cannot easily shed: the pid namespace where there is one; else the marker in
 *     its environment, the session of one found so, or descent from one found so.
 * E2. A pid is signalled only together with the start time it was found with, and never this process's own.
 * E3. Ending repeats until a look finds nothing, since what is being ended may still start something.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessEntry, ProcessTable } from "../process-table.ts";
import { startTimeOf } from "../processes.ts";

/** What is known of one Claude process and those it started. */
export interface Family {
  readonly marker: string;
  /** Its pid namespace, if it has one of its own. */
  readonly namespace?: string;
  /** The CLI itself; its process group holds its MCP servers. */
  readonly cli?: { readonly pid: number; readonly pgid: number; readonly startTime: string };
  /** The processes around the CLI: the one that made its namespace, and the first one in it. */
  readonly wrappers?: readonly [outer: number, init: number];
}

/** Is nothing there but the CLI, its first process and its servers? False where that cannot be told cheaply. */
export function isQuiet(table: ProcessTable, family: Family): boolean {
  if (family.wrappers === undefined || family.namespace === undefined) return false;
  const inside = table.inside(family.wrappers[1]);
  // The CLI's group was made outside; a tool has a session, and so a group, of its own.
  return inside !== undefined && inside.length > 0 && inside.every((entry) => entry.zombie || entry.pgid === 0);
}

/** Every live process of the family; with `spareCli` without the CLI, its wrappers and its MCP servers. */
export async function findFamily(
  table: ProcessTable,
  family: Family,
  spareCli: boolean,
): Promise<readonly ProcessEntry[]> {
  const all = (await table.list()).filter((entry) => !entry.zombie && entry.pid !== process.pid);
  const found =
    family.namespace === undefined ? await byMarker(table, family, all) : await byNamespace(table, family, all);
  if (!spareCli) return found;
  return found.filter((entry) => entry.pgid !== family.cli?.pgid && family.wrappers?.includes(entry.pid) !== true);
}

async function byNamespace(
  table: ProcessTable,
  family: Family,
  all: readonly ProcessEntry[],
): Promise<readonly ProcessEntry[]> {
  const inside = all.filter((entry) => table.namespaceOf(entry.pid) === family.namespace);
  const wrappers = all.filter((entry) => family.wrappers?.includes(entry.pid) === true);
  const marked = await table.marked(
    wrappers.map((entry) => entry.pid),
    family.marker,
  );
  return [...new Set([...inside, ...wrappers.filter((entry) => marked.has(entry.pid))])];
}

async function byMarker(
  table: ProcessTable,
  family: Family,
  all: readonly ProcessEntry[],
): Promise<readonly ProcessEntry[]> {
  // What began before the CLI cannot be its child: no need to read that environment.
  const since = family.cli === undefined ? undefined : ticks(family.cli.startTime);
  const candidates = since === undefined ? all : all.filter((entry) => (ticks(entry.startTime) ?? since) >= since);
  const marked = await table.marked(
    candidates.map((entry) => entry.pid),
    family.marker,
  );
  const found = new Set(candidates.filter((entry) => marked.has(entry.pid)));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    const sessions = new Set([...found].map((entry) => entry.sid));
    const parents = new Set([...found].map((entry) => entry.pid));
    for (const entry of candidates) if (sessions.has(entry.sid) || parents.has(entry.ppid)) found.add(entry);
  }
  return [...found];
}

/** Linux counts start times in ticks; other systems' text cannot be ordered. */
function ticks(startTime: string): number | undefined {
  return /^\d+$/.test(startTime) ? Number(startTime) : undefined;
}

/**
 * Ends all that `find` finds: TERM, after the grace KILL, until nothing is found.
 *
 * Resolves to what could not be ended within the bound (a process stuck in the kernel); empty is the rule.
 */
export async function endAll(
  find: () => Promise<readonly ProcessEntry[]>,
  graceMs: number,
): Promise<readonly ProcessEntry[]> {
  const start = performance.now();
  const asked = new Set<number>();
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    const alive = await find();
    if (alive.length === 0) return [];
    const elapsed = performance.now() - start;
    if (elapsed > graceMs + unkillableMs) return alive;
    for (const entry of alive) {
      if (elapsed >= graceMs) signal(entry, "SIGKILL");
      else if (!asked.has(entry.pid)) signal(entry, "SIGTERM");
      asked.add(entry.pid);
    }
    await delay(pause);
  }
}

/** After so long a killed process that is still there waits in the kernel, and no signal helps. */
const unkillableMs = 10_000;

/** Signals a process if it is still the one that was found (E2); false: it is gone, or not ours to signal. */
export function signal(target: { readonly pid: number; readonly startTime: string }, name: NodeJS.Signals): boolean {
  if (target.pid === process.pid || startTimeOf(target.pid) !== target.startTime) return false;
  try {
    return process.kill(target.pid, name);
  } catch {
    return false; // it ended between the look and the signal
  }
}
