import { describe, expect, it } from "vitest";
import { appendEntry, renewClaims } from "../../src/activity/append.ts";
import { claimsIn } from "../../src/activity/claims.ts";
import type { Entry } from "../../src/activity/entry.ts";
import { overlap } from "../../src/activity/glob.ts";
import { ownMark } from "../../src/activity/living.ts";
import { writeSession } from "../../src/activity/sessions.ts";
import { releaseClaims, standingClaims, writeDraft } from "../../src/activity/write.ts";
import { cpuTime } from "../cpu-time.ts";
import { now, sampleEntry } from "./sample-entry.ts";
import { all, author, entry, tempLog, textOf } from "./temp-log.ts";

describe("two patterns", () => {
  it.each([
    ["src", "src/a.ts", true],
    ["src/", "src/x/a.ts", true],
    ["src/a.ts", "src/a.ts", true],
    ["src/a.ts", "src/ab.ts", false],
    ["src/*.ts", "src/a.ts", true],
    ["src/*.ts", "src/x/a.ts", false],
    ["src/**", "src/x/a.ts", true],
    ["**/*.ts", "a.ts", true],
    ["**/*.ts", "src/x/a.js", false],
    ["src/*a.ts", "src/b*.ts", true],
    ["src/*a.ts", "src/*b.ts", false],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z", true],
    ["a/**/z", "a/b/c.ts", false],
    ["{a,b}/c", "b/c", true],
    ["a?c", "ac", false],
    ["**", "x", true],
    ["src", "lib", false],
    ["src/auth", "src/authors", false],
  ])("%j and %j have a path in common: %j", (a, b, answer) => {
    expect([overlap(a, b), overlap(b, a)]).toEqual([answer, answer]);
  });

  it("that are made to be slow are compared in a moment", () => {
    const since = cpuTime();
    const answers = [overlap(`${"*a".repeat(100)}b`, "a".repeat(200)), overlap("**/a/".repeat(40), "a/".repeat(100))];
    expect([answers, cpuTime() - since < 1_000]).toEqual([[false, true], true]);
  });
});

/** Claims of a log with these entries, as `holder of what`; those that wait, with whom they wait for. */
function standing(...entries: readonly Partial<Entry>[]): readonly string[] {
  const log = entries.map((changed, index) =>
    sampleEntry({ timestamp: now - 600 + index, action: "claimed", ...changed }),
  );
  return claimsIn(log, now).map(
    ({ entry: { sourceInstance, topic }, heldBy }) =>
      `${sourceInstance} ${topic}${heldBy === undefined ? "" : ` after ${heldBy.sourceInstance}`}`,
  );
}

const b = { sourceInstance: "B", sid: "bbbbbbbbbbbbbbbb" };
const c = { sourceInstance: "C", sid: "cccccccccccccccc" };

