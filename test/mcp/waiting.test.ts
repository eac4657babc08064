/** Calls that take long: what they tell, what stops them, and what is never lost. */
import { describe, expect, test } from "vitest";
import { completed } from "../../src/testing/outcomes.ts";
import { eventOf, held } from "../engine/scripted-pool.ts";
import { clientOf, connected, newest, type Fields } from "./rig.ts";

const eras = ["2025-06-18", newest];

describe.each(eras)("a long call on revision %s", (revision) => {
  test("answers after its time with the id and how to go on, and the work goes on", async () => {
    const gate = held<string>();
    const here = await connected({ revision, answerWithinMs: 20, script: () => gate.promise });
    const late = await here.call("pool_run", { prompt: "long" });
    const looked = await here.call("pool_wait", { task_ids: [late.task_id], timeout_ms: 0 });
    gate.release("done");
    const outcome = await here.pool.task(String(late.task_id)).outcome();
    const collected = await here.call("pool_wait", { task_ids: [late.task_id] });
    expect({
      late: [late.state, String(late.next_step).includes(`pool_wait with task_ids ["${String(late.task_id)}"]`)],
      looked: [looked.done, looked.pending, looked.timed_out],
      outcome: outcome.state,
      collected: (collected.done as Fields[]).map((one) => one.output),
    }).toEqual({
      late: ["running", true],
      looked: [[], [late.task_id], true],
      outcome: "completed",
      collected: ["done"],
    });
  });

  test("that the client cancels, cancels what it began", async () => {
    const here = await connected({ revision, script: () => held<string>().promise });
    const stop = new AbortController();
    const calling = here.client.callTool(
      { name: "pool_fan_out", arguments: { prompts: ["a", "b"] } },
      { signal: stop.signal },
    );
    const failed = expect(calling).rejects.toThrow();
    await here.runner.waitForTurn("a");
    stop.abort();
    await failed;
    for (const { id } of (await here.pool.list()).tasks) await eventOf(here.pool, "task.finished", id);
    expect((await here.pool.list()).tasks.map((task) => task.state)).toEqual(["cancelled", "cancelled"]);
  });

  test("that the client's own clock ends is no cancellation: the work goes on", async () => {
    const gate = held<string>();
    const here = await connected({ revision, script: () => gate.promise });
    const calling = here.client.callTool({ name: "pool_run", arguments: { prompt: "slow" } }, { timeout: 150 });
    const failed = expect(calling).rejects.toThrow(/timed out/i);
    await here.runner.waitForTurn("slow");
    await failed;
    await here.call("pool_status"); // the cancellation has arrived before this
    gate.release("kept");
    const [task] = (await here.pool.list()).tasks;
    expect((await here.pool.task(task?.id ?? "").outcome()).result?.output).toBe("kept");
  });

  test("of waiting alone, cancelled, leaves the work of others alone", async () => {
    const gate = held<string>();
    const here = await connected({ revision, script: () => gate.promise });
    const task = await here.pool.submit("theirs");
    const stop = new AbortController();
    const calling = here.client.callTool(
      { name: "pool_wait", arguments: { task_ids: [task.id] } },
      { signal: stop.signal },
    );
    const failed = expect(calling).rejects.toThrow();
    await here.runner.waitForTurn("theirs");
    stop.abort();
    await failed;
    gate.release("still done");
    expect((await task.outcome()).result?.output).toBe("still done");
  });

  test("whose client is gone is no cancellation: the work goes on", async () => {
    const gate = held<string>();
    const here = await connected({ revision, script: () => gate.promise });
    const other = await clientOf(here.pool, { revision });
    const calling = other.callTool({ name: "pool_run", arguments: { prompt: "orphaned" } });
    const failed = expect(calling).rejects.toThrow();
    await here.runner.waitForTurn("orphaned");
    await other.close();
    await failed;
    gate.release("kept");
    const [task] = (await here.pool.list()).tasks;
    await eventOf(here.pool, "task.finished", task?.id);
    expect((await here.pool.result(task?.id ?? "")).result?.output).toBe("kept");
  });

  test("tells how many are done and the latest text, each time more than before", async () => {
    const gate = held<string>();
    const here = await connected({ revision });
    here.runner.on("quick", "one").on("slow", async (_, __, { emit }) => {
      emit({ type: "text", text: "half of it" });
      return completed(await gate.promise);
    });
    const told: {
      readonly progress: number;
      readonly total?: number | undefined;
      readonly message?: string | undefined;
    }[] = [];
    const partial = Promise.withResolvers<undefined>();
    const calling = here.client.callTool(
      { name: "pool_fan_out", arguments: { prompts: ["quick", "slow"] } },
      {
        onprogress: (progress) => {
          told.push(progress);
          if (progress.message?.includes("half of it") === true) partial.resolve(undefined);
        },
      },
    );
    await partial.promise;
    gate.release("two");
    await calling;
    const steps = told.map((one) => one.progress);
    expect([
      steps.length >= 2,
      steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)),
      told.every((one) => one.total === 2),
      told.some((one) => /^[01] of 2 done/.test(one.message ?? "")),
    ]).toEqual([true, true, true, true]);
  });
});

