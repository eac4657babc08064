/** Tasks that name paths, and the activity log they share with terminals: the engine over a real log. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import type { Processes } from "../../src/core/ports.ts";
import type { ActivityLog } from "../../src/activity-log.ts";
import { openActivityLog } from "../../src/open-activity-log.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { completed, failed } from "../../src/testing/outcomes.ts";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { eventOf, held, scriptedPool, type ScriptedPool } from "./scripted-pool.ts";

interface Rig extends ScriptedPool {
  /** Another terminal's hand on the log. */
  readonly terminal: ActivityLog;
  readonly cwd: string;
}

async function rig(options: OpenPoolOptions = {}, script?: RunnerScript): Promise<Rig> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-activity-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const cwd = realpathSync(mkdtempSync(join(root, "work-")));
  const env = { POOL_HOME: join(root, "log") };
  const opened = await scriptedPool({ cwd, env, ...options }, script);
  return { ...opened, terminal: terminalIn(cwd, env.POOL_HOME), cwd };
}

function terminalIn(cwd: string, logHome: string): ActivityLog {
  const env = { ...process.env, POOL_HOME: logHome };
  return openActivityLog({ cwd, env, instance: "ada", sessionId: "terminal-of-ada" });
}

const said = (log: ActivityLog, instance: string): readonly string[] =>
  log
    .list({ includeExpired: true, all: true })
    .entries.filter((entry) => entry.sourceInstance === instance)
    .map((entry) => `${entry.action} ${entry.affects}`)
    .reverse();

