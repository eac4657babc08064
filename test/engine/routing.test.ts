/** Routing and what it carries out, on the scripted runner. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { Json } from "../../src/core/task.ts";
import { completed, failed } from "../../src/testing/outcomes.ts";
import { held, scriptedPool, type ScriptedPool } from "./scripted-pool.ts";

/** A pool whose router answers so. */
async function routing(answer: Json, options: OpenPoolOptions = {}): Promise<ScriptedPool> {
  const opened = await scriptedPool(options);
  opened.runner.on("How should this task be divided?", decided(answer));
  return opened;
}

function decided(answer: Json): Outcome {
  return completed("", { structuredOutput: answer, costMicrodollars: 70 });
}

const parallel = { route: "parallel", prompts: ["left", "right"], reason: "Two halves." };
const chain = {
  route: "chain",
  steps: [
    { name: "find", prompt: "find it" },
    { name: "fix", prompt: "fix: {previous_output}" },
  ],
};

describe("route", () => {
  test("asks a cheap model in an empty folder, with no tools, servers or settings, and enters the cost in the ledger", async () => {
    const { pool, runner } = await routing(parallel, {
      model: "opus",
      mcpServers: { one: { command: "x" } },
      strictMcpConfig: false,
      allowedTools: ["Bash"],
      systemPrompt: "Be grand.",
      slots: [{ name: "Ada", model: "sonnet" }],
    });
    await pool.setContext("secret", "of the pool");
    await pool.sendMessage({ to: "slot-1", content: "not for the router" });
    const answer = await pool.route("do left and right");
    const [turn] = runner.turns;
    const record = await pool.get(answer.taskId);
    expect({
      answer,
      launch: {
        tools: turn?.launch.tools,
        mcpServers: turn?.launch.mcpServers,
        strict: turn?.launch.strictMcpConfig,
        settings: turn?.launch.settingSources,
        replace: turn?.launch.replaceSystemPrompt,
        files: readdirSync(turn?.launch.cwd ?? "/"),
        schema: turn?.launch.jsonSchema?.type,
      },
      turn: [
        turn?.spec.model,
        turn?.spec.allowedTools,
        turn?.spec.context,
        turn?.spec.prompt.includes("left and right"),
      ],
      record: [record.kind, record.state],
      spent: (await pool.status()).totalSpendMicrodollars,
      messages: await pool.messageCount("slot-1"),
    }).toEqual({
      answer: { ...parallel, costMicrodollars: 70, taskId: answer.taskId },
      launch: { tools: [], mcpServers: {}, strict: true, settings: [], replace: true, files: [], schema: "object" },
      turn: ["haiku", [], undefined, true],
      record: ["route", "completed"],
      spent: 70,
      messages: 1,
    });
    await pool.close();
    expect(existsSync(turn?.launch.cwd ?? "")).toBe(false);
  });

  test("keeps a single task's own words, and takes another model and other instructions", async () => {
    const { pool, runner } = await routing({ route: "single", reason: "Small." });
    const answer = await pool.route("Fix IT, please", { model: "sonnet", customPrompt: "Sort it." });
    const [turn] = runner.turns;
    expect([
      answer.route === "single" && answer.prompt,
      turn?.spec.model,
      turn?.launch.systemPrompt?.slice(0, 8),
    ]).toEqual(["Fix IT, please", "sonnet", "Sort it."]);
  });

  test("reads a JSON answer in text where the structured one is missing", async () => {
    const { pool, runner } = await scriptedPool();
    runner.on("How should", completed('Sure:\n```json\n{"route":"single","reason":"x"}\n```'));
    expect((await pool.route("it")).route).toBe("single");
  });

  test.each<[string, Outcome]>([
    ["that fails", failed("api", { error: "No key." })],
    ["that gives no JSON", completed("I think it is single.")],
    ["of another shape", decided({ route: "parallel", prompts: [] })],
  ])("through a router %s is an error with the task, never single", async (_what, outcome) => {
    const { pool, runner } = await scriptedPool();
    runner.on("How should", outcome);
    const [task] = (await Promise.allSettled([pool.auto("it")])).map((one) =>
      one.status === "rejected" ? (one.reason as unknown) : undefined,
    );
    expect([task, runner.turns.length]).toEqual([
      expect.objectContaining({
        code: "route_failed",
        details: expect.objectContaining({ taskId: expect.stringMatching(/^task-/) as string }) as object,
      }),
      1,
    ]);
  });

  test("that is aborted cancels the router", async () => {
    const never = held<string>();
    const { pool, runner } = await scriptedPool({}, () => never.promise);
    const stop = new AbortController();
    const asking = pool.route("it", { signal: stop.signal });
    await runner.waitForTurn("How should");
    stop.abort();
    await expect(asking).rejects.toMatchObject({ code: "aborted" });
    expect((await pool.list()).tasks.map((task) => task.state)).toEqual(["cancelled"]);
  });

  test("passes on what admission refuses", async () => {
    const { pool, runner } = await scriptedPool({ budgetUsd: 0 });
    await expect(pool.route("it")).rejects.toMatchObject({ code: "budget_exhausted" });
    expect(runner.turns).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["an unknown hint", { hints: { maxParalel: 2 } }, 'Did you mean "maxParallel"?'],
    ["a limit of nothing", { hints: { maxParallel: 0 } }, "hints.maxParallel"],
    ["an unknown preference", { hints: { prefer: "prefer_all" } }, "hints.prefer"],
  ])("refuses %s by its name", async (_what, options, words) => {
    const { pool } = await scriptedPool();
    await expect(pool.route("it", options as never)).rejects.toThrow(words);
  });
});

