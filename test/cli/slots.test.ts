/** Messages, claims and restarts from the command line, to slots that another process hosts; routing on the real CLI. */
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { PoolError } from "../../src/core/errors.ts";
import { openPool } from "../../src/open-pool.ts";
import type { Pool } from "../../src/pool.ts";
import { scriptedRunner } from "../../src/testing/scripted-runner.ts";
import { apiError, startScriptedApi, structured, text, type ScriptedApi } from "../../src/testing/index.ts";
import { eventOf } from "../engine/scripted-pool.ts";
import { rig, type Ran, type Rig } from "./rig.ts";

interface Hosted {
  readonly pool: Pool;
  readonly run: (...argv: readonly string[]) => Promise<Ran>;
}

/** A pool whose slots this process hosts, and the program beside it. */
async function hosted(options: OpenPoolOptions = {}): Promise<Hosted> {
  const place = rig();
  const store = join(place.poolHome, "pool.db");
  const pool = await openPool({ cwd: place.project, store, runner: scriptedRunner(), ...options });
  onTestFinished(async () => {
    await pool.close();
    place[Symbol.dispose]();
  });
  return { pool, run: (...argv) => place.run([...argv, "--store", store]) };
}

describe("claude-pool message", () => {
  test("sends, counts, peeks, broadcasts and reads", async () => {
    const { run } = await hosted({ slots: 2 });
    const sent = await run("message", "send", "slot-1", "look here");
    const everyone = await run("message", "broadcast", "--from", "slot-1", "to all", "--json");
    const count = await run("message", "count", "slot-1");
    const peeked = await run("message", "peek", "slot-1", "--json");
    const read = await run("message", "read", "slot-1");
    const empty = await run("message", "read", "slot-1");
    expect({
      sent: [sent.exitCode, /^msg-[0-9a-f]{16}\n$/.test(sent.stdout)],
      everyone: everyone.stdout.split("\n").length - 1,
      count: count.stdout,
      peeked: JSON.parse(peeked.stdout) as unknown,
      read: read.stdout.includes("look here"),
      empty: empty.stdout,
    }).toEqual({
      sent: [0, true],
      everyone: 1,
      count: "1\n",
      peeked: {
        id: sent.stdout.trim(),
        from: "coordinator",
        to: "slot-1",
        content: "look here",
        sent_at_ms: expect.any(Number) as number,
      },
      read: true,
      empty: "",
    });
  });

  test.each([
    [["message", "send", "slot-9", "x"], 4, "slot-9"],
    [["message", "send", "nobody", "x"], 4, "nobody"],
    [["message", "send", "slot-1", " "], 2, "must say something"],
    [["message", "send", "slot-1", "x", "--from", "slot-9"], 4, "slot-9"],
    [["message", "count", "slot-9"], 4, "slot-9"],
  ] as const)("refuses %j", async (argv, exit, words) => {
    const { run } = await hosted();
    const ran = await run(...argv);
    expect([ran.exitCode, ran.stdout, ran.stderr.includes(words)]).toEqual([exit, "", true]);
  });
});

describe("claude-pool slots", () => {
  test("claim prints the task that a slot with pull then does; busy or of another kind it is refused", async () => {
    const { pool, run } = await hosted({ slots: [{ pull: true }, { pull: true }] });
    const nothing = await run("slots", "claim", "slot-1");
    const task = await pool.submit("it");
    const claimed = await run("slots", "claim", "slot-1", "--json");
    const outcome = await task.outcome();
    await run("slots", "configure", "slot-2", "--no-pull");
    const refused = await run("slots", "claim", "slot-2");
    const again = await run("slots", "configure", "slot-2", "--pull", "--json");
    expect({
      nothing: [nothing.exitCode, nothing.stdout],
      claimed: JSON.parse(claimed.stdout) as unknown,
      outcome: outcome.state,
      refused: [refused.exitCode, refused.stderr.includes("--pull")],
      again: (JSON.parse(again.stdout) as { readonly config: unknown }).config,
    }).toEqual({
      nothing: [0, ""],
      claimed: { slot_id: "slot-1", task_id: task.id },
      outcome: "completed",
      refused: [2, true],
      again: { pull: true },
    });
  });

  test("restart lets one that stays errored work again, and status and list say how it stands", async () => {
    const runner = scriptedRunner();
    runner.failOpen(new PoolError("claude_broken", "It said: no."), 1);
    const { pool, run } = await hosted({ runner, maxRestarts: 0 });
    const task = await pool.submit("it");
    await eventOf(pool, "slot.errored");
    const status = await run("status");
    const list = await run("slots", "--json");
    const restarted = await run("slots", "restart", "slot-1");
    const again = await run("slots", "restart", "slot-1");
    const outcome = await task.outcome();
    const slot = JSON.parse(list.stdout) as { readonly error: string };
    expect({
      status: status.stdout.includes("1 errored"),
      error: slot.error,
      restarted: restarted.exitCode,
      again: [again.exitCode, again.stderr.includes("only an errored slot")],
      outcome: outcome.state,
    }).toEqual({
      status: true,
      error: "It said: no. It failed once and stays errored until `claude-pool slots restart slot-1`.",
      restarted: 0,
      again: [4, true],
      outcome: "completed",
    });
  });
});

describe("routing from the command line", () => {
  async function played(): Promise<{ readonly api: ScriptedApi; readonly place: Rig }> {
    const api = await startScriptedApi();
    const place = rig();
    place.userFile({ env: api.environment(place.claudeHome) });
    onTestFinished(async () => {
      await api.close();
      place[Symbol.dispose]();
    });
    api.on("translate it", structured({ route: "parallel", prompts: ["to French", "to German"], reason: "Two." }));
    api.on("no luck", apiError(403)).on("to French", text("oui")).on("to German", text("ja"));
    return { api, place };
  }

  test("route prints the prompts on stdout, the route and its price on stderr", async () => {
    const { place } = await played();
    const ran = await place.run(["route", "translate", "it"]);
    const json = await place.run(["route", "--json", "--max-parallel", "1", "translate it"]);
    const record = JSON.parse(json.stdout) as Record<string, unknown>;
    expect({
      ran: [ran.exitCode, ran.stdout, /parallel: 2 tasks\. Two\. \(task-\w+, \$0\.0\d+\)/.test(ran.stderr)],
      record: [record.route, record.prompt, typeof record.cost_microdollars, typeof record.task_id],
    }).toEqual({
      ran: [0, "1. to French\n2. to German\n", true],
      record: ["single", "translate it", "number", "string"],
    });
  });

  test("auto runs what was decided and prints the answers; a router that fails is exit 1, and nothing ran", async () => {
    const { place } = await played();
    const ran = await place.run(["auto", "--slots", "2", "translate it"]);
    const failed = await place.run(["auto", "no luck"]);
    expect([ran.exitCode, ran.stdout, failed.exitCode, failed.stdout, failed.stderr.includes("403")]).toEqual([
      0,
      "1. oui\n\n2. ja\n",
      1,
      "",
      true,
    ]);
  });

  test.each([
    [["route", "--max-parallel", "0", "x"], "maxParallel|max-parallel|max_parallel"],
    [["route", "--prefer", "prefer_all", "x"], "prefer_single"],
    [["auto", "--route-timeout", "soon", "x"], "--route-timeout"],
  ] as const)("refuses %j before anything runs", async (argv, words) => {
    const { place, api } = await played();
    const ran = await place.run(argv);
    expect([ran.exitCode, new RegExp(words).test(ran.stderr), api.requests.length]).toEqual([2, true, 0]);
  });
});
