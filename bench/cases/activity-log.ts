/** The activity log: appends under the lock with twelve writers, and ten thousand live entries read and ranked. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { newEntry } from "../../src/activity/entry.ts";
import { ensureFolder } from "../../src/activity/folder.ts";
import { lineOf } from "../../src/activity/line.ts";
import { folderAt } from "../../src/activity/place.ts";
import { readLog } from "../../src/activity/read.ts";
import { relevanceFor } from "../../src/activity/relevance.ts";
import type { LogWriterOrder } from "../children/log-writer.ts";
import { type Bench, type Figure, median, percentile, round } from "../figure.ts";
import { startChild } from "../ground/child.ts";
import { withFolder } from "../ground/folder.ts";

const writers = 12;
const entries = 10_000;

export const activityLog: Bench = async ({ quick }) => [await appends(quick), await reading(quick)];

async function appends(quick: boolean): Promise<Figure> {
  const each = quick ? 100 : 400;
  const pauseMs = 10;
  const times = await withFolder(async (folder) => {
    const children = Array.from({ length: writers }, (_, index) => {
      const order: LogWriterOrder = { root: join(folder, "pool"), name: `w${String(index)}`, appends: each, pauseMs };
      return startChild(new URL("../children/log-writer.ts", import.meta.url), order, folder);
    });
    for (const child of children) await child.says();
    for (const child of children) child.tell("go");
    return (await Promise.all(children.map((child) => child.says()))).flat() as number[];
  });
  return {
    id: "log_append_p99",
    what: `an append to the activity log under its lock, ${String(writers)} processes writing at once, p99`,
    value: round(percentile(times, 99)),
    unit: "ms",
    target: { atMost: 10 },
    details: {
      p50_ms: round(median(times)),
      slowest_ms: round(Math.max(...times)),
      appends: times.length,
      pause_between_ms: pauseMs,
    },
  };
}

async function reading(quick: boolean): Promise<Figure> {
  return withFolder(async (home) => {
    const folder = folderAt(join(home, "pool"));
    ensureFolder(folder);
    const now = Date.now() / 1000;
    writeFileSync(folder.file, Buffer.concat(Array.from({ length: entries }, (_, index) => line(index, now))));
    const reader = {
      domain: { keywords: ["auth", "token", "module"], weak: ["config"], paths: ["src/auth/**"] },
      files: ["src/area-3/file-7.ts", "src/area-4/file-1.ts"],
      branch: "feature/login",
      claims: [],
      terms: ["login", "session", "cookie"],
    };
    const times: number[] = [];
    const warmUp = 5;
    let kept = 0;
    for (let round = 0; round < warmUp + (quick ? 15 : 50); round += 1) {
      const start = performance.now();
      const read = readLog(folder, { now, maxBytes: Infinity, project: "bench-0123456789ab" });
      const score = relevanceFor(reader, read.entries);
      const ranked = read.entries.map((entry) => ({ entry, score: score(entry) })).sort((a, b) => b.score - a.score);
      times.push(performance.now() - start);
      kept = ranked.length;
    }
    if (kept !== entries) throw new Error(`${String(kept)} entries were read`);
    const measured = times.slice(warmUp);
    return {
      id: "log_read_and_rank",
      what: `reading and ranking ${entries.toLocaleString("en-US")} live entries of the activity log, p50`,
      value: round(median(measured)),
      unit: "ms",
      target: { atMost: 50 },
      details: { p95_ms: round(percentile(measured, 95)), first_ms: round(times[0] ?? 0), rounds: measured.length },
    };
  });
}

function line(index: number, now: number): Buffer {
  const topic = `Topic ${String(index)} about ${["auth", "billing", "the parser", "config"][index % 4] ?? ""}`;
  const draft = {
    action: ["completed", "blocked", "signaling"][index % 3] ?? "",
    topic,
    summary: "What was done, and what others should know of it, in two sentences. No more than that is usual.",
    paths: [`src/area-${String(index % 40)}/file-${String(index % 11)}.ts`, "docs/notes.md"],
  };
  const author = {
    sessionId: `s${String(index % 12)}`,
    project: "bench-0123456789ab",
    origin: "block",
    branch: "main",
  } as const;
  const entry = newEntry(draft, author, now - 3_000 + index * 0.2);
  if (entry === undefined) throw new Error("no entry");
  return lineOf(entry);
}
