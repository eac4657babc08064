import fs, {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { appendEntry, type AppendOptions } from "../../src/activity/append.ts";
import { lineOf } from "../../src/activity/line.ts";
import { ownMark } from "../../src/activity/living.ts";
import { takeLock, tryLock } from "../../src/activity/lock.ts";
import { archivesOf, readLog, readSince } from "../../src/activity/read.ts";
import { readSessions, writeSession } from "../../src/activity/sessions.ts";
import { all, entry, tempFolder, tempLog, textOf } from "./temp-log.ts";

const options: AppendOptions = { waitMs: 300 };
const unlimited: AppendOptions = { waitMs: 300, unlimited: true, repeat: true };
const small = { maxBytes: 4_096, maxAge: 7 * 86_400, agedBytes: 1_024, archives: 4, carriedBytes: 2_048 };

function seconds(): number {
  return Date.now() / 1000;
}

/** What another writer does in the moment before the next record is written: no test meets it by chance. */
function betweenLookAndWrite(act: () => void): void {
  const write = fs.writeSync;
  const giveBack = (): void => {
    fs.writeSync = write;
    syncBuiltinESMExports();
  };
  onTestFinished(giveBack);
  fs.writeSync = ((...given: Parameters<typeof write>) => {
    giveBack();
    act();
    return write(...given);
  }) as typeof write;
  syncBuiltinESMExports();
}

describe("appending", () => {
  it("makes the folder, closed to others, and writes one line", async () => {
    const folder = tempLog();
    const one = entry({ topic: "x" });
    const answer = await appendEntry(folder, one, options);
    const modes = [folder.root, folder.sessions, folder.archive, folder.file].map(
      (path) => statSync(path).mode & 0o777,
    );
    expect({ answer, modes, text: textOf(folder), left: readdirSync(folder.root).sort() }).toEqual({
      answer: { written: true, locked: true },
      modes: [0o700, 0o700, 0o700, 0o600],
      text: lineOf(one).toString(),
      left: ["archive", "instance_state.jsonl", "sessions"],
    });
  });

  it("closes a torn tail, so that the next record is whole", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ topic: "one" }), options);
    appendFileSync(folder.file, '{"v":2,"id":"torn","timesta');
    await appendEntry(folder, entry({ topic: "two" }), options);
    const read = readLog(folder, { now: seconds() });
    expect([read.entries.map(({ topic }) => topic), read.skipped]).toEqual([
      ["one", "two"],
      { notEntry: 0, notJson: 1, oversized: 0 },
    ]);
  });

  it.each(["", "one"])(
    "is whole when a tail is torn between the look at it and the write, after %j",
    async (before) => {
      const folder = tempLog();
      if (before !== "") await appendEntry(folder, entry({ topic: before }), options);
      betweenLookAndWrite(() => appendFileSync(folder.file, '{"v":2,"id":"torn","timesta'));
      await appendEntry(folder, entry({ topic: "two" }), options);
      const read = readLog(folder, { now: seconds() });
      expect([read.entries.map(({ topic }) => topic), read.skipped]).toEqual([
        [...(before === "" ? [] : [before]), "two"],
        { notEntry: 0, notJson: 1, oversized: 0 },
      ]);
    },
  );

  it("is written once when another writes between the look at the tail and the write", async () => {
    const folder = tempLog();
    const [one, two] = [entry({ topic: "one" }), entry({ topic: "two" })];
    betweenLookAndWrite(() => appendFileSync(folder.file, lineOf(one)));
    await appendEntry(folder, two, options);
    expect(textOf(folder)).toBe(Buffer.concat([lineOf(one), lineOf(two)]).toString());
  });

  it("happens without the lock too, on a line of its own", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ topic: "one" }), options);
    const lock = tryLock(folder.lock);
    const answer = await appendEntry(folder, entry({ topic: "two" }), { waitMs: 20 });
    lock?.release();
    expect([answer, all(folder).map(({ topic }) => topic)]).toEqual([{ written: true, locked: false }, ["one", "two"]]);
  });

  it("writes what a terminal says three times once", async () => {
    const folder = tempLog();
    const say = (topic: string, instance = "A") =>
      appendEntry(folder, entry({ action: "completed", topic, summary: "Done." }, { sessionId: instance }), options);
    const answers = [
      await say("Auth"),
      await say("AUTH "),
      await say("auth"),
      await say("Auth", "B"),
      await say("Other"),
    ];
    expect([answers.map(({ written }) => written), all(folder).length]).toEqual([[true, false, false, true, true], 3]);
  });

  it("writes again what was undone in between, or is over", async () => {
    const folder = tempLog();
    const say = async (action: string, ttl = 3_600, now = seconds()) =>
      (await appendEntry(folder, entry({ action, topic: "CI", ttl }, {}, now), { ...options, now })).written;
    const answers = [await say("blocked"), await say("resolved"), await say("blocked"), await say("blocked")];
    const over = [await say("signaling", 60), await say("signaling", 60, seconds() + 61)];
    expect([answers, over]).toEqual([
      [true, true, true, false],
      [true, true],
    ]);
  });

  it("knows a repetition also after the log has rotated", async () => {
    const folder = tempLog();
    const say = () =>
      appendEntry(folder, entry({ action: "completed", topic: "x" }), {
        ...options,
        rotation: { ...small, maxBytes: 10 },
      });
    const first = await say();
    const second = await say();
    expect([first.written, archivesOf(folder).length, second]).toEqual([
      true,
      1,
      { written: false, locked: true, because: "duplicate" },
    ]);
  });

  it("stops a flood of one terminal at twelve a minute, and lets others go on", async () => {
    const folder = tempLog();
    const post = async (topic: string, sessionId: string) =>
      (await appendEntry(folder, entry({ topic }, { sessionId }), options)).because;
    const flood: unknown[] = [];
    for (let index = 0; index < 14; index += 1) flood.push(await post(`t${String(index)}`, "A"));
    expect([
      flood.filter((because) => because === "flood").length,
      await post("other", "B"),
      all(folder).length,
    ]).toEqual([2, undefined, 13]);
  });

  it("stops at two hundred a day", async () => {
    const folder = tempLog();
    const start = seconds();
    let written = 0;
    for (let index = 0; index < 205; index += 1) {
      const now = start + index * 60;
      const answer = await appendEntry(folder, entry({ topic: `t${String(index)}` }, {}, now), { ...options, now });
      written += answer.written ? 1 : 0;
    }
    expect(written).toBe(200);
  });

  it("makes its folder again when it was removed meanwhile", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ topic: "one" }), options);
    rmSync(folder.root, { recursive: true });
    await appendEntry(folder, entry({ topic: "two" }), options);
    expect(all(folder).map(({ topic }) => topic)).toEqual(["two"]);
  });

  it("refuses a folder that is a link, and closes one that is open", async () => {
    const [folder, other] = [tempLog(), tempFolder()];
    symlinkSync(other, folder.root);
    writeFileSync(folder.file, lineOf(entry({ topic: "from elsewhere" })));
    const open = tempLog();
    mkdirSync(open.root, { recursive: true });
    chmodSync(open.root, 0o777);
    await appendEntry(open, entry({ topic: "x" }), options);
    const refused = await appendEntry(folder, entry({ topic: "x" }), options).catch(
      (error: unknown) => (error as Error).name,
    );
    expect([refused, all(folder), readdirSync(other), statSync(open.root).mode & 0o777]).toEqual([
      "LogFolderError",
      [],
      ["instance_state.jsonl"],
      0o700,
    ]);
  });

  it.skipIf(process.getuid?.() === 0)("says so where the home cannot be written", async () => {
    const folder = tempLog();
    mkdirSync(join(folder.root, ".."), { recursive: true });
    chmodSync(join(folder.root, ".."), 0o500);
    onTestFinished(() => chmodSync(join(folder.root, ".."), 0o700));
    await expect(appendEntry(folder, entry({ topic: "x" }), options)).rejects.toThrow(/EACCES/);
  });

  it("says so where the home is a file", async () => {
    const folder = tempLog();
    writeFileSync(folder.root, "");
    await expect(appendEntry(folder, entry({ topic: "x" }), options)).rejects.toThrow(/EEXIST|ENOTDIR/);
  });
});