describe("a task that names paths", () => {
  test("claims them under its slot's name, and says how it ended", async () => {
    const { pool, terminal } = await rig({}, () => completed("all done"));
    const task = await pool.submit("mend it", { paths: ["src/auth/**", "port:3000"] });
    await task.outcome();
    await pool.close();
    expect(said(terminal, "slot-1")).toEqual(["claimed src/auth/**, port:3000", "completed src/auth/**, port:3000"]);
  });

  test("tells why it is blocked when it failed", async () => {
    const { pool, terminal } = await rig({}, () => failed("error", { error: "no such module" }));
    const task = await pool.submit("mend it", { paths: ["src/a.ts"] });
    await task.outcome();
    await pool.close();
    const [last] = terminal.list().entries;
    expect([last?.action, last?.summary]).toEqual(["blocked", "error: no such module"]);
  });

  test("is held while another terminal holds one of them, names it, and starts when it is released", async () => {
    const { pool, runner, terminal } = await rig();
    await terminal.claim({ affects: ["src/auth/token.ts"], topic: "rewriting tokens" });
    const task = await pool.submit("mend it", { paths: ["src/auth/**"] });
    await eventOf(pool, "task.held", task.id);
    const held = await noted(pool, task.id);
    const before = runner.turns.length;
    await terminal.release();
    const { state } = await task.outcome();
    expect({ reason: held?.reason, note: held?.note?.replace(/\S+Z: /, ""), before, state }).toEqual({
      reason: "claim",
      note: "ada claimed src/auth/token.ts at rewriting tokens",
      before: 0,
      state: "completed",
    });
  });

  test("starts after its time of waiting is over, and the model is told of the claim", async () => {
    const { pool, runner, terminal } = await rig();
    await terminal.claim({ affects: ["src/a.ts"], topic: "mine for long" });
    const task = await pool.submit("mend it", { paths: ["src/a.ts"], claimWaitMs: 50 });
    await task.outcome();
    expect(runner.turns.map(({ spec }) => spec.context?.includes("mine for long"))).toEqual([true]);
  });

  test("waits for a claim that it meets after a longer time in a busy queue", async () => {
    const clock = manualClock();
    const { pool, terminal } = await rig({ clock }, async ({ prompt }) => (prompt === "long" ? first.promise : "ok"));
    const first = held<string>();
    await pool.submit("long");
    const task = await pool.submit("mend it", { paths: ["src/a.ts"], claimWaitMs: 60_000 });
    await eventOf(pool, "task.unheld", task.id);
    clock.advance(600_000);
    await terminal.claim({ affects: ["src/a.ts"], topic: "mine for long" });
    first.release("done");
    await eventOf(pool, "task.requeued", task.id);
    const { hold } = await pool.get(task.id);
    clock.advance(60_000);
    const { state } = await task.outcome();
    expect([hold?.reason, hold?.note?.startsWith("ada"), hold?.untilMs, state]).toEqual([
      "claim",
      true,
      clock.now(),
      "completed",
    ]);
  });

  test("does not wait where it was told not to", async () => {
    const { pool, terminal } = await rig();
    await terminal.claim({ affects: ["src/a.ts"] });
    const task = await pool.submit("mend it", { paths: ["src/a.ts"], claimWaitMs: 0 });
    const { state } = await task.outcome();
    const held = [];
    for await (const event of pool.events({ after: 0, follow: false }))
      if (event.type === "task.held") held.push(event);
    expect([state, held]).toEqual(["completed", []]);
  });

  test("never works beside another task on the same paths", async () => {
    let [now, most] = [0, 0];
    const { pool } = await rig({ slots: 3 }, async () => {
      most = Math.max(most, (now += 1));
      await Promise.resolve();
      await new Promise(setImmediate);
      now -= 1;
      return "ok";
    });
    const tasks = await pool.submitMany(
      Array.from({ length: 6 }, (_, index) => ({ prompt: `edit ${String(index)}`, paths: ["src/one.ts"] })),
    );
    const { done } = await pool.wait(tasks.map(({ id }) => id));
    expect([most, done.map(({ state }) => state)]).toEqual([1, Array(6).fill("completed")]);
  });

  test("starts as soon as it is free, behind any number that are not", async () => {
    const { pool, terminal } = await rig();
    await terminal.claim({ affects: ["src/a.ts"], topic: "mine for long" });
    await pool.submitMany(Array.from({ length: 120 }, () => ({ prompt: "wait", paths: ["src/a.ts"], priority: 5 })));
    const task = await pool.submit("mend it", { paths: ["src/b.ts"] });
    expect((await task.outcome()).state).toBe("completed");
  });

  test("waits in the queue, not in a slot, for another task that needs the same", async () => {
    const { pool } = await rig({ slots: 3 });
    const tasks = await pool.submitMany(
      Array.from({ length: 5 }, (_, index) => ({ prompt: `edit ${String(index)}`, paths: ["src/one.ts"] })),
    );
    await pool.wait(tasks.map(({ id }) => id));
    const runs = await Promise.all(tasks.map(({ id }) => pool.runs(id)));
    expect(runs.map((of) => of.map(({ outcome }) => outcome))).toEqual(Array(5).fill(["completed"]));
  });

  test("holds its claim over a retry", async () => {
    const standing: (readonly string[])[] = [];
    const opened: Rig = await rig({}, async () => {
      // The end of the run before this one may be on its way still.
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      standing.push(opened.terminal.claims().map(({ entry }) => entry.affects));
      return standing.length < 3 ? failed("error") : completed("at last");
    });
    const task = await opened.pool.submit("mend it", { paths: ["src/a.ts"], retries: 2, retryDelayMs: 0 });
    await task.outcome();
    await opened.pool.close();
    expect([standing, opened.terminal.claims()]).toEqual([Array(3).fill(["src/a.ts"]), []]);
  });

  test("writes nothing of a claim that it did not get", async () => {
    const { pool, terminal } = await rig();
    await terminal.claim({ affects: ["src/a.ts"], topic: "mine for long" });
    const task = await pool.submit("mend it", { paths: ["src/a.ts"] });
    await eventOf(pool, "task.held", task.id);
    await noted(pool, task.id);
    await task.cancel();
    await pool.close();
    expect(said(terminal, "slot-1")).toEqual([]);
  });

  test("releases what it holds when it is cancelled", async () => {
    const { pool, runner, terminal } = await rig({}, () => new Promise(() => undefined));
    const task = await pool.submit("mend it", { paths: ["src/a.ts"] });
    await runner.waitForTurn("mend it");
    await task.cancel();
    await pool.close();
    expect([said(terminal, "slot-1"), terminal.claims()]).toEqual([["claimed src/a.ts", "released src/a.ts"], []]);
  });

  test("is left to its run where its directory has gone, and stops no other", async () => {
    const { pool, terminal: outside, cwd } = await rig({ slots: 2 });
    execFileSync("git", ["init", "--quiet", cwd], {
      env: { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: "1" },
    });
    const terminal = terminalIn(cwd, outside.root);
    mkdirSync(join(cwd, "sub"));
    await terminal.claim({ affects: ["sub/a.ts"] });
    const task = await pool.submit("mend it", { cwd: join(cwd, "sub"), paths: ["a.ts"] });
    await eventOf(pool, "task.held", task.id);
    await noted(pool, task.id);
    rmSync(join(cwd, "sub"), { recursive: true });
    await terminal.release();
    const { state } = await task.outcome();
    expect([state, (await pool.run("another")).output]).toEqual(["completed", "ok"]);
  });

  test("leaves no claim when its host dies, once another takes over", async () => {
    const store = join(mkdtempSync(join(tmpdir(), "claude-pool-activity-")), "pool.db");
    onTestFinished(() => rmSync(dirname(store), { recursive: true, force: true }));
    const dead: Processes = { ...systemProcesses(), self: { pid: 4_000_000, startTime: "1" } };
    const first = await rig({ store, processes: dead }, () => new Promise(() => undefined));
    const task = await first.pool.submit("mend it", { paths: ["src/a.ts"] });
    await first.runner.waitForTurn("mend it");
    const held = first.terminal.claims().map(({ entry }) => entry.affects);
    const env = { POOL_HOME: first.terminal.root };
    const second = await scriptedPool({ store, env, cwd: first.cwd });
    await second.pool.task(task.id).outcome();
    await second.pool.close();
    expect([held, first.terminal.claims(), said(first.terminal, "slot-1")[1]]).toEqual([
      ["src/a.ts"],
      [],
      "released src/a.ts",
    ]);
  });

  test("is claimed step by step in a chain", async () => {
    const { pool, terminal } = await rig();
    const chain = await pool.submitChain([
      { name: "plan", prompt: "plan it", paths: ["docs/plan.md"] },
      { name: "build", prompt: "build it", paths: ["src/**"] },
    ]);
    await chain.outcome();
    await pool.close();
    expect(said(terminal, "slot-1")).toEqual([
      "claimed docs/plan.md",
      "completed docs/plan.md",
      "claimed src/**",
      "completed src/**",
    ]);
  });

  test("is held again after it was moved to another pool", async () => {
    const { pool, terminal } = await rig();
    await terminal.claim({ affects: ["src/a.ts"], topic: "mine for long" });
    const task = await pool.submit("mend it", { paths: ["src/a.ts"] });
    await eventOf(pool, "task.held", task.id);
    await noted(pool, task.id);
    const other = await rig({ slots: 0 });
    await other.pool.import(pool.export());
    const { paths, hold, claimWaitMs } = await other.pool.get(task.id);
    expect([paths, hold?.reason, claimWaitMs]).toEqual([["src/a.ts"], "claim", 600_000]);
  });

  test("gives its process the slot's name, the log and the project", async () => {
    const { pool, runner, terminal } = await rig();
    await pool.run("anything");
    const { POOL_INSTANCE, POOL_HOME, POOL_PROJECT } = runner.turns[0]?.launch.env ?? {};
    expect([POOL_INSTANCE, POOL_HOME, POOL_PROJECT]).toEqual(["slot-1", terminal.root, terminal.project]);
  });

  test("is one terminal with the slot's other tasks, for whoever asks who is there", async () => {
    const { pool, terminal } = await rig();
    for (const path of ["a.ts", "b.ts", "c.ts"]) await pool.run({ prompt: `mend ${path}`, paths: [path] });
    await pool.close();
    const who = terminal.who().map(({ label, last }) => [label, last?.affects]);
    expect(who).toEqual([["slot-1", "c.ts"]]);
  });

  test("has each slot speak under its own name", async () => {
    const { pool, runner } = await rig({ slots: 3 }, async ({ prompt }) => {
      await runner.waitForTurn("last");
      return prompt;
    });
    await pool.fanOut(["first", "second", "last"]);
    expect(runner.turns.map(({ launch }) => launch.env.POOL_INSTANCE).sort()).toEqual(["slot-1", "slot-2", "slot-3"]);
  });

  test("takes no part where the pool's slots do not", async () => {
    const { pool, runner, terminal } = await rig({ activityLog: false });
    await terminal.claim({ affects: ["src/a.ts"], topic: "somebody's" });
    await pool.run({ prompt: "mend it", paths: ["src/a.ts"] });
    await pool.close();
    expect([said(terminal, "slot-1"), runner.turns[0]?.spec.context]).toEqual([[], undefined]);
  });
});

/** The task's hold, once somebody has looked whose claim it is. */
async function noted(
  pool: Rig["pool"],
  id: string,
): Promise<{ readonly reason: string; readonly note?: string } | undefined> {
  for (;;) {
    const { hold } = await pool.get(id);
    if (hold === undefined || hold.note !== undefined) return hold;
    await new Promise(setImmediate);
  }
}
