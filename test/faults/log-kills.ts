/** Writers of an activity log killed at random while it rotates, and tails torn on purpose. */
import { appendFileSync, existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Child, startChild } from "../../bench/ground/child.ts";
import { withFolder } from "../../bench/ground/folder.ts";
import { processesOf } from "../../bench/ground/leftovers.ts";
import { appendEntry } from "../../src/activity/append.ts";
import { claimsIn } from "../../src/activity/claims.ts";
import { newEntry } from "../../src/activity/entry.ts";
import { takeLock } from "../../src/activity/lock.ts";
import { folderAt, type LogFolder } from "../../src/activity/place.ts";
import { archivesOf, readLog } from "../../src/activity/read.ts";
import type { FaultsOptions } from "./checks.ts";
import type { LogWriterOrder } from "./children/log-writer.ts";

const writers = 5;
const longestLifeMs = 120;
const maxBytes = 32 * 1024;
const lockWaitMs = 10_000;

export async function logKills({ kills, random, seed, checks }: FaultsOptions): Promise<void> {
  await withFolder(async (home) => {
    const folder = folderAt(join(home, "pool"));
    const alive: { readonly child: Child; readonly ready: Promise<unknown> }[] = [];
    let [started, torn] = [0, 0];
    for (let kill = 0; kill < kills; kill += 1) {
      while (alive.length < writers) {
        started += 1;
        const child = startWriter(home, folder, seed + started, `w${String(started)}`);
        alive.push({ child, ready: child.says() });
      }
      const victim = alive.splice(random.below(alive.length), 1)[0];
      if (victim === undefined) throw new Error("no writer to kill");
      await victim.ready;
      await pause(random.next() * longestLifeMs);
      await victim.child.kill();
      if (random.chance(0.3)) {
        await tear(folder);
        torn += 1;
      }
    }
    await Promise.all(alive.map(async ({ child, ready }) => ready.then(() => child.kill())));

    const last = newEntry({ topic: "after all" }, { sessionId: "last", project: "faults-0123456789ab", origin: "cli" });
    if (last === undefined) throw new Error("no entry");
    const after = await appendEntry(folder, last, { waitMs: 1_000 });
    const said = acknowledged(home);
    const { ids, twice, bad } = linesOf(folder);
    const rotations = archivesOf(folder).length;
    const unlocked = said.filter(({ what }) => what === "unlocked").length;
    console.log(
      `   ${String(kills)} writers killed, ${String(said.length)} acknowledged (${String(unlocked)} without the lock), ` +
        `${String(rotations)} rotations, ${String(torn)} tails torn on purpose, ${String(bad)} broken lines`,
    );
    const missing = said.filter(({ id }) => !ids.has(id));
    checks.none("no acknowledged record is missing", missing);
    checks.none("no record stands twice but what rotation carries", twice);
    checks.none("no line is broken but the torn ones", bad > torn + kills + writers ? [bad] : []);
    checks.none("the last record was written under the lock", after.locked && ids.has(last.id) ? [] : [after]);
    checks.none("it did rotate", rotations > 3 ? [] : [rotations]);
    checks.none("a claim that was granted holds for every reader", contested(folder, said));
    checks.none("nothing is left beside the files", leftBeside(folder, kills + writers));
    checks.none("no process is left", processesOf(home));
  });
}

/** As a writer that is killed in the middle of its write, be it with the lock or, where that was not to be had in time, without. */
async function tear(folder: LogFolder): Promise<void> {
  const held = await takeLock(folder.lock, lockWaitMs);
  appendFileSync(folder.file, '{"v":2,"id":"torn","timest');
  held?.release();
}

interface Acknowledged {
  readonly what: string;
  readonly id: string;
}

function startWriter(home: string, folder: LogFolder, seed: number, name: string): Child {
  const acknowledgements = join(home, `${name}.said`);
  const order: LogWriterOrder = { root: folder.root, name, seed, acknowledgements, maxBytes };
  return startChild(new URL("children/log-writer.ts", import.meta.url), order, home);
}

function acknowledged(home: string): readonly Acknowledged[] {
  const files = readdirSync(home).filter((name) => name.endsWith(".said"));
  const lines = files.flatMap((name) => readFileSync(join(home, name), "utf8").split("\n").slice(0, -1));
  return lines.map((line) => {
    const [what = "", id = ""] = line.split(" ");
    return { what, id };
  });
}

/** Read without our reader: which ids there are, which stand twice, and how many lines are no JSON. */
function linesOf(folder: LogFolder): {
  readonly ids: ReadonlySet<string>;
  readonly twice: readonly string[];
  readonly bad: number;
} {
  const files = [...archivesOf(folder).map((name) => join(folder.archive, name)), folder.file];
  const ids = new Set<string>();
  const twice: string[] = [];
  let bad = 0;
  for (const line of files.flatMap((path) => (existsSync(path) ? readFileSync(path, "utf8").split("\n") : []))) {
    if (line === "") continue;
    try {
      const { id, action } = JSON.parse(line) as { readonly id: string; readonly action: string };
      if (ids.has(id) && action !== "claimed") twice.push(line);
      ids.add(id);
    } catch {
      bad += 1;
    }
  }
  return { ids, twice, bad };
}

/** Claims that were granted although, as the log stood then, another's held. */
function contested(folder: LogFolder, said: readonly Acknowledged[]): readonly string[] {
  const now = Date.now() / 1000;
  const { entries } = readLog(folder, { now, maxBytes: Infinity, archives: "all", expired: true });
  const granted = new Set(said.filter(({ what }) => what === "granted").map(({ id }) => id));
  return entries.flatMap(({ id }, index) => {
    if (!granted.has(id)) return [];
    const then = claimsIn(entries.slice(Math.max(0, index - 2_000), index + 1), now);
    return then.some((claim) => claim.entry.id === id && claim.heldBy !== undefined) ? [id] : [];
  });
}

/** Locks taken aside in the middle of being broken; each kill may leave one. */
function leftBeside(folder: LogFolder, most: number): readonly string[] {
  const left = readdirSync(folder.root).filter((name) => name.startsWith(".lock"));
  return left.length > most || left.includes(".lock") ? left : [];
}
