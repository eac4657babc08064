/** Budgets of tags, metrics, estimates and the governor on the command line. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { moment } from "../../src/cli/quantities.ts";
import { openPool } from "../../src/open-pool.ts";
import type { Pool } from "../../src/pool.ts";
import { storePath } from "../../src/project.ts";
import { completed, limited } from "../../src/testing/outcomes.ts";
import { scriptedRunner } from "../../src/testing/scripted-runner.ts";
import { rig, type Rig } from "./rig.ts";

let place: Rig;

beforeEach(() => {
  place = rig();
});

afterEach(() => {
  place[Symbol.dispose]();
});

describe("budget", () => {
  it("of a pool that never had one says what was spent, and names no day since when", async () => {
    await history();
    expect((await place.run(["budget"])).stdout).toBe(
      "no cap\n$0.6000 spent, $0.0000 reserved\n$0.6000 spent in all\n",
    );
  });

  it("sets the caps of a tag and of the day, shows them, and removes one", async () => {
    await place.run(["budget", "set", "--tag", "nightly", "--usd", "5"]);
    await place.run(["budget", "set", "--daily", "20"]);
    const shown = await place.run(["budget", "show"]);
    const removed = await place.run(["budget", "set", "--tag", "nightly", "none", "--json"]);
    expect({
      shown: shown.stdout.replaceAll(/since [-0-9: ]+/g, "since then"),
      removed: scopesOf(removed.stdout),
    }).toEqual({
      shown: [
        "no cap",
        "$0.0000 spent, $0.0000 reserved",
        "$0.0000 spent in all",
        "day: $0.0000 of $20.0000 spent since then, $0.0000 reserved",
        "tag nightly: $0.0000 of $5.0000 spent since then, $0.0000 reserved",
        "",
      ].join("\n"),
      removed: [["day", 20_000_000]],
    });
  });

  it.each([
    [["budget", "set"], "error: usd: give the amount once, as an argument or with --usd: dollars, or none.\n"],
    [
      ["budget", "set", "5", "--usd", "5"],
      "error: usd: give the amount once, as an argument or with --usd: dollars, or none.\n",
    ],
    [
      ["budget", "set", "5", "--tag", "a", "--daily"],
      "error: --tag and --daily name two budgets: set one after the other.\n",
    ],
    [["metrics", "--since", "soon"], 'error: --since: expected 2d (ago) or a date such as 2026-01-31, got "soon".\n'],
  ])("%j is refused with what to do", async (argv, stderr) => {
    expect(await place.run(argv)).toEqual({ exitCode: 2, stdout: "", stderr });
  });
});

describe("what the record says", () => {
  it("of costs and times, by tag and in all", async () => {
    await history();
    const all = JSON.parse((await place.run(["metrics", "--json"])).stdout) as Record<string, unknown>;
    const text = await place.run(["metrics", "--tag", "review"]);
    expect({
      all: [all.total_tasks, all.completed_tasks, all.total_cost_microdollars, all.cost_per_completed_microdollars],
      text: text.stdout.split("\n").slice(0, 3),
    }).toEqual({
      all: [6, 6, 600_000, 100_000],
      text: [
        "ended             5 completed, 0 failed, 0 cancelled",
        "open              0 running, 0 pending, 0 in review",
        "cost              $0.5000, a task $0.1000, at most $0.1000",
      ],
    });
  });

  it("of work that is not done yet, and nothing runs", async () => {
    const unknown = await place.run(["run", "--dry-run", "Review it"]);
    await history();
    const one = await place.run(["submit", "--dry-run", "--tag", "review", "Review it"]);
    const many = await place.run(["fan-out", "--dry-run", "--json", "--tag", "review", "a", "b", "c"]);
    const status = JSON.parse((await place.run(["status", "--json"])).stdout) as Record<string, unknown>;
    expect({
      unknown,
      one: one.stdout.split("\n").slice(0, 2),
      many: (JSON.parse(many.stdout) as { cost_microdollars: unknown }).cost_microdollars,
      tasks: [status.completed_tasks, status.pending_tasks, status.failed_tasks],
    }).toEqual({
      unknown: {
        exitCode: 0,
        stdout: "1 task: not known yet, since only 0 such runs have completed in this project\n",
        stderr: "",
      },
      one: [
        "1 task, judged by the last 5 completed runs with a tag of it:",
        "cost  about $0.1000 ($0.1000 to $0.1000)",
      ],
      many: { low: 300_000, typical: 300_000, high: 300_000 },
      tasks: [6, 0, 0],
    });
  });
});

describe("governor", () => {
  it("says what holds the queue back, in status too, and lifts it", async () => {
    await using pool = await opened(0);
    await pool.budget.show();
    const free = (await place.run(["governor"])).stdout;
    await using busy = await opened(1, "overloaded");
    await busy.run("it");
    const held = (await place.run(["governor"])).stdout;
    const status = (await place.run(["status"])).stdout;
    await place.run(["governor", "release"]);
    expect({
      free,
      held: held.startsWith("an overloaded API, 1 at once, until "),
      status: /^held back +an overloaded API/m.test(status),
      after: (await place.run(["governor"])).stdout,
    }).toEqual({
      free: "Nothing holds the queue back.\n",
      held: true,
      status: true,
      after: "Nothing holds the queue back.\n",
    });
  });
});

describe("a usage limit that stood before the call", () => {
  it.each([
    ["run", "x"],
    ["fan-out", "x", "y"],
    ["chain", "run", "chain.yaml"],
    ["auto", "x"],
    ["route", "x"],
    ["wait", "TASK"],
  ])("is told by %s, with the time that it names", async (...argv) => {
    writeFileSync(join(place.project, "chain.yaml"), "steps: [{ name: a, prompt: x }]");
    const resetsAtMs = Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000;
    await using busy = await opened(1, { limitedUntilMs: resetsAtMs });
    const { id } = await busy.submit("it");
    for await (const event of busy.events({ after: 0 })) if (event.type === "governor.changed") break;
    const call = place.spawn(argv.map((word) => (word === "TASK" ? id : word)));
    await call.hasSaid(`Held back by the account's usage limit, until ${moment(resetsAtMs)}.`);
    call.interrupt();
    expect((await call.ran).exitCode).toBe(130);
  });
});

/** Six completed tasks, five of them tagged. */
async function history(): Promise<void> {
  await using pool = await opened(1);
  for (let index = 0; index < 5; index += 1) await pool.run("Review", { tags: ["review"] });
  await pool.run("Other");
}

/** A pool in the place's project, as another process of the same user has it. */
function opened(
  slots: number,
  behaviour: "ok" | "overloaded" | { readonly limitedUntilMs: number } = "ok",
): Promise<Pool> {
  const runner = scriptedRunner((_turn, _launch, playing) => {
    if (behaviour === "overloaded") playing.emit({ type: "api_retry", attempt: 1, status: 529 });
    if (typeof behaviour === "object") return limited(behaviour.limitedUntilMs);
    return completed("ok", { costMicrodollars: 100_000, elapsedMs: 1_000 });
  });
  return openPool({
    cwd: place.project,
    store: storePath(place.project, { CLAUDE_POOL_HOME: place.poolHome }),
    slots,
    runner,
    rampStepMs: 600_000,
  });
}

function scopesOf(stdout: string): unknown {
  const { scopes } = JSON.parse(stdout) as { scopes: { scope: string; cap_microdollars: number }[] };
  return scopes.map((one) => [one.scope, one.cap_microdollars]);
}
