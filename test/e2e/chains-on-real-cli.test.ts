import { fork } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { gate, structured, text } from "../../src/testing/index.ts";
import { eventOf } from "../engine/scripted-pool.ts";
import { place, realPool } from "./real-pool.ts";

describe("chains on the real CLI", () => {
  test("read variables from structured output, retry with the error shown, and cost what the ledger says", async () => {
    const here = await place();
    here.api
      .on("find the file", structured({ files: [{ name: "src/a.ts" }] }))
      .on("The attempt before this one failed", text('done: {"ok": true}'))
      .on("mend src/a.ts", text("no JSON in this"));
    const pool = await realPool(here);
    const chain = await pool.submitChain([
      {
        name: "find",
        prompt: "find the file",
        jsonSchema: {
          type: "object",
          properties: { files: { type: "array", items: { type: "object", properties: { name: { type: "string" } } } } },
          required: ["files"],
        },
        outputVars: { file: "files[0].name" },
      },
      { name: "mend", prompt: "mend {steps.find.file}", outputVars: { ok: "ok" }, retries: 1 },
    ]);
    const outcome = await chain.outcome();
    const progress = await pool.chainProgress(chain.id);
    const runs = (await Promise.all(progress.steps.map((step) => pool.runs(step.taskId ?? "")))).flat();
    expect({
      state: outcome.state,
      vars: progress.steps.map((step) => step.vars),
      runs: runs.map((run) => run.outcome),
      sum: runs.reduce((sum, run) => sum + run.costMicrodollars, 0),
    }).toEqual({
      state: "completed",
      vars: [{ file: "src/a.ts" }, { ok: "true" }],
      runs: ["completed", "failed", "completed"],
      sum: outcome.result?.costMicrodollars,
    });
  });

  test("go on at step 3 of 5 when their host is killed in the middle of it", async () => {
    const here = await place();
    const waiting = gate(text("never said"));
    here.api.on("step three", waiting).on("cut off by a crash", text("3"));
    for (const word of ["one", "two", "four", "five"]) here.api.on(`step ${word}`, text(word));
    const host = fork(new URL("chain-host.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    onTestFinished(() => {
      host.kill("SIGKILL"); // only what a failed test has left
    });
    host.send(here.options);
    const [chainId] = (await once(host, "message")) as [string];
    await waiting.reached;
    host.kill("SIGKILL");
    await once(host, "exit");
    const pool = await realPool(here);
    const outcome = await pool.task(chainId).outcome();
    const { steps } = await pool.chainProgress(chainId);
    const runs = await Promise.all(steps.map((step) => pool.runs(step.taskId ?? "")));
    expect([outcome.state, runs.map((list) => list.map((run) => run.outcome))]).toEqual([
      "completed",
      [["completed"], ["completed"], ["lost", "completed"], ["completed"], ["completed"]],
    ]);
  });
});

describe("reviews on the real CLI", () => {
  test("show the next attempt the feedback and the answer that was rejected", async () => {
    const here = await place();
    here.api.on("Rejection feedback", text("second draft")).on("write it", text("first draft"));
    const pool = await realPool(here);
    const task = await pool.submitWithReview("write it");
    await task.outcome();
    const rejected = await pool.reject(task.id, "shorter, please");
    const asked = await here.api.waitForRequest("shorter, please");
    const outcome = await task.outcome();
    const approved = await pool.approve(task.id);
    expect({
      rejected: [rejected.state, rejected.rejectionCount],
      asked: ["write it", "first draft", "Rejection feedback (attempt 1/3)"].map((words) =>
        asked.userText.includes(words),
      ),
      outcome: [outcome.state, outcome.result?.output],
      approved: approved.state,
    }).toEqual({
      rejected: ["pending", 1],
      asked: [true, true, true],
      outcome: ["pending_review", "second draft"],
      approved: "completed",
    });
  });

  test("go on in the same conversation if the task says so", async () => {
    const here = await place();
    here.api.on("shorter", text("second draft")).on("write it", text("first draft"));
    const pool = await realPool(here);
    const task = await pool.submitWithReview("write it", { afterRejection: "continue" });
    const first = await task.outcome();
    await pool.reject(task.id, "shorter");
    await eventOf(pool, "task.rejected", task.id);
    const second = await task.outcome();
    expect([second.result?.output, second.result?.sessionId === first.result?.sessionId]).toEqual([
      "second draft",
      true,
    ]);
  });
});
