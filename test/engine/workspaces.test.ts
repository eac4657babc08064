/** Isolated runs: the engine over real git, with a runner whose turns do the edits. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import type { Processes } from "../../src/core/ports.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { completed, failed, limited } from "../../src/testing/outcomes.ts";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import { openWorkspaces } from "../../src/workspace/open-workspaces.ts";
import { beginRepository, type Git } from "../git-repository.ts";
import { eventOf, held, scriptedPool, type ScriptedPool } from "./scripted-pool.ts";

interface Rig extends ScriptedPool {
  readonly repository: string;
  readonly git: Git;
}

/** A pool with isolation worktree in a repository with one commit on `main`. */
async function rig(script: RunnerScript, options: OpenPoolOptions = {}): Promise<Rig> {
  const repository = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-engine-")));
  onTestFinished(() => rmSync(repository, { recursive: true, force: true }));
  const git = beginRepository(repository);
  const opened = await scriptedPool({ cwd: repository, isolation: "worktree", ...options }, script);
  return { ...opened, repository, git };
}

/** A turn that appends its number to a file in its directory, and tells what it found there. */
function counting(answers: readonly ("ok" | "fail" | "limit")[]): RunnerScript {
  let turn = 0;
  return (_turn, { cwd }) => {
    const file = join(cwd, "log.txt");
    const found = existsSync(file) ? readFileSync(file, "utf8") : "";
    turn += 1;
    writeFileSync(file, `${found}${String(turn)}`);
    const answer = answers[turn - 1];
    if (answer === "fail") return failed("error");
    if (answer === "limit") return limited(Date.now() + 1);
    return completed(found);
  };
}