describe("auto", () => {
  test("runs a single task with its own words and the work's options", async () => {
    const { pool, runner } = await routing({ route: "single" });
    runner.on("paint it", completed("painted", { costMicrodollars: 5 }));
    const routes: string[] = [];
    const result = await pool.auto("paint it", {
      task: { model: "opus", tags: ["t"] },
      onRoute: ({ route }) => routes.push(route),
    });
    const record = await pool.get(result.taskIds[0] ?? "");
    expect([
      result.route,
      result.output,
      result.success,
      result.costMicrodollars,
      record.tags,
      runner.turns[1]?.spec.model,
      routes,
    ]).toEqual(["single", "painted", true, 75, ["t"], "opus", ["single"]]);
  });

  test("runs parts at once, and tells of one that failed beside the others", async () => {
    const { pool, runner } = await routing(parallel, { slots: 2 });
    runner.on("left", completed(" L ")).on("right", failed("error", { output: "half" }));
    const result = await pool.auto("do both");
    expect([result.route, result.output, result.success, result.taskIds.length, result.costMicrodollars]).toEqual([
      "parallel",
      "1. L\n\n2. half",
      false,
      2,
      2_070,
    ]);
  });

  test("runs a chain, each step with the result before it", async () => {
    const { pool, runner } = await routing(chain);
    runner.on("find it", completed("a {steps.x.y} bug")).on("fix:", completed("fixed"));
    const result = await pool.auto("find and fix", { task: { permissionMode: "acceptEdits" } });
    expect({
      route: result.route,
      output: result.output,
      success: result.success,
      prompts: runner.turns.slice(1).map((turn) => [turn.spec.prompt, turn.spec.permissionMode]),
      known: (await pool.get(result.taskIds[0] ?? "")).kind,
    }).toEqual({
      route: "chain",
      output: "fixed",
      success: true,
      prompts: [
        ["find it", "acceptEdits"],
        ["fix: a {steps.x.y} bug", "acceptEdits"],
      ],
      known: "chain",
    });
  });

  test("tells of a chain that fails in its result, with the chain's id", async () => {
    const { pool, runner } = await routing(chain);
    runner.on("find it", failed("error", { error: "Nothing there." }));
    const result = await pool.auto("find and fix");
    expect([result.route, result.success, result.taskIds.length]).toEqual(["chain", false, 1]);
  });
});
