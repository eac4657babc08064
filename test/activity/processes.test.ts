import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { entryOf } from "../../src/activity/line.ts";
import type { LogFolder } from "../../src/activity/place.ts";
import { tryLock } from "../../src/activity/lock.ts";
import { archivesOf } from "../../src/activity/read.ts";
import { standingClaims } from "../../src/activity/write.ts";
import { all, entry, tempLog } from "./temp-log.ts";
import { appendEntry } from "../../src/activity/append.ts";

describe("a log with several processes", () => {
  it("has each of 2,400 records of 12 writers once, every line whole, while it rotates", async () => {
    const folder = tempLog();
    const writers = Array.from({ length: 12 }, (_, index) => writer(folder, "write", `w${String(index)}`, "200"));
    await begin(writers);
    const codes = await Promise.all(writers.map((one) => one.ended));
    const said = writers.flatMap((one) => one.said());
    const { bad, ids } = linesOf(folder);
    const read = all(folder).map(({ id }) => id);
    expect({
      codes: new Set(codes),
      bad,
      twice: ids.length - new Set(ids).size,
      missing: said.filter((id) => !ids.includes(id)).length,
      read: read.length,
      hasRotated: archivesOf(folder).length > 3,
      lock: existsSync(folder.lock),
    }).toEqual({ codes: new Set([0]), bad: 0, twice: 0, missing: 0, read: 2_400, hasRotated: true, lock: false });
  });

  it("loses nothing that was acknowledged when writers are killed in the middle of it", async () => {
    const folder = tempLog();
    const writers = Array.from({ length: 4 }, (_, index) => writer(folder, "write", `w${String(index)}`));
    await begin(writers);
    for (const [index, one] of writers.entries()) {
      await one.reached(40 + 20 * index);
      one.child.kill("SIGKILL");
    }
    await Promise.all(writers.map((one) => one.ended));
    const said = writers.flatMap((one) => one.said());
    await appendEntry(folder, entry({ topic: "after" }), { waitMs: 300 });
    const { bad, ids } = linesOf(folder);
    const last = all(folder).at(-1);
    // A record in the middle of its write may be torn; what follows it is whole.
    expect([said.filter((id) => !ids.includes(id)), bad <= writers.length, last?.topic]).toEqual([[], true, "after"]);
  });

  it.runIf(process.platform === "linux")(
    "says so where the disk takes only a part, and the next writer's record is whole",
    async () => {
      const folder = tempLog();
      await appendEntry(folder, entry({ topic: "before", summary: "s".repeat(500) }), { waitMs: 300 });
      const program = fileURLToPath(new URL("writer.ts", import.meta.url));
      // A limit on the size of files stands for a full disk: the write that meets it is cut short.
      const command = 'ulimit -f 1; exec "$0" "$@"';
      const child = spawn("bash", ["-c", command, process.execPath, program, folder.root, "write", "w0", "1"], {
        stdio: ["pipe", "ignore", "pipe"],
      });
      child.stdin.end("go\n");
      const [said, code] = await Promise.all([
        readAll(child.stderr),
        once(child, "close").then(([status]) => status as number),
      ]);
      const torn = linesOf(folder);
      await appendEntry(folder, entry({ topic: "after" }), { waitMs: 300 });
      const { bad, ids } = linesOf(folder);
      expect([
        code,
        /EFBIG|only a part/.test(said),
        torn.bad,
        bad,
        ids.length,
        all(folder).map(({ topic }) => topic),
      ]).toEqual([1, true, 1, 1, 2, ["before", "after"]]);
    },
  );

  it("gives a claim that twelve ask for at the same moment to one, and every reader says which", async () => {
    const folder = tempLog();
    const writers = Array.from({ length: 12 }, (_, index) => writer(folder, "claim", `w${String(index)}`));
    await begin(writers);
    await Promise.all(writers.map((one) => one.ended));
    const granted = writers.flatMap((one, index) => (one.said().includes("granted") ? [`w${String(index)}`] : []));
    const holders = standingClaims(folder, Date.now() / 1000).map((claim) => claim.entry.sourceInstance);
    expect([granted.length, holders]).toEqual([1, granted]);
  });

  it("decides between two that claim without the lock by the order of the file", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ topic: "x" }), { waitMs: 300 });
    const lock = tryLock(folder.lock);
    const writers = [writer(folder, "claim", "w0"), writer(folder, "claim", "w1")];
    await begin(writers);
    await Promise.all(writers.map((one) => one.ended));
    lock?.release();
    const granted = writers.flatMap((one, index) => (one.said().includes("granted") ? [`w${String(index)}`] : []));
    const holders = standingClaims(folder, Date.now() / 1000).map((claim) => claim.entry.sourceInstance);
    expect([granted.length, holders]).toEqual([1, granted]);
  });
});

interface Writer {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** Resolves when it has said so many lines beside `ready`. */
  reached(count: number): Promise<void>;
  said(): readonly string[];
  readonly ready: Promise<void>;
}

function writer(folder: LogFolder, ...args: readonly string[]): Writer {
  const program = fileURLToPath(new URL("writer.ts", import.meta.url));
  const child = spawn(process.execPath, [program, folder.root, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let text = "";
  const said = (): readonly string[] => text.split("\n").slice(1, -1);
  const { stdout } = child;
  stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return {
    child,
    ended: once(child, "close").then(([code]) => code as number | null),
    ready: once(stdout, "data").then(() => undefined),
    async reached(count) {
      while (said().length < count) await once(stdout, "data");
    },
    said,
  };
}

async function begin(writers: readonly Writer[]): Promise<void> {
  await Promise.all(writers.map((one) => one.ready));
  for (const { child } of writers) child.stdin?.write("go\n");
}

/** Every line of every file, read without our reader. */
function linesOf(folder: LogFolder): { readonly bad: number; readonly ids: readonly string[] } {
  const files = [...archivesOf(folder).map((name) => join(folder.archive, name)), folder.file];
  const lines = files.flatMap((path) => (existsSync(path) ? readFileSync(path, "utf8").split("\n") : []));
  const entries = lines.filter((line) => line !== "").map((line) => parsed(line));
  return { bad: entries.filter((id) => id === undefined).length, ids: entries.flatMap((id) => id ?? []) };
}

function parsed(line: string): string | undefined {
  try {
    return entryOf(JSON.parse(line), Date.now() / 1000)?.id;
  } catch {
    return undefined;
  }
}