describe("an isolated run", () => {
  test("goes on with what stood there after a usage limit", async () => {
    const { pool, git } = await rig(counting(["limit", "ok"]), { rampStepMs: 1 });
    const task = await pool.submit("count");
    await task.outcome();
    expect(git("show", `refs/claude-pool/${task.id}:log.txt`)).toBe("12");
  });

  test("begins from its base when it is tried again, and what it left before is on a ref of its own", async () => {
    const { pool, git } = await rig(counting(["fail", "ok"]));
    const task = await pool.submit("count", { retries: 1 });
    await task.outcome();
    expect([
      git("show", `refs/claude-pool/${task.id}:log.txt`),
      git("show", `refs/claude-pool-earlier/${task.id}/1:log.txt`),
    ]).toEqual(["2", "1"]);
  });

  test.each([
    { start: "saved" as const, log: "12", what: "goes on in its work after a rejection" },
    { start: "base" as const, log: "2", what: "begins from its base after a rejection that asks for it" },
  ])("$what", async ({ start, log }) => {
    const { pool, git } = await rig(counting(["ok", "ok"]));
    const task = await pool.submit("count", { review: true });
    await task.outcome();
    await pool.reject(task.id, "again", { start });
    await task.outcome();
    expect(git("show", `refs/claude-pool/${task.id}:log.txt`)).toBe(log);
  });

  test("does not go on in its conversation in another directory than the one that speaks of, though its work goes along", async () => {
    const log = counting(["ok", "ok", "ok", "ok"]);
    const gates = new Map<string, () => void>();
    const both = Promise.withResolvers<undefined>();
    const { pool, runner, git } = await rig(
      async (turn, launch, context) => {
        if (turn.prompt === "hold") {
          const gate = Promise.withResolvers<undefined>();
          gates.set(launch.cwd, () => gate.resolve(undefined));
          if (gates.size === 2) both.resolve(undefined);
          await gate.promise;
        }
        return log(turn, launch, context);
      },
      { slots: 2 },
    );
    const task = await pool.submit("count", { review: true, afterRejection: "continue" });
    await task.outcome();
    const first = (await pool.get(task.id)).workspace?.path ?? "";
    const holding = await Promise.all(["hold", "hold"].map((prompt) => pool.submit(prompt)));
    await both.promise;
    await pool.reject(task.id, "again");
    for (const [path, release] of gates) if (path !== first) release();
    await task.outcome();
    for (const release of gates.values()) release();
    await Promise.all(holding.map((one) => one.outcome()));
    const own = runner.turns.filter(({ spec }) => spec.prompt.includes("count"));
    expect({
      moved: (await pool.get(task.id)).workspace?.path !== first,
      conversations: new Set(own.map(({ sessionId }) => sessionId)).size,
      prompted: own[1]?.spec.prompt.startsWith("count"),
      log: git("show", `refs/claude-pool/${task.id}:log.txt`).length,
    }).toEqual({ moved: true, conversations: 2, prompted: true, log: 2 });
  });

  test("fails where there is no repository, and no turn is made", async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-plain-")));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { pool, runner } = await scriptedPool({ cwd: folder, isolation: "worktree" });
    const task = await pool.submit("anything");
    const { state, result } = await task.outcome();
    expect({ state, reason: result?.reason, error: result?.error, turns: runner.turns.length }).toEqual({
      state: "failed",
      reason: "workspace",
      error:
        `Task ${task.id} is to work in a worktree of its own, but ${folder} is in no git repository. ` +
        "Run `git init` and commit, or ask for isolation none.",
      turns: 0,
    });
  });

  test("is stopped before its turn when its directory is not on its branch any more", async () => {
    const { pool, runner } = await rig(() => "ok");
    const first = await pool.submit("first");
    await first.outcome();
    const opened = runner.open.bind(runner);
    runner.open = async (launch, options) => {
      execFileSync("git", ["checkout", "-q", "--detach"], { cwd: launch.cwd });
      return opened(launch, options);
    };
    const second = await pool.submit("second", { systemPrompt: "Another process." });
    const { state, result } = await second.outcome();
    expect([state, result?.reason, runner.turns.length]).toEqual(["failed", "workspace", 1]);
  });

  test("is no completed task when its work cannot be saved, and its directory stays as it was", async () => {
    const { pool, repository, git } = await rig((_turn, { cwd }) => {
      writeFileSync(join(cwd, "work.txt"), "precious");
      writeFileSync(join(repository, ".git", "refs", "claude-pool"), "in the way");
      return completed("done");
    });
    const task = await pool.submit("work");
    const { state, result } = await task.outcome();
    const { workspace } = await pool.get(task.id);
    const next = await (await pool.submit("next")).outcome();
    expect({
      ended: [state, result?.reason, result?.output],
      work: readFileSync(join(String(workspace?.path), "work.txt"), "utf8"),
      next: [next.state, next.result?.reason],
      shared: git("status", "--porcelain"),
    }).toEqual({
      ended: ["failed", "workspace", "done"],
      work: "precious",
      next: ["failed", "workspace"],
      shared: "",
    });
  });

  test("is cancelled in the middle of its checks, with its work saved and no check left alive", async () => {
    const mark = `claude-pool-check-${String(process.pid)}`;
    const { pool, git } = await rig(
      (_turn, { cwd }) => {
        writeFileSync(join(cwd, "work.txt"), "done");
        return completed("done");
      },
      { checks: [{ command: `tail -f /dev/null --sleep-interval=9 ${mark}` }] },
    );
    const task = await pool.submit("work");
    await eventOf(pool, "task.checking", task.id);
    await pool.cancel(task.id);
    const { state } = await task.outcome();
    const alive = execFileSync("ps", ["-eo", "args="], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.includes(mark));
    expect([state, git("show", `refs/claude-pool/${task.id}:work.txt`), alive]).toEqual(["cancelled", "done", []]);
  });

  test("tells what it is at while its directory is set up and its work is checked", async () => {
    const { pool } = await rig(() => "ok", {
      worktreeSetup: "true",
      checks: [{ name: "look", command: "true" }],
    });
    const task = await pool.submit("work");
    await task.outcome();
    const told: unknown[] = [];
    for await (const event of task.events()) {
      if (event.type === "task.preparing") told.push([event.type, event.data.isolation, event.data.setup]);
      if (event.type === "task.checking") told.push([event.type, event.data.checks]);
      if (event.type === "task.workspace" || event.type === "task.finished") told.push(event.type);
    }
    expect(told).toEqual([
      ["task.preparing", "worktree", "true"],
      "task.workspace",
      ["task.checking", ["look"]],
      "task.finished",
    ]);
  });

  test("fails after its checks have sent it back as often as they may", async () => {
    const { pool, runner } = await rig(() => "ok", { checks: [{ command: "echo no; exit 3" }], checkRetries: 1 });
    const task = await pool.submit("work");
    const { state, result } = await task.outcome();
    expect({
      state,
      reason: result?.reason,
      told: runner.turns.map(({ spec }) => spec.prompt.includes("$ echo no; exit 3\nended with code 3")),
    }).toEqual({
      state: "failed",
      reason: "checks",
      told: [false, true],
    });
  });

  test("is refused checks without a tree of its own", async () => {
    const { pool } = await rig(() => "ok", { slots: [{ isolation: "none" }] });
    const task = await pool.submit("work", { checks: [{ command: "true" }] });
    const { state, result } = await task.outcome();
    expect([state, result?.reason]).toEqual(["failed", "workspace"]);
  });

  test("with a clone has no directory left when it is over, and its work is in the repository", async () => {
    const { pool, git } = await rig((_turn, { cwd }) => {
      writeFileSync(join(cwd, "work.txt"), "done");
      return completed("done");
    });
    const task = await pool.submit("work", { isolation: "clone" });
    await task.outcome();
    const { workspace } = await pool.get(task.id);
    await pool.close();
    expect([git("show", `refs/claude-pool/${task.id}:work.txt`), existsSync(String(workspace?.path))]).toEqual([
      "done",
      false,
    ]);
  });
});