describe("the lock", () => {
  it("of a process that is gone is broken at once, and of a living one waited for", async () => {
    const folder = tempFolder();
    const [left, held] = [join(folder, "left"), join(folder, "held")];
    const gone = { ...ownMark(), pid: 2 ** 22 - 3, start: "1" };
    writeFileSync(left, JSON.stringify(gone));
    writeFileSync(held, JSON.stringify(ownMark()));
    const locks = [await takeLock(left, 0), await takeLock(held, 10)];
    expect(locks.map((lock) => lock !== undefined)).toEqual([true, false]);
  });

  it("of the same pid with another start is broken: the pid has been given away", async () => {
    const path = join(tempFolder(), "lock");
    writeFileSync(path, JSON.stringify({ ...ownMark(), start: "1" }));
    expect(await takeLock(path, 0)).toBeDefined();
  });

  it("of another machine, or unreadable, is left alone while it is young", async () => {
    const folder = tempFolder();
    const [other, empty] = [join(folder, "other"), join(folder, "empty")];
    writeFileSync(other, JSON.stringify({ ...ownMark(), machine: "elsewhere" }));
    writeFileSync(empty, "");
    expect([await takeLock(other, 10), await takeLock(empty, 10)]).toEqual([undefined, undefined]);
  });

  it("is given back to nobody but its holder's successor", async () => {
    const path = join(tempFolder(), "lock");
    const first = await takeLock(path, 0);
    rmSync(path);
    const second = await takeLock(path, 0);
    first?.release();
    expect([second !== undefined, tryLock(path)]).toEqual([true, undefined]);
  });
});