describe("of the claims in a log", () => {
  it("the first in its order holds, whatever their times say", () => {
    expect(
      standing(
        { topic: "one", paths: ["src"], timestamp: now },
        { topic: "two", paths: ["src/a.ts"], timestamp: now - 500, ...b },
      ),
    ).toEqual(["A one", "B two after A"]);
  });

  it("one that waits holds as soon as the first is over, and stands in nobody's way before", () => {
    const ended = { action: "released", topic: "one" } as const;
    const both = [
      { topic: "one", paths: ["src"] },
      { topic: "two", paths: ["src", "lib"], ...b },
      { topic: "three", paths: ["lib"], ...c },
    ];
    expect([standing(...both), standing(...both, ended)]).toEqual([
      ["A one", "B two after A", "C three"],
      ["B two", "C three after B"],
    ]);
  });

  it.each(["completed", "released", "resolved", "blocked"] as const)(
    "%s of the same topic by its own terminal ends one",
    (action) => {
      expect([
        standing({ topic: "x" }, { topic: " X", action }),
        standing({ topic: "x" }, { topic: "x", action, ...b }),
      ]).toEqual([[], ["A x"]]);
    },
  );

  it("a ref by its own terminal ends one, by another only if it says that it may", () => {
    const claim = { id: "claim-1", topic: "x" };
    const ref = { action: "released", topic: "other", ref: "claim-1" } as const;
    expect([
      standing(claim, ref),
      standing(claim, { ...ref, ...b }),
      standing(claim, { ...ref, ...b, flags: ["abandoned"] }),
      standing(claim, { ...ref, ref: "claim-2", topic: "x" }),
      standing(claim, { action: "signaling", ref: "claim-1" }),
    ]).toEqual([[], ["A x"], [], ["A x"], ["A x"]]);
  });

  it("those that name nothing are about their topic, resources about their name, and projects are apart", () => {
    const port = { resources: ["port:3000"] };
    expect([
      standing({ topic: "auth" }, { topic: "Auth", paths: ["src"], ...b }),
      standing({ topic: "one", ...port }, { topic: "two", ...port, ...b }),
      standing({ topic: "auth", paths: ["src"] }, { topic: "auth", paths: ["lib"], ...b }),
      standing({ topic: "auth" }, { topic: "auth", ...b, project: "other-0" }),
    ]).toEqual([
      ["A auth", "B Auth after A"],
      ["A one", "B two after A"],
      ["A auth", "B auth"],
      ["A auth", "B auth"],
    ]);
  });

  it("one that is over does not stand, and a terminal is not in its own way", () => {
    expect([standing({ topic: "x", ttl: 60 }), standing({ topic: "x" }, { topic: "x", paths: ["src"] })]).toEqual([
      [],
      ["A x", "A x"],
    ]);
  });

  it("a flood is cut off, so that telling who holds what takes no time", () => {
    const claim = (index: number): Partial<Entry> => ({
      topic: `t${String(index)}`,
      sid: String(index % 40).padStart(16, "0"),
      paths: Array.from({ length: 20 }, (_, path) => `src/**/a${String(index)}*b${String(path)}*.ts`),
    });
    const since = cpuTime();
    const count = standing(...Array.from({ length: 2_000 }, (_, index) => claim(index))).length;
    expect([count, cpuTime() - since < 20_000]).toEqual([300, true]);
  });

  it("one of version 1 is its label's", () => {
    const old = { topic: "x", sourceInstance: "B" };
    const first = sampleEntry({ action: "claimed", ...old });
    const { sid: _, ...claim } = first;
    const ended = sampleEntry({ action: "completed", topic: "x", ...b });
    expect([claimsIn([claim], now).length, claimsIn([claim, ended], now).length]).toEqual([1, 0]);
  });
});

const options = { waitMs: 300 };

