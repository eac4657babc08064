import { describe, expect, it } from "vitest";
import { CostMeter, priceOf, priceOfUnseen } from "../../src/runner/claude/cost.ts";
import { claudeEnvironment } from "../../src/runner/claude/environment.ts";
import { isAtLeast } from "../../src/runner/claude/executable.ts";
import { mismatchOf } from "../../src/runner/claude/mismatch.ts";
import { outcomeOf, type Cause, type ResultFacts, type TurnFacts } from "../../src/runner/claude/outcome.ts";

const good: ResultFacts = { subtype: "success", isError: false, text: "done", errors: [], denials: [] };
const facts: TurnFacts = {
  output: "so far",
  turnsUsed: 1,
  elapsedMs: 1_000,
  costMicrodollars: 100,
  costEstimated: false,
  permissionMode: "plan",
  asked: { schema: false, silenceTimeoutMs: 60_000, disallowedTools: [] },
};
const failing = (result: Partial<ResultFacts>): Partial<TurnFacts> => ({ result: { ...good, ...result } });
const denial = { toolName: "Bash", toolUseId: "t1" };
const causes: readonly (readonly [Cause, string, string])[] = [
  ["cancel", "cancelled", "cancelled"],
  ["shutdown", "cancelled", "shutdown"],
  ["timeout", "timed_out", "timed_out"],
  ["silent", "timed_out", "silent"],
  ["budget", "failed", "budget"],
  ["max_turns", "failed", "max_turns"],
  ["mismatch", "failed", "mismatch"],
];

describe("the outcome of a turn", () => {
  it.each<[string, Partial<TurnFacts>, string, string | undefined]>([
    ["success", failing({}), "completed", undefined],
    ["is_error under success", failing({ isError: true, text: "odd" }), "failed", "error"],
    ["an error of the API", failing({ isError: true, apiStatus: 500, terminalReason: "api_error" }), "failed", "api"],
    ["a refusal", failing({ stopReason: "refusal" }), "failed", "refused"],
    [
      "a prompt the API finds too long",
      failing({ isError: true, terminalReason: "prompt_too_long" }),
      "failed",
      "prompt_too_long",
    ],
    [
      "a prompt the CLI finds too long",
      failing({ isError: true, terminalReason: "blocking_limit" }),
      "failed",
      "prompt_too_long",
    ],
    ["the CLI's own turn limit", failing({ subtype: "error_max_turns", isError: true }), "failed", "max_turns"],
    ["the CLI's own cap", failing({ subtype: "error_max_budget_usd", isError: true }), "failed", "budget"],
    ["schema retries used up", failing({ subtype: "error_max_structured_output_retries" }), "failed", "schema"],
    ["an error while it ran", failing({ subtype: "error_during_execution", errors: ["broke"] }), "failed", "error"],
    ["no structured output", { ...failing({}), asked: { ...facts.asked, schema: true } }, "failed", "schema"],
    [
      "structured output",
      { ...failing({ structuredOutput: 1 }), asked: { ...facts.asked, schema: true } },
      "completed",
      undefined,
    ],
    ["a denied last call", { ...failing({ denials: [denial] }), lastToolUseId: "t1" }, "failed", "permission"],
    ["an earlier denial", { ...failing({ denials: [denial] }), lastToolUseId: "t2" }, "completed", undefined],
    ["a cost over the cap", { ...failing({}), asked: { ...facts.asked, maxCostMicrodollars: 99 } }, "failed", "budget"],
    [
      "a cost at the cap",
      { ...failing({}), asked: { ...facts.asked, maxCostMicrodollars: 100 } },
      "completed",
      undefined,
    ],
    [
      "a usage limit",
      { ...failing({ isError: true, apiStatus: 429 }), limit: { resetsAtMs: 5 } },
      "limited",
      "limited",
    ],
    ["a usage limit that was got over", { ...failing({}), limit: { resetsAtMs: 5 } }, "completed", undefined],
    ["a death", { death: { exitCode: 1, stderr: "", command: "claude" } }, "lost", "lost"],
  ])("after %s", (_, given, kind, reason) => {
    const { kind: got, result } = outcomeOf({ ...facts, ...given });
    expect([got, result.reason, result.success]).toEqual([kind, reason, kind === "completed"]);
  });

  it.each(causes)("is the first cause's: %s, whatever came after it", (cause, kind, reason) => {
    for (const given of [failing({}), failing({ isError: true }), {}]) {
      const outcome = outcomeOf({ ...facts, ...given, cause });
      expect([outcome.kind, outcome.result.reason, outcome.result.budgetExceeded]).toEqual([
        kind,
        reason,
        cause === "budget" ? true : undefined,
      ]);
    }
  });

  it("keeps what had been said, spent and counted when there is no result", () => {
    const { result } = outcomeOf({
      ...facts,
      costEstimated: true,
      death: { signal: "SIGKILL", stderr: "bye", command: "claude" },
    });
    expect(result).toEqual({
      output: "so far",
      success: false,
      costMicrodollars: 100,
      costEstimated: true,
      turnsUsed: 1,
      elapsedMs: 1_000,
      permissionMode: "plan",
      failedCommand: "claude",
      stderr: "bye",
      reason: "lost",
      error: "The Claude process was ended by SIGKILL before the turn did. Its last words: bye",
    });
  });
});

