import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { AskedTool, ToolDecision } from "../../src/core/runner-port.ts";
import { openPool } from "../../src/open-pool.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import type { ScriptedTurn } from "../../src/testing/scripted-process.ts";
import { scriptedRunner, type RunnerScript } from "../../src/testing/scripted-runner.ts";
import { eventOf, held, scriptedPool } from "./scripted-pool.ts";

const write: AskedTool = { tool: "Write", input: { file_path: "/x", content: "x" } };

/** Puts a tool call to the turn's desk, as the CLI does. */
async function decide(turn: ScriptedTurn, asked: AskedTool = write): Promise<ToolDecision> {
  if (turn.desk === undefined) throw new Error("the turn has no desk");
  return turn.desk.decide(asked, turn.signal);
}

test("a request that nobody answers is denied at its time, by the pool's clock, and the model is told", async () => {
  const clock = manualClock(1_700_000_000_000);
  const decided = held<ToolDecision>();
  const { pool } = await scriptedPool(
    { clock, permissionMode: "default", permissionTimeoutSecs: 60 },
    async (_, __, turn) => {
      decided.release(await decide(turn));
      return "done";
    },
  );
  const task = await pool.submit("write");
  await eventOf(pool, "permission.requested");
  clock.advance(59_999);
  const [before] = await pool.requests.list();
  clock.advance(1);
  const decision = await decided.promise;
  await task.outcome();
  const [after] = await pool.requests.list({ all: true });
  expect({
    before: [before?.state, before?.expiresAtMs],
    decision,
    after: [after?.state, after?.answeredBy],
  }).toEqual({
    before: ["open", 1_700_000_060_000],
    decision: {
      decision: "deny",
      message: expect.stringContaining("Nobody answered the request to use Write within 60 s") as string,
      isAnswered: false,
    },
    after: ["denied", "timeout"],
  });
});

test("an answer after the end is a clear error, and reaches no later run of the task", async () => {
  const decisions: ToolDecision[] = [];
  const { pool, runner } = await scriptedPool({ permissionMode: "default" }, async (_, __, turn) => {
    decisions.push(await decide(turn));
    return "done";
  });
  const task = await pool.submit("write");
  await eventOf(pool, "permission.requested");
  const [first] = await pool.requests.list();
  runner.processes[0]?.lose();
  for await (const event of pool.events({ after: 0 })) {
    if (event.type === "permission.requested" && event.data.requestId !== first?.id) break;
  }
  const late = await pool.requests.allow(first?.id ?? "").catch((error: unknown) => error);
  const [second] = await pool.requests.list();
  await pool.requests.deny(second?.id ?? "", { message: "not now" });
  await task.outcome();
  expect([late, first?.runId === second?.runId, decisions.at(-1)]).toEqual([
    expect.objectContaining({ code: "request_over", message: expect.stringContaining("has ended") as string }),
    false,
    { decision: "deny", message: "not now", isAnswered: true },
  ]);
});

test("a cancelled task waits for nobody", async () => {
  const { pool } = await scriptedPool({ permissionMode: "default" }, async (_, __, turn) => {
    await decide(turn);
    return "done";
  });
  const task = await pool.submit("write");
  await eventOf(pool, "permission.requested");
  await pool.cancel(task.id);
  const [request] = await pool.requests.list({ all: true });
  expect([request?.state, request?.answeredBy, (await pool.status()).openRequests]).toEqual(["closed", "end", 0]);
});

test("a host that closes closes what its tasks ask, and the task asks anew in the next one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "claude-pool-requests-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const options = { store: join(folder, "pool.db"), cwd: folder, permissionMode: "default" } as const;
  const script: RunnerScript = async (_, __, turn) => JSON.stringify(await decide(turn));
  const looking = await openPool({ ...options, slots: 0, runner: scriptedRunner() });
  const first = await openPool({ ...options, runner: scriptedRunner(script) });
  const task = await first.submit("write");
  await eventOf(looking, "permission.requested");
  await first.close();
  const [closed] = await looking.requests.list({ all: true });
  const second = await openPool({ ...options, runner: scriptedRunner(script) });
  for await (const event of looking.events({ after: 0 })) {
    if (event.type !== "permission.requested" || event.data.requestId === closed?.id) continue;
    await looking.requests.allow(event.data.requestId);
    break;
  }
  const { state, result } = await looking.task(task.id).outcome();
  await second.close();
  await looking.close();
  expect([closed?.state, state, result?.output]).toEqual(["closed", "completed", '{"decision":"allow"}']);
});

