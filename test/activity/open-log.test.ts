import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { sidOf } from "../../src/activity/entry.ts";
import { folderAt } from "../../src/activity/place.ts";
import { forgetSessions, readSession, readSessions, writeSession } from "../../src/activity/sessions.ts";
import { openActivityLog, PoolError, type ActivityLog, type ActivityLogOptions } from "../../src/index.ts";
import { tempFolder } from "./temp-log.ts";

/** A project beside a home; `open` opens its log as somebody. */
function place(): {
  readonly root: string;
  readonly open: (options?: ActivityLogOptions, env?: Record<string, string>) => ActivityLog;
} {
  const folder = tempFolder();
  const [home, cwd] = [join(folder, "home"), join(folder, "project")];
  for (const path of [home, cwd]) mkdirSync(path);
  return {
    root: join(home, ".claude", "pool"),
    open: (options = {}, env = {}) => openActivityLog({ cwd, env: { HOME: home, ...env }, ...options }),
  };
}

function codeOf(body: () => unknown): unknown {
  try {
    return body();
  } catch (error) {
    return error instanceof PoolError ? `${error.code}: ${error.message}` : error;
  }
}

describe("a terminal's name", () => {
  it("comes from the option, POOL_INSTANCE, CLAUDE_INSTANCE, what its hooks call it, its hash", () => {
    const { open, root } = place();
    const claude = { CLAUDE_CODE_SESSION_ID: "11111111-aaaa" };
    const sid = sidOf(claude.CLAUDE_CODE_SESSION_ID);
    const names = [
      open({ instance: "mine" }, { POOL_INSTANCE: "x" }).instance,
      open({}, { POOL_INSTANCE: "P", CLAUDE_INSTANCE: "C" }).instance,
      open({}, { CLAUDE_INSTANCE: "C" }).instance,
      open({}, claude).instance,
    ];
    writeSession(folderAt(root), { sid, label: "quiet-otter", startedAt: 1, seenAt: 1 });
    expect([...names, open({}, claude).instance]).toEqual(["mine", "P", "C", `s-${sid.slice(0, 8)}`, "quiet-otter"]);
  });

  it("left unset makes two conversations strangers to each other", async () => {
    const { open } = place();
    const [one, two] = ["11111111-aaaa", "22222222-bbbb"].map((id) => open({}, { CLAUDE_CODE_SESSION_ID: id }));
    await one?.post({ topic: "x" });
    expect([one, two].map((log) => log?.list({ instance: "me" }).entries.length)).toEqual([1, 0]);
  });

  it("may be two terminals' at once: each owns only what it wrote", async () => {
    const { open } = place();
    const [one, two] = ["11111111-aaaa", "22222222-bbbb"].map((id) =>
      open({ instance: "A" }, { CLAUDE_CODE_SESSION_ID: id }),
    );
    await one?.claim({ affects: ["src"] });
    const refused = await two?.claim({ affects: ["src"] });
    expect([refused?.granted, two?.who().map(({ isOwn }) => isOwn)]).toEqual([false, [false]]);
  });
});

