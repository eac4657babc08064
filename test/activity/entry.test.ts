import { describe, expect, it } from "vitest";
import { actionOf } from "../../src/activity/action.ts";
import { labelOf, newEntry, withoutNone, type Entry } from "../../src/activity/entry.ts";
import { entryOf, lineOf, wireOf } from "../../src/activity/line.ts";
import { normalPath, scopeOf } from "../../src/activity/scope.ts";
import { now } from "./sample-entry.ts";
import { author, entry } from "./temp-log.ts";

describe("an action", () => {
  it.each([
    ["completed", "completed"],
    ["Completed", "completed"],
    ["**Shipped!**", "completed"],
    ["in progress", "claimed"],
    ["In-Progress", "claimed"],
    ["cliamed", "claimed"],
    ["blokced", "blocked"],
    ["on hold", "blocked"],
    ["`released`", "released"],
    ["unblocked.", "resolved"],
    ["researched", "signaling"],
    ["ping", "health"],
    ["frobnicated", "signaling"],
    ["", "signaling"],
  ])("%j means %s", (word, action) => {
    expect(actionOf(word).action).toBe(action);
  });

  it("keeps the word that it was taken from", () => {
    expect(["completed", "COMPLETED", "fixed", "frobnicated"].map(actionOf)).toEqual([
      { action: "completed" },
      { action: "completed" },
      { action: "completed", raw: "fixed" },
      { action: "signaling", raw: "frobnicated", unknown: true },
    ]);
  });
});

describe("a BLOCKS text", () => {
  it.each([
    "None, just FYI",
    "none",
    "No",
    "n/a",
    "N/A - info",
    "NA",
    "nil",
    "nothing.",
    "-",
    "null",
    "None — only a note",
  ])("that says %j says nothing", (text) => {
    expect(withoutNone(text)).toBe("");
  });

  it.each(["no-one may deploy", "Nothing else may deploy", "- api", "None of the API work can go on", "the api"])(
    "that says %j is kept",
    (text) => {
      expect(withoutNone(text)).toBe(text);
    },
  );
});

describe("what an entry is about", () => {
  it.each([
    ["./src/a.ts", "src/a.ts"],
    ["src//x/../a.ts", "src/a.ts"],
    ["src\\b.ts", "src/b.ts"],
    ["/repo/src/**", "src/**"],
    ["/repo", "**"],
    ["lib/", "lib/"],
    ["../other", undefined],
    ["src/../../x", undefined],
    ["a\0b", undefined],
    ["", undefined],
    ["/etc/passwd", "passwd"],
    ["C:\\Users\\x\\y.ts", "y.ts"],
    ["\\\\server\\share\\z.ts", "z.ts"],
    ["~/notes.md", "notes.md"],
  ])("takes %j for the path %j", (written, path) => {
    expect(normalPath(written, { top: "/repo" })?.path).toBe(path);
  });

  it("tells resources from paths, and marks what lies outside", () => {
    expect(
      scopeOf(["port:3000", "Deploy:Staging", "src/a.ts", "/etc/passwd", "https://x.y"], { top: "/repo" }),
    ).toEqual({
      paths: ["src/a.ts", "passwd"],
      resources: ["port:3000", "deploy:staging"],
      flags: ["outside"],
    });
  });

  it("takes relative paths from where the terminal stands", () => {
    expect(scopeOf(["a.ts", "../b.ts", "/repo/c.ts"], { top: "/repo", from: "src/deep" }).paths).toEqual([
      "src/deep/a.ts",
      "src/b.ts",
      "c.ts",
    ]);
  });
});

