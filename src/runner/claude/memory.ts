/** How much memory a process tree takes. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { ProcessEntry } from "../process-table.ts";

/**
 * Bytes of all these processes together: the proportional share of each where the system tells it (shared pages counted
 * once), else what is resident. Undefined: nothing could be read.
 */
export async function memoryOf(tree: readonly ProcessEntry[]): Promise<number | undefined> {
  const read = process.platform === "linux" ? await Promise.all(tree.map(proportional)) : await resident(tree);
  const known = read.filter((bytes) => bytes !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, bytes) => sum + bytes, 0);
}

async function proportional({ pid }: ProcessEntry): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/${String(pid)}/smaps_rollup`, "utf8");
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(text)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined; // it ended, or may not be read
  }
}

async function resident(tree: readonly ProcessEntry[]): Promise<readonly (number | undefined)[]> {
  if (tree.length === 0) return [];
  const pids = tree.map((entry) => entry.pid).join(",");
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", pids]);
    return stdout.split("\n").flatMap((line) => (line.trim() === "" ? [] : [Number(line) * 1024]));
  } catch {
    return []; // all of them ended
  }
}