describe("a lost run", () => {
  test("goes back to the queue though a process that hangs holds its directory", async () => {
    const real = systemProcesses();
    const dead: Processes = { ...real, self: { pid: 4_000_000, startTime: "1" } };
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-store-")));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const store = join(folder, "pool.db");
    const first = await rig(() => new Promise(() => undefined), { store, processes: dead });
    const task = await first.pool.submit("it");
    await first.runner.waitForTurn("it");
    const { workspace } = await first.pool.get(task.id);
    const hanging = held<undefined>();
    const place = { repository: join(first.repository, ".git"), path: workspace?.path ?? "" };
    const holding = openWorkspaces({ processes: real }).alone(place, undefined, () => hanging.promise);
    const second = await scriptedPool({ cwd: first.repository, isolation: "worktree", store, leaseMs: 1 });
    await eventOf(second.pool, "task.requeued", task.id);
    hanging.release(undefined);
    await holding;
    const { state } = await second.pool.task(task.id).outcome();
    expect(state).toBe("completed");
  });
});

describe("steps of a chain side by side", () => {
  /** Each turn leaves a file with the name of its prompt. */
  const leaving: RunnerScript = ({ prompt }, { cwd }) => {
    writeFileSync(join(cwd, `${prompt}.txt`), "done\n");
    return completed("done");
  };
  const names = ["one", "two", "three", "four"];
  const steps = names.map((name) => ({ name, prompt: name, needs: [] }));

  test("have their directory made and set up once, however many begin together", async () => {
    const { pool, repository } = await rig(leaving, {
      slots: 4,
      worktreeSetup: `sleep 0.2; echo made >> "$CLAUDE_POOL_CHECKOUT/.git/setups"`,
    });
    const chain = await pool.submitChain(steps);
    await chain.outcome();
    const progress = await pool.chainProgress(chain.id);
    expect([
      progress.steps.map(({ state }) => state),
      readFileSync(join(repository, ".git", "setups"), "utf8"),
    ]).toEqual([names.map(() => "completed"), "made\n"]);
  });

  test("that end together are all in the work of the chain", async () => {
    const all = Promise.withResolvers<undefined>();
    let begun = 0;
    const { pool, git } = await rig(
      async (...args) => {
        begun += 1;
        if (begun === names.length) all.resolve(undefined);
        await all.promise;
        return leaving(...args);
      },
      { slots: 4 },
    );
    const chain = await pool.submitChain(steps);
    await chain.outcome();
    const { workspace } = await pool.get(chain.id);
    const listed = git("ls-tree", "--name-only", String(workspace?.saved?.commit)).split("\n");
    expect(listed).toEqual(["a.txt", ...names.map((name) => `${name}.txt`)].toSorted());
  });
});