describe("claiming", () => {
  it("is refused while another holds it, leaving nothing behind, and granted when that one released it", async () => {
    const folder = tempLog();
    const claim = (who: string, paths: readonly string[]) =>
      writeDraft(folder, { action: "claimed", topic: `by ${who}`, paths }, author(who), options);
    await claim("A", ["src"]);
    const refused = await claim("B", ["src/a.ts"]);
    const lines = textOf(folder).trim().split("\n").length;
    await releaseClaims(folder, author("A"), () => true, options);
    const granted = await claim("B", ["src/a.ts"]);
    expect([refused.because, refused.conflict?.entry.sourceInstance, lines, granted.written]).toEqual([
      "conflict",
      "A",
      1,
      true,
    ]);
  });

  it("again what is one's own writes nothing until half of its time is over", async () => {
    const folder = tempLog();
    const start = Date.now() / 1000;
    const claim = async (after: number) => {
      const draft = { action: "claimed", topic: "x", paths: ["src"] };
      const { entry: stands, written } = await writeDraft(folder, draft, author("A"), {
        ...options,
        now: start + after,
      });
      return [stands?.id, written];
    };
    const [[id], ...others] = [await claim(0), await claim(1_000), await claim(2_000)];
    const stands = standingClaims(folder, start + 5_000).map((one) => [
      one.entry.id,
      Math.round(one.expiresAt - start),
    ]);
    expect([others, stands]).toEqual([
      [
        [id, false],
        [id, true],
      ],
      [[id, 5_600]],
    ]);
  });

  it("for longer than before is renewed at once, and a flood of claims is stopped", async () => {
    const folder = tempLog();
    const claim = (topic: string, ttl: number) =>
      writeDraft(folder, { action: "claimed", topic, ttl }, author("A"), options);
    await claim("x", 600);
    const [longer, same] = [await claim("x", 6_000), await claim("x", 6_000)];
    const flood: unknown[] = [];
    for (let index = 0; index < 13; index += 1) flood.push((await claim(`t${String(index)}`, 600)).because);
    expect([longer.written, same.because, flood.filter((because) => because === "flood").length]).toEqual([
      true,
      "duplicate",
      2,
    ]);
  });

  it("by force waits behind the holder", async () => {
    const folder = tempLog();
    await writeDraft(folder, { action: "claimed", topic: "one", paths: ["src"] }, author("A"), options);
    const forced = await writeDraft(folder, { action: "claimed", topic: "two", paths: ["src"] }, author("B"), {
      ...options,
      force: true,
    });
    const claims = standingClaims(folder, Date.now() / 1000);
    expect([
      forced.written,
      forced.conflict?.entry.sourceInstance,
      claims.map(({ heldBy }) => heldBy?.sourceInstance),
    ]).toEqual([true, "A", [undefined, "A"]]);
  });

  it("passes over a terminal that is gone, and says in the log that it did", async () => {
    const folder = tempLog();
    const { entry: claim } = await writeDraft(
      folder,
      { action: "claimed", topic: "x", paths: ["src"] },
      author("A"),
      options,
    );
    const at = Date.now() / 1000;
    const session = { sid: claim?.sid ?? "", label: "A", startedAt: at - 9_000, process: { ...ownMark(), start: "1" } };
    writeSession(folder, { ...session, seenAt: at - 100 });
    const quiet = standingClaims(folder, at).length;
    writeSession(folder, { ...session, seenAt: at - 1_000 });
    const gone = standingClaims(folder, at).length;
    const taken = await writeDraft(folder, { action: "claimed", topic: "y", paths: ["src"] }, author("B"), options);
    const words = all(folder).map(({ action, sourceInstance, flags }) => [action, sourceInstance, ...flags]);
    expect([quiet, gone, taken.written, words]).toEqual([
      1,
      0,
      true,
      [
        ["claimed", "A"],
        ["released", "B", "abandoned"],
        ["claimed", "B"],
      ],
    ]);
  });

  it("ends for a terminal that ended, and not for one whose process lives on in silence", async () => {
    const folder = tempLog();
    const at = Date.now() / 1000;
    for (const who of ["A", "B"]) {
      const { entry: claim } = await writeDraft(
        folder,
        { action: "claimed", topic: who, paths: [who] },
        author(who),
        options,
      );
      const session = {
        sid: claim?.sid ?? "",
        label: who,
        startedAt: at - 9_000,
        seenAt: at - 5_000,
        process: ownMark(),
      };
      writeSession(folder, who === "A" ? { ...session, endedAt: at - 1 } : session);
    }
    expect(standingClaims(folder, at).map(({ entry: { topic } }) => topic)).toEqual(["B"]);
  });

  it("is renewed by activity once it is half over, and keeps its place", async () => {
    const folder = tempLog();
    const start = Date.now() / 1000;
    const mine = entry({ action: "claimed", topic: "mine", paths: ["src"] }, {}, start);
    await appendEntry(folder, mine, options);
    await writeDraft(folder, { action: "claimed", topic: "theirs", paths: ["src"] }, author("B"), {
      ...options,
      force: true,
    });
    const early = await renewClaims(folder, mine.sid ?? "", { ...options, now: start + 600 });
    const late = await renewClaims(folder, mine.sid ?? "", { ...options, now: start + 2_000 });
    const [first] = standingClaims(folder, start + 4_000);
    expect([
      early,
      late,
      first?.entry.id,
      Math.round((first?.expiresAt ?? 0) - start),
      Math.round((first?.since ?? 0) - start),
    ]).toEqual([[], [mine.id], mine.id, 5_600, 0]);
  });

  it("cannot be renewed after it was over, nor by another with its id", async () => {
    const folder = tempLog();
    const start = Date.now() / 1000;
    const mine = entry({ action: "claimed", topic: "mine", ttl: 60 }, {}, start);
    await appendEntry(folder, mine, options);
    await appendEntry(
      folder,
      { ...mine, ttl: 9_000, sid: "bbbbbbbbbbbbbbbb" },
      { ...options, unlimited: true, repeat: true },
    );
    await appendEntry(folder, { ...mine, timestamp: start + 1_000 }, { ...options, unlimited: true, repeat: true });
    expect([standingClaims(folder, start + 59).length, standingClaims(folder, start + 1_010).length]).toEqual([1, 0]);
  });

  it("is released by no other, unless by force", async () => {
    const folder = tempLog();
    await writeDraft(folder, { action: "claimed", topic: "x" }, author("A"), options);
    const tried = await releaseClaims(folder, author("B"), () => true, options);
    const forced = await releaseClaims(folder, author("B"), () => true, { ...options, force: true });
    expect([tried.length, forced.length, standingClaims(folder, Date.now() / 1000)]).toEqual([0, 1, []]);
  });
});