describe("reading", () => {
  it("shows the good lines among every kind of bad one, and counts those", () => {
    const folder = tempLog();
    const good = (topic: string): string => lineOf(entry({ topic })).toString();
    const bad = [
      "null",
      "1",
      '"x"',
      "[]",
      "{}",
      "{",
      "\0\0\0",
      "",
      "   ",
      '{"timestamp":{}}',
      `"${"x".repeat(70_000)}"`,
    ];
    mkdirSync(folder.root, { recursive: true });
    writeFileSync(
      folder.file,
      `\uFEFF${good("one")}${bad.join("\n")}\n${good("two").replace("\n", "\r\n")}${good("three")}`,
    );
    appendFileSync(folder.file, Buffer.from([0xff, 0xfe, 10]));
    appendFileSync(folder.file, good("unfinished").trim());
    const { entries, skipped } = readLog(folder, { now: seconds() });
    expect([entries.map(({ topic }) => topic), skipped]).toEqual([
      ["one", "two", "three"],
      { notEntry: 6, notJson: 3, oversized: 1 },
    ]);
  });

  it("starts in the middle of a file that is larger than it may read", () => {
    const folder = tempLog();
    mkdirSync(folder.root, { recursive: true });
    const lines = Array.from({ length: 100 }, (_, index) => lineOf(entry({ topic: `t${String(index)}` })).toString());
    writeFileSync(folder.file, lines.join(""));
    const { entries, skipped } = readLog(folder, { now: seconds(), maxBytes: 1_000 });
    const whole = Math.floor(1_000 / (lines[99]?.length ?? 1));
    expect([entries.map(({ topic }) => topic), skipped.notJson]).toEqual([
      Array.from({ length: whole }, (_, index) => `t${String(100 - whole + index)}`),
      0,
    ]);
  });

  it("hides what is over to the second, and other projects", () => {
    const folder = tempLog();
    mkdirSync(folder.root, { recursive: true });
    const now = 1_800_000_000;
    const made = [
      entry({ topic: "over", ttl: 60 }, {}, now - 60),
      entry({ topic: "just not over", ttl: 60 }, {}, now - 59),
      entry({ topic: "other" }, { project: "other-0" }, now),
    ];
    writeFileSync(folder.file, Buffer.concat(made.map((one) => lineOf(one))));
    expect(readLog(folder, { now, project: "demo-0123456789ab" }).entries.map(({ topic }) => topic)).toEqual([
      "just not over",
    ]);
  });

  it("of a log that is not there finds nothing and makes nothing", () => {
    const folder = tempLog();
    const { entries } = readLog(folder, { now: 1 });
    expect([entries, statSync(folder.root, { throwIfNoEntry: false })]).toEqual([[], undefined]);
  });
});