describe("a new entry", () => {
  it("has every key of version 1 in its type there, and its own beside them", () => {
    const draft = { action: "done", topic: "Auth fixed", paths: ["src/a.ts", "src/b.ts"], resources: ["port:3000"] };
    const { id, sid, dedup, ...rest } = wireOf(entry(draft, { branch: "main" }, now));
    expect({ id, sid, dedup, rest }).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/) as string,
      sid: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      dedup: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      rest: {
        v: 2,
        timestamp: now,
        ttl: 3600,
        source_instance: "A",
        session_id: "session-",
        project: "demo-0123456789ab",
        branch: "main",
        action: "completed",
        action_raw: "done",
        topic: "Auth fixed",
        summary: "",
        affects: "src/a.ts, src/b.ts, port:3000",
        paths: ["src/a.ts", "src/b.ts"],
        resources: ["port:3000"],
        blocks: "",
        relevance: {},
        origin: "cli",
      },
    });
  });

  it("takes its topic from the summary, and is none without both", () => {
    expect([
      entry({ summary: "Tests pass. All of them." }).topic,
      newEntry({ action: "completed", blocks: "x" }, author("A")),
      newEntry({ topic: " \n\t" }, author("A")),
    ]).toEqual(["Tests pass.", undefined, undefined]);
  });

  it("is one line within its limits, whatever it is told", () => {
    const long = entry({ topic: `a\nb\u0007${"t".repeat(200)}`, summary: "s".repeat(900), blocks: "b".repeat(300) });
    expect([long.topic.slice(0, 4), long.topic.length, long.summary.length, long.blocks.length, long.flags]).toEqual([
      "a b ",
      120,
      600,
      200,
      ["truncated"],
    ]);
  });

  it.each([
    ["documented", "completed", "cli", 3600],
    ["recommended", "completed", "cli", 28_800],
    ["recommended", "blocked", "cli", 14_400],
    ["recommended", "signaling", "auto", 3600],
    ["recommended", "health", "cli", 600],
  ] as const)("lives by the %s profile: %s by %s for %d s", (profile, action, origin, ttl) => {
    expect(entry({ action, topic: "x" }, { profile, origin }).ttl).toBe(ttl);
  });

  it("keeps nothing of what would draw on a terminal", () => {
    const { topic, summary } = entry({ topic: "a \u001b[31mred\u001b[0m fox", summary: "x\u001b]0;title\u0007y" });
    expect([topic, summary]).toEqual(["a red fox", "xy"]);
  });

  it("clamps the time it is given, and lets no guess block others", () => {
    const times = [1, 90, 1e9].map((ttl) => entry({ topic: "x", ttl }).ttl);
    expect([times, entry({ topic: "x", blocks: "all" }, { origin: "auto" }).blocks]).toEqual([[60, 90, 604_800], ""]);
  });

  it.each([
    ["My terminal!", "My-terminal"],
    ["../../etc", "etc"],
    ["?", undefined],
    ["ünïcode", "n-code"],
    ["a".repeat(40), "a".repeat(32)],
  ])("makes the label of %j %j", (text, label) => {
    expect(labelOf(text)).toBe(label);
  });
});

describe("a line", () => {
  it("is at most 4096 bytes, and gives up extras, then summary, then paths", () => {
    const paths = Array.from({ length: 20 }, (_, index) => `${String(index)}${"ä".repeat(190)}`);
    const full = entry({ topic: "€".repeat(120), summary: "😀".repeat(600), paths, blocks: "€".repeat(200) });
    const wire = JSON.parse(lineOf({ ...full, extras: { other: "x".repeat(3_000) } }).toString()) as Record<
      string,
      unknown
    >;
    expect({
      bytes: lineOf(full).length <= 4096,
      other: wire.other,
      summary: wire.summary,
      isShorter: (wire.paths as readonly string[]).length < 20,
      topic: wire.topic,
      flags: wire.flags,
    }).toEqual({
      bytes: true,
      other: undefined,
      summary: "",
      isShorter: true,
      topic: "€".repeat(120),
      flags: ["truncated"],
    });
  });

  it("comes back as it went", () => {
    const one = {
      ...entry({ action: "claimed", topic: "x", paths: [".env", "src/a b.ts"], ref: "abc" }),
      extras: { later: 1 },
    };
    expect(entryOf(JSON.parse(lineOf(one).toString()), one.timestamp)).toEqual(one);
  });

  it.each([
    ["null", null],
    ["a number", 1],
    ["text", "x"],
    ["a list", []],
    ["an object without a time", { topic: "x" }],
    ["a time that is none", { timestamp: "soon", topic: "x" }],
    ["a time of another type", { timestamp: {}, topic: "x" }],
  ])("that is %s is no entry", (_, value) => {
    expect(entryOf(value, now)).toBeUndefined();
  });

  it("of another type in every field is coerced", () => {
    const wrong = {
      timestamp: new Date(now * 1000).toISOString(),
      id: 7,
      ttl: "x",
      topic: 5,
      affects: ["a", 1, "b"],
      relevance: null,
    };
    const { timestamp, id, ttl, topic, affects, paths, relevance, sourceInstance } = entryOf(
      { ...wrong, source_instance: ["x"], blocks: {}, flags: "x", paths: null, summary: false },
      now,
    ) as Entry;
    expect({ timestamp, id, ttl, topic, affects, paths, relevance, sourceInstance }).toEqual({
      timestamp: now,
      id: "7",
      ttl: 3600,
      topic: "5",
      affects: "a, b",
      paths: ["a", "b"],
      relevance: {},
      sourceInstance: "?",
    });
  });

  it("from the future counts from when it was certainly written, and says so", () => {
    const { timestamp, flags } = entryOf({ timestamp: now + 1e6, topic: "x" }, now, now - 50) as Entry;
    expect([timestamp, flags]).toEqual([now - 50, ["clock_skew"]]);
  });
});
