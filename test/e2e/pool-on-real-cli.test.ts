import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { apiError, gate, structured, text, toolUse, usageLimit } from "../../src/testing/index.ts";
import { eventOf } from "../engine/scripted-pool.ts";
import { place, processesNaming, realPool } from "./real-pool.ts";

describe("a pool on the real CLI", () => {
  test("runs a task that writes a file, and the next one fresh in the same process", async () => {
    const here = await place();
    const file = join(here.work, "hello.txt");
    here.api.on("write it", toolUse("Write", { file_path: file, content: "hello" }), text("written"));
    here.api.on("again", text("second"));
    const pool = await realPool(here);
    const first = await pool.run("write it");
    const second = await pool.run("again");
    const slots = await pool.findSlots();
    const asked = here.api.requests.filter((request) => request.path.startsWith("/v1/messages")).at(-1);
    expect({
      file: readFileSync(file, "utf8"),
      outputs: [first.output, second.output],
      sessions: first.sessionId === second.sessionId,
      remembers: JSON.stringify(asked?.body).includes("write it"),
      done: slots.map((slot) => slot.tasksCompleted),
      spent: (await pool.status()).totalSpendMicrodollars,
    }).toEqual({
      file: "hello",
      outputs: ["written", "second"],
      sessions: false,
      remembers: false,
      done: [2],
      spent: first.costMicrodollars + second.costMicrodollars,
    });
  });

  test("continues a conversation only when the task asks for it", async () => {
    const here = await place();
    const pool = await realPool(here);
    const first = await pool.run("remember the number 4711");
    const second = await pool.run("which number", { conversation: "continue" });
    const asked = here.api.requests.filter((request) => request.path.startsWith("/v1/messages")).at(-1);
    expect([second.sessionId === first.sessionId, JSON.stringify(asked?.body).includes("4711")]).toEqual([true, true]);
  });

  test("fails only the task that names a conversation which is gone, and lets `continue` begin a new one", async () => {
    const here = await place();
    const forget = (): void => rmSync(join(here.root, "home", ".claude", "projects"), { recursive: true, force: true });
    const pool = await realPool(here);
    const first = await pool.submit("first");
    await first.outcome();
    forget();
    const named = await pool.submit("named", { conversation: { taskId: first.id } });
    const outcome = await named.outcome();
    const after = await pool.run("after");
    forget();
    await pool.run("elsewhere", { systemPrompt: "Be brief." }); // so that the process with the conversation is gone too
    forget();
    const goesOn = await pool.run("go on", { conversation: "continue" });
    expect([outcome.state, outcome.result?.error, after.success, goesOn.success]).toEqual([
      "failed",
      `Task ${first.id} has no conversation to continue.`,
      true,
      true,
    ]);
  });

  test("puts shared context and the slot's identity before the model, as data", async () => {
    const here = await place();
    const pool = await realPool(here, { slots: [{ name: "Ada", role: "reviewer" }] });
    await pool.setContext("branch", "release-7");
    await pool.run("go");
    const asked = await here.api.waitForRequest("go");
    expect([asked.userText.includes("You are Ada, reviewer."), asked.userText.includes("- branch: release-7")]).toEqual(
      [true, true],
    );
  });

  test("stops tasks without a cap of their own before the call after the one that passed the pool's cap", async () => {
    const here = await place();
    const calls = (): number => here.api.requests.filter((request) => request.path.startsWith("/v1/messages")).length;
    const dear = { usage: { inputTokens: 0, outputTokens: 40_000 } }; // 0.80 dollars a call
    here.api.on("loop", toolUse("Read", { file_path: join(here.work, "none") }, dear));
    const pool = await realPool(here, { slots: 2, budgetUsd: 3 });
    const settled = await pool.fanOut(["loop one", "loop two"]);
    const { spentMicrodollars, reservedMicrodollars } = await pool.budget.show();
    expect({
      reasons: settled.map((one) => one.status === "rejected" && one.outcome?.result?.reason),
      isWithinOneCallEach: spentMicrodollars < 3_000_000 + 2 * 800_000,
      isOfAllCalls: spentMicrodollars === calls() * 800_000,
      reservedMicrodollars,
    }).toEqual({
      reasons: ["budget", "budget"],
      isWithinOneCallEach: true,
      isOfAllCalls: true,
      reservedMicrodollars: 0,
    });
  });

  test("gives structured output for a schema, from a process of its own", async () => {
    const here = await place();
    here.api.on("how many", structured({ count: 3 }));
    const pool = await realPool(here);
    const result = await pool.run("how many", {
      jsonSchema: { type: "object", properties: { count: { type: "number" } }, required: ["count"] },
    });
    expect([result.success, result.structuredOutput]).toEqual([true, { count: 3 }]);
  });

  test("kills everything that a cancelled task started, a daemon in a session of its own included", async () => {
    const here = await place();
    const mark = join(here.root, "unique-file-to-follow");
    writeFileSync(mark, "");
    here.api.on(
      "follow",
      toolUse("Bash", { command: `(setsid tail -f ${mark} &) ; touch ${mark}.on ; tail -f ${mark}` }),
    );
    const pool = await realPool(here, { allowedTools: ["Bash"] });
    const task = await pool.submit("follow");
    await eventOf(pool, "task.tool", task.id);
    while (!existsSync(`${mark}.on`)) await new Promise(setImmediate);
    const before = processesNaming(mark).length;
    const record = await pool.cancel(task.id);
    expect([before > 0, record.state, processesNaming(mark)]).toEqual([true, "cancelled", []]);
  });

  test("stops a task at its own cap and says so in the result", async () => {
    const here = await place();
    const dear = { usage: { inputTokens: 200_000, outputTokens: 10_000 } };
    here.api.on(
      "dear",
      toolUse("Glob", { pattern: "*" }, dear),
      toolUse("Glob", { pattern: "*" }, dear),
      text("done", dear),
    );
    const pool = await realPool(here);
    const task = await pool.submit("dear", { maxBudgetUsd: 0.01 });
    const outcome = await task.outcome();
    const runs = await pool.runs(task.id);
    expect([outcome.state, outcome.result?.reason, outcome.result?.budgetExceeded, runs[0]?.costMicrodollars]).toEqual([
      "failed",
      "budget",
      true,
      outcome.result?.costMicrodollars,
    ]);
  });

  test("puts a task that meets the usage limit back, with the reset that the limit names", async () => {
    const here = await place("subscription");
    const resetsAtMs = (Math.floor(Date.now() / 1000) + 3_600) * 1000;
    here.api.on("limited", usageLimit({ resetsAtMs }));
    const pool = await realPool(here);
    const task = await pool.submit("limited");
    await eventOf(pool, "task.requeued", task.id);
    const record = await task.get();
    expect([record.state, record.hold]).toEqual(["pending", { reason: "limit", untilMs: resetsAtMs }]);
  });

  test("fails with the API's status and what to do about it", async () => {
    const here = await place();
    here.api.on("not allowed", apiError(403));
    const pool = await realPool(here);
    const outcome = await (await pool.submit("not allowed")).outcome();
    expect([outcome.state, outcome.result?.reason, outcome.result?.error?.includes("403")]).toEqual([
      "failed",
      "api",
      true,
    ]);
  });

  test("fans out over warm slots and gives results in order, with a failure in its place", async () => {
    const here = await place();
    here.api.on("one", text("1")).on("two", apiError(400)).on("three", text("3"));
    const pool = await realPool(here, { slots: 2 });
    const settled = await pool.fanOut(["one", "two", "three"]);
    expect(
      settled.map((one) => (one.status === "fulfilled" ? one.result.output : one.outcome?.result?.reason)),
    ).toEqual(["1", "api", "3"]);
  });

  test("goes on after its close with what was running, in the same conversation", async () => {
    const here = await place();
    const waiting = gate(text("never said"));
    here.api.on("long work", waiting).on("cut off by a crash", text("finished"));
    const first = await realPool(here);
    const task = await first.submit("long work");
    await waiting.reached;
    await first.close();
    const second = await realPool(here);
    const outcome = await second.task(task.id).outcome();
    expect([outcome.state, outcome.result?.output, (await second.runs(task.id)).map((run) => run.outcome)]).toEqual([
      "completed",
      "finished",
      ["lost", "completed"],
    ]);
  });
});