describe("a cursor", () => {
  it("finds what came after it, also over a rotation that copied a claim forward", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ action: "claimed", topic: "held" }), unlimited);
    const before = readLog(folder, { now: seconds() }).cursor;
    await appendEntry(folder, entry({ topic: "news" }), { ...unlimited, rotation: { ...small, maxBytes: 10 } });
    await appendEntry(folder, entry({ topic: "more" }), unlimited);
    const first = readSince(folder, before, { now: seconds() });
    const second = readSince(folder, first.cursor, { now: seconds() });
    expect([first.entries.map(({ topic }) => topic), second.entries, textOf(folder).includes("held")]).toEqual([
      ["news", "more"],
      [],
      true,
    ]);
  });

  it("of a log that was not there yet finds all that came, whatever its time", async () => {
    const folder = tempLog();
    const { cursor } = readLog(folder, { now: seconds() });
    await appendEntry(folder, entry({ topic: "waited for the lock" }, {}, seconds() - 2), unlimited);
    const { entries } = readSince(folder, cursor, { now: seconds() });
    expect(entries.map(({ topic }) => topic)).toEqual(["waited for the lock"]);
  });

  it("whose file is gone falls back to its time", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ topic: "old" }, {}, seconds() - 100), unlimited);
    await appendEntry(folder, entry({ topic: "new" }), unlimited);
    const { entries } = readSince(folder, { file: "1:2:3", offset: 99, at: seconds() - 50 }, { now: seconds() });
    expect(entries.map(({ topic }) => topic)).toEqual(["new"]);
  });
});