test("routed work that takes too long is found by its tag", async () => {
  const gate = held<string>();
  const here = await connected({ answerWithinMs: 100, script: () => gate.promise, pool: { slots: 2 } });
  here.runner.on(
    "How should",
    completed("", { structuredOutput: { route: "parallel", prompts: ["a", "b"], reason: "" } }),
  );
  const late = await here.call("pool_auto", { prompt: "both" });
  gate.release("done");
  const tagged = await here.call("pool_list_tasks", { tags: [late.tag] });
  const ids = (tagged.tasks as Fields[]).map((task) => task.task_id);
  const waited = await here.call("pool_wait", { task_ids: ids });
  expect([late.results, ids.length, (waited.done as Fields[]).map((one) => one.state)]).toEqual([
    [],
    2,
    ["completed", "completed"],
  ]);
});

test("a server that is closed under a call says so, and the task is in the store", async () => {
  const gate = held<string>();
  const here = await connected({ script: () => gate.promise });
  const refusal = here.refusal("pool_run", { prompt: "cut off" });
  await here.runner.waitForTurn("cut off");
  const closing = here.pool.close();
  const { code, next_step: next } = await refusal;
  gate.release("late");
  await closing;
  expect([code, String(next).includes("pool_wait")]).toEqual(["pool_closed", true]);
});

test("a wait for a chain ends when one of its steps wants a review, and goes on after it", async () => {
  const here = await connected();
  const steps = [
    { name: "plan", prompt: "plan", review: true },
    { name: "build", prompt: "build" },
  ];
  const chain = await here.call("pool_submit_chain", { steps });
  const waited = await here.call("pool_wait", { task_ids: [chain.task_id] });
  const progress = await here.call("pool_chain_result", { task_id: chain.task_id });
  const [plan] = progress.steps as readonly Fields[];
  await here.call("pool_approve_result", { task_id: plan?.task_id });
  const ended = await here.call("pool_wait", { task_ids: [chain.task_id] });
  expect([
    waited.pending,
    String(waited.next_step).includes(`approve or reject these steps: ${String(plan?.task_id)}`),
    String(progress.next_step).includes("pool_approve_result"),
    (ended.done as readonly Fields[]).map((one) => one.state),
  ]).toEqual([[chain.task_id], true, true, ["completed"]]);
});

test("a chain tells which step it is at, and that step's text", async () => {
  const gate = held<string>();
  const here = await connected();
  here.runner.on("first", "one").on("second", async (_, __, { emit }) => {
    emit({ type: "text", text: "half of the second" });
    return completed(await gate.promise);
  });
  const partial = Promise.withResolvers<string>();
  const steps = [
    { name: "plan", prompt: "first" },
    { name: "build", prompt: "second" },
  ];
  const calling = here.client.callTool(
    { name: "pool_chain", arguments: { steps } },
    {
      onprogress: ({ message = "" }) => {
        if (message.includes("half of the second")) partial.resolve(message);
      },
    },
  );
  const message = await partial.promise;
  gate.release("two");
  await calling;
  expect(message).toBe("0 of 1 done, 0 running: step build: half of the second");
});