describe("cost", () => {
  const result = (total: number, since?: number): Parameters<CostMeter["settle"]>[0] =>
    ({
      type: "result",
      total_cost_usd: total,
      ...(since === undefined ? {} : { model_usage_since_last_result: { m: { costUSD: since } } }),
    }) as unknown as Parameters<CostMeter["settle"]>[0];

  it.each<[string, number | undefined, readonly (readonly [number, number?])[], readonly (number | undefined)[]]>([
    [
      "the CLI's own figure wins",
      0,
      [
        [1, 0.5],
        [2, 0.25],
      ],
      [0.5, 0.25],
    ],
    ["an old CLI's total by difference", 0, [[1], [1.5], [1.5]], [1, 0.5, 0]],
    ["a total that was set back starts again", 0, [[1], [0.25]], [1, 0.25]],
    ["after a resume by an old CLI the first is unknown", undefined, [[3], [3.5]], [undefined, 0.5]],
    ["after a resume with a known total", 3, [[3.5]], [0.5]],
  ])("%s", (_, start, results, costs) => {
    const meter = new CostMeter(start);
    expect(results.map(([total, since]) => meter.settle(result(total, since)))).toEqual(costs);
  });

  it("that is unknown is never zero", () => {
    const usage = { inputTokens: 1, outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };
    expect([priceOf(usage) > 0, priceOfUnseen(0) > 0]).toEqual([true, true]);
  });
});

describe("what a process is", () => {
  const init = { cwd: "/work", model: "claude-sonnet-5-5", permissionMode: "plan" as const, mcp_servers: [] };
  it.each([
    ["sonnet", true],
    ["claude-sonnet-5-5", true],
    ["claude-sonnet-5-5-20260101", true],
    ["sonnet[1m]", true],
    ["default", true],
    ["opus", false],
    ["claude-opus-5-5", false],
    ["claude-sonnet-4-5", false],
  ])("fits a task that asks for model %s: %s", (model, fits) => {
    expect(mismatchOf(init, "/work", { model, permissionMode: "plan" }, []) === undefined).toBe(fits);
  });

  it("does not fit another folder or permission mode", () => {
    const elsewhere = mismatchOf(init, "/other", { permissionMode: "plan" }, []);
    const freer = mismatchOf(init, "/work", { permissionMode: "acceptEdits" }, []);
    expect([elsewhere, freer]).toEqual([
      "The process works in /work, not in /other.",
      "The process has permission mode plan; the task asked for acceptEdits.",
    ]);
  });

  it("has nothing of the session that its host runs in, and the launch's own above all", () => {
    const parent = {
      PATH: "/bin",
      CLAUDECODE: "1",
      CLAUDE_CODE_ENTRYPOINT: "cli",
      CLAUDE_CODE_SESSION_ID: "s",
      CLAUDE_PID: "1",
      CLAUDE_POOL_MARKER: "parent's",
      CLAUDE_POOL_TOKEN: "the server's",
      ANTHROPIC_API_KEY: "k",
    };
    expect(claudeEnvironment(parent, { CLAUDE_CODE_MAX_RETRIES: "1", X: "y" }, "mine")).toEqual({
      PATH: "/bin",
      ANTHROPIC_API_KEY: "k",
      CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
      CLAUDE_CODE_MAX_RETRIES: "1",
      X: "y",
      CLAUDE_POOL_MARKER: "mine",
    });
  });

  it("is of a version that is compared by its numbers", () => {
    const wanted = "2.1.328";
    expect([undefined, "2.1.197", "2.1.328", "2.2.0", "10.0.0"].map((version) => isAtLeast(version, wanted))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });
});
