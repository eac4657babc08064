import { describe, expect, it } from "vitest";
import { claimsIn } from "../../src/activity/claims.ts";
import type { Entry } from "../../src/activity/entry.ts";
import { shownTo, type Terminal } from "../../src/activity/news.ts";
import { now, sampleEntry } from "./sample-entry.ts";

const project = "demo-0123456789ab";

/** Terminal B, which works on nothing yet and has no domain. */
function terminal(changed: Partial<Terminal> = {}, doing: Partial<Terminal["reader"]> = {}): Terminal {
  const reader = { files: [], claims: [], terms: [], ...doing };
  return { label: "B", sids: ["bbbbbbbbbbbbbbbb"], project, reader, ...changed };
}

const cooking = { domain: { keywords: ["kitchen"], weak: [], paths: [] } };

/** Topics as shown, with the label before each. */
function topics(reader: Terminal, entries: readonly Entry[]): readonly string[] {
  return shownTo(reader, entries, claimsIn(entries, now), now).map(({ entry, label }) => `${label} ${entry.topic}`);
}

/** Entries in the order of a log: one after the other in time. */
function log(...entries: readonly Partial<Entry>[]): readonly Entry[] {
  return entries.map((entry, index) => sampleEntry({ timestamp: now - 600 + index, ...entry }));
}

const b = { sourceInstance: "B", sid: "bbbbbbbbbbbbbbbb" };

it("shows a terminal without a domain everything of the project, newest first", () => {
  expect(topics(terminal(), log({ topic: "one" }, { topic: "two", ...b }, { topic: "three" }))).toEqual([
    "A three",
    "B two",
    "A one",
  ]);
});

it("shows what was written at one moment by the order of the log, the last first, also a topic said again", () => {
  const timestamp = now - 600;
  const entries = log({ topic: "one", timestamp }, { topic: "two", timestamp }, { topic: "one", timestamp });
  expect(topics(terminal(), entries)).toEqual(["A one", "A two"]);
});

it("takes the last line of a topic for the newest, whatever a clock that went back says", () => {
  const entries = log(
    { topic: "one", action: "blocked" },
    { topic: "one", action: "completed", timestamp: now - 3_000 },
  );
  expect(shownTo(terminal(), entries, [], now).map(({ entry }) => entry.action)).toEqual(["completed"]);
});

it("shows a claim that was renewed after its terminal said more of the topic", () => {
  const entries = log({ topic: "one", action: "claimed", timestamp: now - 100 }, { topic: "one", action: "signaling" });
  expect(shownTo(terminal(), entries, claimsIn(entries, now), now).map(({ entry }) => entry.action)).toEqual([
    "claimed",
  ]);
});

it("shows a terminal with a domain what is its own, relevant, or for everybody", () => {
  const entries = log(
    { topic: "own", ...b },
    { topic: "kitchen" },
    { topic: "other" },
    { topic: "blocks", blocks: "the release" },
    { topic: "blocks elsewhere", blocks: "the release", project: "another-0123456789ab" },
  );
  expect(topics(terminal({}, cooking), entries)).toEqual(["A blocks", "A kitchen", "B own"]);
});

it("shows at most five that are only for everybody", () => {
  const entries = log(...Array.from({ length: 8 }, (_, index) => ({ topic: String(index), blocks: "all" })));
  expect(topics(terminal({}, cooking), entries)).toEqual(["A 7", "A 6", "A 5", "A 4", "A 3"]);
});

it("puts first what stands in the way, then what is blocked or for everybody, and last what was guessed", () => {
  const entries = log(
    { topic: "claim on my file", action: "claimed", paths: ["src/"] },
    { topic: "blocked", action: "blocked" },
    { topic: "for everybody", blocks: "x" },
    { topic: "done" },
    { topic: "claim elsewhere", action: "claimed", paths: ["web/"] },
    { topic: "guessed", origin: "auto" },
  );
  expect(topics(terminal({}, { files: ["src/a.ts"] }), entries)).toEqual([
    "A claim on my file",
    "A for everybody",
    "A blocked",
    "A claim elsewhere",
    "A done",
    "A guessed",
  ]);
});

it("shows one topic of one terminal once, as it was last reported", () => {
  const entries = log(
    { topic: "Auth", summary: "first" },
    { topic: " auth ", summary: "second" },
    { topic: "Auth", ...b, summary: "B's own" },
  );
  const shown = shownTo(terminal(), entries, [], now);
  expect(shown.map(({ entry }) => entry.summary)).toEqual(["B's own", "second"]);
});

it("hides a claim that has ended, and what is over", () => {
  const claim = sampleEntry({ topic: "Auth", action: "claimed", timestamp: now - 300 });
  const entries = [
    claim,
    sampleEntry({ topic: "Auth rework", action: "completed", ref: claim.id, timestamp: now - 200 }),
    sampleEntry({ topic: "old", timestamp: now - 4_000 }),
  ];
  expect(topics(terminal(), entries)).toEqual(["A Auth rework"]);
});

it("hides the release of a claim that its terminal took along over /clear", () => {
  const claim = sampleEntry({ topic: "Auth", action: "claimed", timestamp: now - 300 });
  const taken = { topic: "Auth", sid: "ffffffffffffffff", timestamp: now - 200 };
  const entries = [
    claim,
    sampleEntry({ ...taken, action: "claimed" }),
    sampleEntry({ topic: "Auth", action: "released", ref: claim.id, timestamp: now - 199 }),
  ];
  const shown = shownTo(terminal(), entries, claimsIn(entries, now), now);
  expect(shown.map(({ entry }) => [entry.sid, entry.action])).toEqual([["ffffffffffffffff", "claimed"]]);
});

describe("whose it is", () => {
  it("tells two terminals with one label apart", () => {
    const twin = { sourceInstance: "B", sid: "cccc000000000000" };
    expect(topics(terminal(), log({ topic: "mine", ...b }, { topic: "the twin's", ...twin }))).toEqual([
      "B·cccc the twin's",
      "B·bbbb mine",
    ]);
  });

  it("takes terminals without a label for others", () => {
    const unnamed = (sid: string | undefined, topic: string): Entry => {
      const { sid: _, ...entry } = sampleEntry({ sourceInstance: "?", topic });
      return { ...entry, ...(sid === undefined ? {} : { sid }) };
    };
    const shown = shownTo(
      terminal({ label: "?" }),
      [unnamed(undefined, "v1"), unnamed("dddddddddddddddd", "v2")],
      [],
      now,
    );
    expect(shown.map(({ isOwn }) => isOwn)).toEqual([false, false]);
  });

  it("takes what a conversation before /clear wrote, and version 1 under the same label, for its own", () => {
    const { sid: _, ...old } = sampleEntry({ sourceInstance: "B", topic: "version 1" });
    const entries = [old, sampleEntry({ sid: "eeeeeeeeeeeeeeee", sourceInstance: "B", topic: "before" })];
    const reader = terminal({ sids: ["bbbbbbbbbbbbbbbb", "eeeeeeeeeeeeeeee"] });
    expect(shownTo(reader, entries, [], now).map(({ isOwn, label }) => [isOwn, label])).toEqual([
      [true, "B"],
      [true, "B"],
    ]);
  });
});

it("calls a slot of a pool by its name, whichever of its tasks wrote", () => {
  const slot = { sourceInstance: "slot-1", sessionId: "task-abc" };
  const entries = log(
    { ...slot, sid: "cccccccccccccccc", topic: "one" },
    { ...slot, sid: "dddddddddddddddd", topic: "two" },
  );
  expect(topics(terminal(), entries)).toEqual(["slot-1 two", "slot-1 one"]);
});