test("a rule that would cover the call, if it reached nothing outside, is refused for that reason", async () => {
  const { pool } = await scriptedPool({ permissionMode: "default" }, async (_, __, turn) => {
    await decide(turn, { tool: "Bash", input: { command: "touch /elsewhere" }, isOutside: true });
    return "done";
  });
  const task = await pool.submit("write");
  await eventOf(pool, "permission.requested");
  const [request] = await pool.requests.list();
  const id = request?.id ?? "";
  const refused = await pool.requests
    .allow(id, { always: "Bash(touch:*)" })
    .catch((error: unknown) => (error as { message: string }).message);
  await pool.requests.deny(id);
  await task.outcome();
  expect(refused).toBe(
    `rule: "Bash(touch:*)" does not cover the call that request ${id} is about, so nothing was answered. The call may reach ` +
      "outside of the task's directories: then a rule must be this very command, or name the path as //absolute/path.",
  );
});

test("answers are checked before anything is answered", async () => {
  const { pool } = await scriptedPool({ permissionMode: "default" }, async (_, __, turn) => {
    await decide(turn, { tool: "Bash", input: { command: "npm test | tee log" } });
    return "done";
  });
  const task = await pool.submit("write");
  await eventOf(pool, "permission.requested");
  const [request] = await pool.requests.list();
  const id = request?.id ?? "";
  const refusals = await Promise.all(
    [
      pool.requests.allow(id, { always: "Bash(npm test:*)" }),
      pool.requests.allow(id, { always: "no rule at all" }),
      pool.requests.deny(id, { message: "  " }),
      pool.requests.answer(id, "words"),
      pool.requests.decide(id, { decision: "maybe" } as never),
      pool.requests.allow("req-"),
      pool.requests.allow("req-0000000000"),
      pool.requests.addRule("Skill(x)"),
      pool.requests.revoke("rule-none"),
    ].map((call) =>
      call.then(
        () => "answered",
        (error: unknown) => (error as { code: string }).code,
      ),
    ),
  );
  const stillOpen = (await pool.requests.list()).length;
  const allowed = await pool.requests.allow(id.slice(0, 8), { always: true });
  const rules = (await pool.requests.rules()).map(({ rule, decision }) => [rule, decision]);
  await task.outcome();
  expect({ refusals, stillOpen, state: allowed.state, rules }).toEqual({
    refusals: [
      "invalid_options",
      "invalid_options",
      "invalid_options",
      "invalid_options",
      "invalid_options",
      "request_not_found",
      "request_not_found",
      "invalid_options",
      "rule_not_found",
    ],
    stillOpen: 1,
    state: "allowed",
    rules: [["Bash(npm test | tee log)", "allow"]],
  });
});

test("a task asks for nothing more once its turn is over: what comes late is denied, and nothing is written", async () => {
  const desk = held<ScriptedTurn>();
  const { pool } = await scriptedPool({ permissionMode: "default" }, (_, __, turn) => {
    desk.release(turn);
    return "done";
  });
  await pool.run("write");
  const decision = await decide(await desk.promise);
  expect([decision.decision, await pool.requests.list({ all: true })]).toEqual(["deny", []]);
});

test("a worker's tools refuse bad input, and what they were not made for, in words for the model", async () => {
  const answers: unknown[] = [];
  const { pool } = await scriptedPool({ workerTools: true }, async (_, __, { desk, signal }) => {
    const calls: readonly (readonly [string, unknown])[] = [
      ["post_message", { to: "slot-99", content: "x" }],
      ["post_message", { to: "coordinator" }],
      ["post_message", { to: "coordinator", content: "" }],
      ["report_progress", { text: "x", percent: 101 }],
      ["report_progress", { text: "x", extra: 1 }],
      ["ask_coordinator", { question: "\ud800" }],
      ["read_context", { key: 7 }],
      ["submit_task", { prompt: "more" }],
      ["drain", {}],
      ["__proto__", {}],
    ];
    for (const [name, input] of calls) answers.push(await desk?.useTool(name, input, signal));
    return "done";
  });
  await pool.run("work");
  const codes = answers.map((answer) => {
    const { text, isError } = answer as { readonly text: string; readonly isError: boolean };
    return [text.split(":")[0], isError];
  });
  expect([codes, (await pool.list()).tasks.length, await pool.messageCount()]).toEqual([
    [
      ["slot_not_found", true],
      ["invalid_options", true],
      ["invalid_options", true],
      ["invalid_options", true],
      ["invalid_options", true],
      ["invalid_options", true],
      ["invalid_options", true],
      ["inside_slot", true],
      ["invalid_options", true],
      ["invalid_options", true],
    ],
    1,
    0,
  ]);
});

test("a server of the user's that has the name of the pool's own is refused where both are wanted", async () => {
  const { pool } = await scriptedPool();
  const task = await pool.submit("work", { workerTools: true, mcpServers: { pool: { command: "x" } } });
  const { state, result } = await task.outcome();
  expect([state, result?.reason, result?.error?.includes("Rename the server")]).toEqual(["failed", "launch", true]);
});