describe("rotation", () => {
  it("keeps every record readable, copies forward what stands, and keeps four archives", async () => {
    const folder = tempLog();
    const rotation = small;
    await appendEntry(folder, entry({ action: "claimed", topic: "held", paths: ["src"] }), { ...unlimited, rotation });
    await appendEntry(folder, entry({ action: "claimed", topic: "let go", paths: ["lib"] }), {
      ...unlimited,
      rotation,
    });
    await appendEntry(folder, entry({ action: "released", topic: "let go" }), { ...unlimited, rotation });
    await appendEntry(folder, entry({ action: "blocked", topic: "stuck" }), { ...unlimited, rotation });
    await appendEntry(folder, entry({ topic: "heed", blocks: "everybody" }), { ...unlimited, rotation });
    for (let index = 0; index < 100; index += 1) {
      await appendEntry(folder, entry({ topic: `t${String(index)}` }), { ...unlimited, rotation });
    }
    const current = textOf(folder)
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { readonly topic: string }).topic);
    const seen = all(folder).map(({ topic }) => topic);
    expect({
      carried: current.slice(0, 3),
      archives: archivesOf(folder).length,
      sorted: archivesOf(folder).toSorted(),
      once: seen.length === new Set(seen).size,
      last: seen.at(-1),
    }).toEqual({
      carried: ["held", "stuck", "heed"],
      archives: 4,
      sorted: archivesOf(folder),
      once: true,
      last: "t99",
    });
  });

  it("carries a blocker or not by the order of the file, not by clocks", async () => {
    const folder = tempLog();
    const now = seconds();
    await appendEntry(folder, entry({ action: "resolved", topic: "again" }, {}, now - 10), unlimited);
    await appendEntry(folder, entry({ action: "blocked", topic: "again" }, {}, now - 20), unlimited);
    await appendEntry(folder, entry({ action: "blocked", topic: "over" }, {}, now - 10), unlimited);
    await appendEntry(folder, entry({ action: "resolved", topic: "over" }, {}, now - 20), unlimited);
    await appendEntry(folder, entry({ topic: "last" }), { ...unlimited, rotation: { ...small, maxBytes: 10 } });
    const carried = readLog(folder, { now: seconds(), archives: "none" }).entries;
    expect(carried.map(({ topic, action }) => `${action} ${topic}`)).toEqual(["blocked again"]);
  });

  it("that fails takes nothing back: the record stands, and the error log says why", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ topic: "one" }), unlimited);
    rmSync(folder.archive, { recursive: true });
    writeFileSync(folder.archive, "in the way");
    const answer = await appendEntry(folder, entry({ topic: "two" }), {
      ...unlimited,
      rotation: { ...small, maxBytes: 10 },
    });
    const problems = readFileSync(join(folder.root, "errors.log"), "utf8");
    expect([answer, all(folder).length, /ENOTDIR|EEXIST/.test(problems)]).toEqual([
      { written: true, locked: true },
      2,
      true,
    ]);
  });

  it("forgets terminals that nobody has seen for longer than anything lives", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ topic: "x" }), options);
    const session = { label: "A", startedAt: 1 };
    writeSession(folder, { ...session, sid: "1111111111111111", seenAt: seconds() - 9 * 86_400 });
    writeSession(folder, { ...session, sid: "2222222222222222", seenAt: seconds() - 7 * 86_400 });
    await appendEntry(folder, entry({ topic: "y" }), { ...unlimited, rotation: { ...small, maxBytes: 10 } });
    expect(readSessions(folder).map(({ sid }) => sid)).toEqual(["2222222222222222"]);
  });

  it("also happens to a smaller file whose first record is a week old", async () => {
    const folder = tempLog();
    const old = seconds() - 8 * 86_400;
    for (let index = 0; index < 5; index += 1) {
      await appendEntry(folder, entry({ topic: `t${String(index)}` }, {}, old), {
        ...unlimited,
        rotation: { ...small, agedBytes: 1e6 },
      });
    }
    await appendEntry(folder, entry({ topic: "today" }), { ...unlimited, rotation: small });
    expect([
      archivesOf(folder).length,
      readFileSync(join(folder.archive, archivesOf(folder)[0] ?? ""), "utf8").split("\n").length,
    ]).toEqual([1, 7]);
  });

  it("of two at the same moment, when both hold the lock, gives each archive a name of its own", async () => {
    const now = seconds();
    const folders = [tempLog(), tempLog()];
    for (const folder of folders)
      await appendEntry(folder, entry({ topic: "x" }), { ...unlimited, now, rotation: { ...small, maxBytes: 10 } });
    expect(new Set(folders.flatMap(archivesOf)).size).toBe(2);
  });

  it("that was killed after its rename loses nothing: the archive is read, and carried from the next time", async () => {
    const folder = tempLog();
    await appendEntry(folder, entry({ action: "claimed", topic: "held", paths: ["src"] }), unlimited);
    renameSync(folder.file, join(folder.archive, "instance_state.20260101T000000-000Z.jsonl"));
    await appendEntry(folder, entry({ topic: "next" }), { ...unlimited, rotation: { ...small, maxBytes: 10 } });
    expect([all(folder).map(({ topic }) => topic), textOf(folder).includes("held")]).toEqual([["held", "next"], true]);
  });
});
