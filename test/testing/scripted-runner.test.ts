import { expect, test } from "vitest";
import { PoolError } from "../../src/core/errors.ts";
import type { EndCause, LaunchSpec, TurnEvent, TurnSpec } from "../../src/core/runner-port.ts";
import { completed, failed, limited, type ScriptedRunner, scriptedRunner } from "../../src/testing/index.ts";

const launch: LaunchSpec = {
  cwd: "/project",
  env: {},
  replaceSystemPrompt: false,
  mcpServers: {},
  strictMcpConfig: true,
  allowBypassPermissions: false,
};

function turn(prompt: string): TurnSpec {
  return {
    runId: `run of ${prompt}`,
    prompt,
    permissionMode: "acceptEdits",
    allowedTools: [],
    disallowedTools: [],
    silenceTimeoutMs: 1_000,
  };
}

const never = (): Promise<string> => new Promise(() => undefined);

async function run(runner: ScriptedRunner, prompt: string): Promise<unknown> {
  const process = await runner.open(launch);
  const outcome = await process.turn(turn(prompt), new AbortController().signal, () => undefined);
  return [outcome.kind, outcome.result.output];
}

test("without a script a turn completes at once and says what a turn says", async () => {
  const runner = scriptedRunner();
  const process = await runner.open(launch, { resume: "conversation-9" });
  const events: TurnEvent[] = [];

  const outcome = await process.turn({ ...turn("hello"), model: "m-1" }, new AbortController().signal, (event) => {
    events.push(event);
  });

  expect({ outcome, events }).toEqual({
    outcome: {
      kind: "completed",
      result: {
        output: "ok",
        success: true,
        costMicrodollars: 1_000,
        turnsUsed: 1,
        elapsedMs: 1,
        sessionId: "conversation-9",
        model: "m-1",
        permissionMode: "acceptEdits",
      },
    },
    events: [
      { type: "conversation", sessionId: "conversation-9" },
      { type: "text", text: "ok" },
      { type: "cost", costMicrodollars: 1_000 },
    ],
  });
});

test("a script answers each turn, and rules go before it", async () => {
  const runner = scriptedRunner((spec, { cwd }) => completed(`${spec.prompt} in ${cwd}`));
  runner.on("break", failed("error"), "second time lucky").on(/limit/, limited(5_000));

  const answers = [];
  for (const prompt of ["work", "break", "break", "limit"]) answers.push(await run(runner, prompt));

  expect(answers).toEqual([
    ["completed", "work in /project"],
    ["failed", ""],
    ["completed", "second time lucky"],
    ["limited", ""],
  ]);
});

test("a script that throws is a failed run and no rejection", async () => {
  const runner = scriptedRunner(() => {
    throw new Error("a mistake");
  });
  const process = await runner.open(launch);

  const outcome = await process.turn(turn("hello"), new AbortController().signal, () => undefined);

  expect([outcome.kind, outcome.result.error]).toEqual(["failed", "The script threw: a mistake"]);
});

test.each<[EndCause, string, string]>([
  ["cancel", "cancelled", "cancelled"],
  ["shutdown", "cancelled", "cancelled"],
  ["timeout", "timed_out", "timed_out"],
  ["budget", "failed", "budget"],
])("a turn ended by %s is %s with reason %s", async (cause, kind, reason) => {
  const runner = scriptedRunner(never);
  const process = await runner.open(launch);
  const end = new AbortController();

  const running = process.turn(turn("hello"), end.signal, () => undefined);
  await runner.waitForTurn("hello");
  end.abort(cause);
  const outcome = await running;

  expect([outcome.kind, outcome.result.reason]).toEqual([kind, reason]);
});

test("a process that is lost ends its turn as lost, and is gone", async () => {
  const runner = scriptedRunner(never);
  const process = await runner.open(launch);

  const running = process.turn(turn("hello"), new AbortController().signal, () => undefined);
  (await runner.waitForTurn("hello")).process.lose();
  await process.gone;

  expect([(await running).kind, await process.clear()]).toEqual(["lost", false]);
});

test("clearing gives the next turn another conversation, unless the process cannot be cleaned", async () => {
  const runner = scriptedRunner();
  const process = await runner.open(launch);
  const signal = new AbortController().signal;

  await process.turn(turn("one"), signal, () => undefined);
  const wasCleared = await process.clear();
  await process.turn(turn("two"), signal, () => undefined);
  process.canClear = false;

  const conversations = new Set(runner.turns.map(({ sessionId }) => sessionId));
  expect([wasCleared, await process.clear(), conversations.size, process.clears]).toEqual([true, false, 2, 1]);
});

test("opening fails as often as told, and then works", async () => {
  const runner = scriptedRunner();
  runner.failOpen(new PoolError("claude_not_found", "Not here."), 2);

  const openings = await Promise.allSettled([runner.open(launch), runner.open(launch), runner.open(launch)]);

  expect([openings.map(({ status }) => status), runner.processes.length]).toEqual([
    ["rejected", "rejected", "fulfilled"],
    1,
  ]);
});

test("recovery is recorded and scriptable, and a process can pose as another", async () => {
  const dead = { pid: 7, startTime: "then", marker: "m" };
  const runner = scriptedRunner(undefined, {
    identity: () => dead,
    remains: ({ runId }) => (runId === "run-1" ? { sessionId: "conversation-1", costMicrodollars: 30 } : {}),
  });
  const asked = { runId: "run-1", cwd: "/project", sinceMs: 0 };

  const process = await runner.open(launch);
  await runner.endOrphan(process.identity);
  const remains = [await runner.remains(asked), await runner.remains({ ...asked, runId: "run-2" })];

  expect({ remains, ended: runner.orphansEnded, asked: runner.remainsAsked.length }).toEqual({
    remains: [{ sessionId: "conversation-1", costMicrodollars: 30 }, {}],
    ended: [dead],
    asked: 2,
  });
});

test("closing the runner closes every process and ends its turn", async () => {
  const runner = scriptedRunner(never);
  const process = await runner.open(launch);
  const running = process.turn(turn("hello"), new AbortController().signal, () => undefined);

  await runner.close();

  expect([(await running).kind, process.closed]).toEqual(["lost", true]);
});