describe("the log as a library", () => {
  it("posts, claims, lists, gets, renews and releases", async () => {
    const { open } = place();
    const log = open({ instance: "A" });
    const posted = await log.post({
      action: "done",
      summary: "All tests pass. Really.",
      affects: ["a.ts", "port:1"],
      ttl: 120,
    });
    const claimed = await log.claim({ affects: ["src/**"], summary: "why" });
    const again = await log.claim({ affects: ["src/**"], summary: "why" });
    const id = posted.entry?.id ?? "";
    expect({
      got: [log.get(id.slice(0, 35)).topic, log.get(id).ttl, log.get(id).resources],
      granted: [claimed.granted, again.granted, again.entry?.id === claimed.entry?.id],
      listed: log.list().entries.map(({ action }) => action),
      renewed: await log.renew(),
      released: (await log.release()).map(({ ref }) => ref === claimed.entry?.id),
      left: log.claims(),
    }).toEqual({
      got: ["All tests pass.", 120, ["port:1"]],
      granted: [true, true, true],
      listed: ["claimed", "completed"],
      renewed: [],
      released: [true],
      left: [],
    });
  });

  it("lists what was written within one millisecond by the order of the file, the last first", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    const log = place().open({ instance: "A" });
    for (const topic of ["one", "two", "three"]) await log.post({ topic });
    expect(log.list().entries.map(({ topic }) => topic)).toEqual(["three", "two", "one"]);
  });

  it("a blocker is resolved by the beginning of its id", async () => {
    const { open } = place();
    const log = open({ instance: "A" });
    const { entry } = await log.post({ action: "blocked", topic: "CI" });
    const { entry: resolved } = await log.post({
      action: "resolved",
      topic: "other words",
      ref: entry?.id.slice(0, 34) ?? "",
    });
    expect(resolved?.ref).toBe(entry?.id);
  });

  it("lets entries live as the user's config says", async () => {
    const { open, root } = place();
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, "config.json"), JSON.stringify({ profile: "recommended" }));
    const ttls = await Promise.all(
      [open(), open({ profile: "documented" })].map(
        async (log, index) => (await log.post({ action: "completed", topic: `t${String(index)}` })).entry?.ttl,
      ),
    );
    expect(ttls).toEqual([28_800, 3_600]);
  });

  it("refuses what it cannot use, naming the field", async () => {
    const { open } = place();
    const log = open();
    const rejected = async (body: () => Promise<unknown>): Promise<unknown> =>
      body().catch((error: unknown) =>
        codeOf(() => {
          throw error;
        }),
      );
    expect([
      await rejected(() => log.post({ topik: "x" } as never)),
      await rejected(() => log.post({})),
      await rejected(() => log.post({ topic: "x", ttl: 5 })),
      await rejected(() => log.claim({})),
      await rejected(() => log.claim({ affects: ["../.."] })),
      codeOf(() => log.get("nothing")),
      codeOf(() => log.list({ action: "frob-nicate" })),
      codeOf(() => open({ cwd: "/not/there" })),
    ]).toEqual([
      'invalid_options: unknown field "topik". Did you mean "topic"?',
      "invalid_options: topic: expected a topic or a summary that says something, got nothing.",
      "invalid_options: ttl: expected seconds, a whole number from 60 to 604800, got number 5.",
      "invalid_options: affects: expected what is claimed: paths, globs or resources, or a topic, got nothing.",
      "invalid_options: affects: none of it is a path or a resource.",
      expect.stringMatching(/^entry_not_found: No entry "nothing"/),
      expect.stringMatching(/^invalid_options: action: expected completed/),
      expect.stringMatching(/^cwd_not_found: No directory "\/not\/there"/),
    ]);
  });

  it("follows what comes, once, until the signal", async () => {
    const { open } = place();
    const log = open({ instance: "A" });
    const over = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { topic } of log.follow({ action: "completed", signal: over.signal })) {
        seen.push(topic);
        if (seen.length === 2) over.abort();
      }
    })();
    await log.post({ topic: "no", action: "health" });
    await log.post({ topic: "one", action: "completed" });
    await log.post({ topic: "two", action: "completed" });
    await following;
    expect(seen).toEqual(["one", "two"]);
  });
});

describe("the file of a terminal", () => {
  const session = { sid: "0123456789abcdef", label: "A", startedAt: 10, seenAt: 20 };

  it("comes back as it went, with keys that others keep in it", () => {
    const folder = folderAt(join(tempFolder(), "pool"));
    const full = {
      ...session,
      process: { pid: 1, start: "2", machine: "m" },
      cwd: "/x",
      project: "p",
      branch: "main",
      source: "startup",
      endedAt: 30,
      cursor: { file: "1:2:3", offset: 4, at: 5 },
      memory: { terms: ["a"], label_before: "B" },
    };
    writeSession(folder, full);
    expect([readSession(folder, session.sid), readSessions(folder).length]).toEqual([full, 1]);
  });

  it("that is damaged, missing or of another name is none", () => {
    const folder = folderAt(join(tempFolder(), "pool"));
    writeSession(folder, session);
    appendFileSync(join(folder.sessions, `${session.sid}.json`), "{");
    expect([
      readSession(folder, session.sid),
      readSession(folder, "fedcba9876543210"),
      readSession(folder, "../../etc/passwd"),
      codeOf(() => writeSession(folder, { ...session, sid: "../x" })),
    ]).toEqual([undefined, undefined, undefined, expect.any(TypeError)]);
  });

  it("is forgotten by age, with what lies beside it", () => {
    const folder = folderAt(join(tempFolder(), "pool"));
    writeSession(folder, session);
    writeSession(folder, { ...session, sid: "1111111111111111", seenAt: 99 });
    expect([forgetSessions(folder, 50), readSessions(folder).map(({ sid }) => sid)]).toEqual([1, ["1111111111111111"]]);
  });
});
