/** What a host's slots hold when the host is killed, and no other opens that pool. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ActivityLog } from "../../src/activity-log.ts";
import type { Activity } from "../../src/core/activity-port.ts";
import { writeSession } from "../../src/activity/sessions.ts";
import { livingClaims } from "../../src/activity/write.ts";
import { handle } from "../../src/hooks/handle.ts";
import { openActivityLog } from "../../src/open-activity-log.ts";
import { slotActivity } from "../../src/slot-activity.ts";
import { now, sampleEntry } from "./sample-entry.ts";
import { tempFolder, tempLog } from "./temp-log.ts";

interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Another terminal. */
  readonly ada: ActivityLog;
  /** The slots of a host in this process. */
  readonly slots: Activity;
}

function setup(): Place {
  const root = tempFolder();
  const [cwd, home] = [join(root, "work"), join(root, "home")];
  mkdirSync(cwd);
  const env = { ...process.env, HOME: home, POOL_HOME: join(root, "log"), CLAUDE_PROJECT_DIR: undefined };
  const ada = openActivityLog({ cwd, env, instance: "ada", sessionId: "session-of-ada" });
  const report = (error: unknown): never => {
    throw error;
  };
  return { cwd, env, ada, slots: slotActivity({ env, report }) };
}

/** A host that has claimed `src` for its slot. */
async function host({ cwd, ada }: Place): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("slot-host.ts", import.meta.url));
  const child = spawn(process.execPath, [program, cwd, ada.root, "src/"], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "close");
  child.kill("SIGKILL");
  await ended;
}

const task = (attempt: number): Parameters<Activity["claim"]>[0] => ({
  taskId: "task-1",
  slotId: "slot-1",
  attempt,
  cwd: "",
  paths: ["src/"],
  prompt: "mend it",
});

describe("a claim of a host that was killed", () => {
  it("stands in nobody's way from that moment on", async () => {
    const place = setup();
    const child = await host(place);
    const before = place.ada.claims().map(({ entry }) => entry.affects);
    await kill(child);
    const claims = place.ada.claims();
    const { granted } = await place.ada.claim({ affects: ["src/a.ts"] });
    expect([before, claims, granted]).toEqual([["src/"], [], true]);
  });

  it("is named no more before an edit, and in no view", async () => {
    const place = setup();
    const { cwd, env } = place;
    const asked = { sessionId: "session-of-bob", cwd };
    const edit = { ...asked, event: "PreToolUse", editedPath: join(cwd, "src/a.ts") } as const;
    const start = { ...asked, event: "SessionStart", source: "startup" } as const;
    const said = async (): Promise<readonly boolean[]> =>
      Promise.all(
        [edit, start].map(async (input) => {
          const answer = await handle(input, env, Date.now() / 1000);
          return answer?.hookSpecificOutput.additionalContext.includes("slot-1") === true;
        }),
      );
    const child = await host(place);
    const before = await said();
    await kill(child);
    expect([before, await said()]).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  it("shows its slot as gone", async () => {
    const place = setup();
    const child = await host(place);
    const state = (): readonly string[] => place.ada.who().map(({ label, state }) => `${label} ${state}`);
    const before = state();
    await kill(child);
    expect([before, state()]).toEqual([["slot-1 live"], ["slot-1 gone"]]);
  });
});

describe("what is kept of a host beside the log", () => {
  it("goes with the claim that it stands for", async () => {
    const place = setup();
    const sessions = join(place.ada.root, "sessions");
    const kept = (): readonly string[] => readdirSync(sessions).filter((name) => name.endsWith(".json"));
    const run = { ...task(1), cwd: place.cwd };
    const { id = "" } = await place.slots.claim(run);
    const during = kept().length;
    await place.slots.end(run, { how: "completed", summary: "ok", claim: id });
    expect([during, kept()]).toEqual([1, []]);
  });

  it("stays where the task's next run has claimed before this one's end was written", async () => {
    const place = setup();
    const [first, second] = [1, 2].map((attempt) => ({ ...task(attempt), cwd: place.cwd }));
    if (first === undefined || second === undefined) throw new Error("two runs");
    const { id = "" } = await place.slots.claim(first);
    await place.slots.claim(second);
    await place.slots.end(first, { how: "released", summary: "again", claim: id });
    expect(readdirSync(join(place.ada.root, "sessions")).filter((name) => name.endsWith(".json"))).toHaveLength(1);
  });

  it("is nothing where the claim was not granted", async () => {
    const place = setup();
    await place.ada.claim({ affects: ["src"] });
    await place.slots.claim({ ...task(1), cwd: place.cwd });
    const sessions = join(place.ada.root, "sessions");
    expect(existsSync(sessions) && readdirSync(sessions).some((name) => name.endsWith(".json"))).toBe(false);
  });
});

it("however many claims of the dead stand before it, a living one is told and none of theirs", () => {
  const folder = tempLog();
  const dead = Array.from({ length: 301 }, (_, index) => {
    const sid = index.toString(16).padStart(16, "d");
    writeSession(folder, { sid, label: "slot-1", startedAt: now - 90, seenAt: now - 90, endedAt: now - 90 });
    return sampleEntry({ action: "claimed", sid, sourceInstance: "slot-1", topic: sid });
  });
  const living = sampleEntry({ action: "claimed", sid: "b".repeat(16), sourceInstance: "B", topic: "mine" });

  const claims = livingClaims(folder, [...dead, living], now);

  expect(claims.map(({ entry }) => entry.topic)).toEqual(["mine"]);
});
