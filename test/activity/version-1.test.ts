import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { appendEntry } from "../../src/activity/append.ts";
import { entryFilter } from "../../src/activity/query.ts";
import { all, author, entry, tempLog } from "./temp-log.ts";
import { writeDraft } from "../../src/activity/write.ts";
import type { LogFolder } from "../../src/activity/place.ts";

const program = fileURLToPath(new URL("../fixtures/bin/pool-v1.js", import.meta.url));

function version1(folder: LogFolder, ...args: readonly string[]): readonly (readonly string[])[] {
  mkdirSync(folder.root, { recursive: true });
  const printed = execFileSync(process.execPath, [program, folder.file, ...args], { encoding: "utf8" });
  return printed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as readonly string[]);
}

it("agrees with a reader and a writer of version 1 on a mixed file", async () => {
  const folder = tempLog();
  version1(folder, "write", "A", "completed", "Auth by version 1", "Fixed.", "src/auth.ts, src/token.ts", "the API");
  await writeDraft(
    folder,
    { action: "claimed", topic: "Auth by version 2", paths: ["src/x.ts"], blocks: "b" },
    author("B"),
    { waitMs: 300 },
  );
  version1(folder, "write", "?", "researched", "auth again", "Looked.");
  const full = entry(
    { topic: "AUTH in full", summary: "s".repeat(600), resources: ["port:1"], ref: "x", confidence: 0.8 },
    { branch: "main" },
  );
  await appendEntry(folder, { ...full, flags: ["fuzzy_key"], extras: { more: { deep: [1] } } }, { waitMs: 300 });
  version1(folder, "write", "C", "signaling", "Something else", "No more.");

  const ours = all(folder);
  const byId = (rows: readonly (readonly (string | undefined)[])[]): unknown =>
    rows.toSorted(([a = ""], [b = ""]) => a.localeCompare(b));
  const row = ({ id, sourceInstance, action, actionRaw, topic }: (typeof ours)[number]) => [
    id,
    sourceInstance,
    sourceInstance === "?" ? actionRaw : action,
    topic,
  ];
  expect({
    query: byId(version1(folder, "query", "auth")),
    load: version1(folder, "load", "B")
      .map(([, , , topic]) => topic)
      .toSorted(),
    count: ours.length,
  }).toEqual({
    query: byId(ours.filter(entryFilter({ topic: "auth" })).map(row)),
    load: ["Auth by version 1", "Auth by version 2"],
    count: 5,
  });
});

it("reads what version 1 wrote: paths from its text, no owner but the label, an hour to live", () => {
  const folder = tempLog();
  version1(folder, "write", "A", "Fixed", "Auth", "Done.", "src/auth.ts, ./lib/", "None, just FYI");
  const [
    { v, ttl, sourceInstance, sid, project, action, actionRaw, affects, paths, blocks, relevance } = entry({
      topic: "none",
    }),
  ] = all(folder);
  expect({ v, ttl, sourceInstance, sid, project, action, actionRaw, affects, paths, blocks, relevance }).toEqual({
    v: 1,
    ttl: 3600,
    sourceInstance: "A",
    sid: undefined,
    project: undefined,
    action: "completed",
    actionRaw: "Fixed",
    affects: "src/auth.ts, ./lib/",
    paths: ["src/auth.ts", "lib/"],
    blocks: "",
    relevance: { A: 0.33, B: 0, C: 0.57, D: 0 },
  });
});

it("reads forks: times as text and in milliseconds, lists in affects, keys of their own kept", () => {
  const folder = tempLog();
  mkdirSync(folder.root, { recursive: true });
  const now = Math.floor(Date.now() / 1000);
  const lines = [
    { timestamp: new Date(now * 1000).toISOString(), topic: "ISO", instance: "A" },
    { timestamp: now * 1000, topic: "ms", affects: ["a.ts", "b.ts"] },
    { timestamp: String(now), topic: "digits", relevance: null },
  ];
  appendFileSync(folder.file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  expect(all(folder).map(({ timestamp, topic, affects, extras }) => [timestamp, topic, affects, extras])).toEqual([
    [now, "ISO", "", { instance: "A" }],
    [now, "ms", "a.ts, b.ts", {}],
    [now, "digits", "", {}],
  ]);
});
