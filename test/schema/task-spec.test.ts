import { describe, expect, it } from "vitest";
import { PoolError } from "../../src/core/errors.ts";
import { parseTaskSpec, type Casing } from "../../src/schema/parse.ts";
import { cpuTime } from "../cpu-time.ts";

describe("parseTaskSpec", () => {
  it("takes a bare prompt, NUL included", () => {
    expect(parseTaskSpec("a\0b")).toEqual({ prompt: "a\0b" });
  });

  it("reads the same spec in the library's and in the wire's names", () => {
    const own = { prompt: "x", maxTurns: 2, jsonSchema: { aB: { c_d: 1 } }, conversation: { taskId: "task-1" } };
    const wire = { prompt: "x", max_turns: 2, json_schema: { aB: { c_d: 1 } }, conversation: { task_id: "task-1" } };
    expect([parseTaskSpec(own), parseTaskSpec(wire, "wire")]).toEqual([own, own]);
  });

  it("drops fields that are given as undefined and reads effort min as low", () => {
    expect(Object.entries(parseTaskSpec({ prompt: "x", model: undefined, effort: "min" })).sort()).toEqual([
      ["effort", "low"],
      ["prompt", "x"],
    ]);
  });

  it("keeps a prompt of five million characters whole", () => {
    const prompt = "x".repeat(5_000_000);
    expect(parseTaskSpec({ prompt }).prompt === prompt).toEqual(true);
  });

  it.each([
    ["opus"],
    ["sonnet[1m]"],
    ["claude-sonnet-4-5-20250929"],
    ["claude-opus-4@20250101"],
    ["us.anthropic.claude-opus-4-v1:0"],
    ["arn:aws:bedrock:us-east-1:123:inference-profile/x"],
  ])("accepts the model name %s", (model) => {
    expect(parseTaskSpec({ prompt: "x", model })).toEqual({ prompt: "x", model });
  });

  it("checks a thousand small specs in far less than a tenth of a second", () => {
    const specs = Array.from({ length: 1_000 }, (_, index) => ({ prompt: `task ${String(index)}`, tags: ["a"] }));
    specs.forEach((spec) => parseTaskSpec(spec));
    const start = cpuTime();
    specs.forEach((spec) => parseTaskSpec(spec));
    expect(cpuTime() - start).toBeLessThan(100);
  });

  it.each(refused().map(([input, casing, message]) => ({ input, casing, message })))("refuses with: $message", ({ input, casing, message }) => {
    expect(refusal(() => parseTaskSpec(input, casing))).toEqual({ code: "invalid_options", message });
  });
});

function refused(): [unknown, Casing, string][] {
  const whole = "expected a whole number";
  return [
    [5, "library", "expected a prompt or an object with a `prompt`, got number 5."],
    [{}, "library", "prompt: expected text, got nothing."],
    ["", "library", 'prompt: expected text that is neither empty nor blank, got text "".'],
    [" \n", "library", 'prompt: expected text that is neither empty nor blank, got text " \\n".'],
    [
      "a\ud800b",
      "library",
      'prompt: expected text without lone surrogates (there is one at index 1), got text "a\\ud800b".',
    ],
    [{ prompt: "x", modle: "opus" }, "library", 'unknown field "modle". Did you mean "model"?'],
    [{ prompt: "x", max_turn: 1 }, "wire", 'unknown field "max_turn". Did you mean "max_turns"?'],
    [{ prompt: "x", maxTurns: 1 }, "wire", 'unknown field "maxTurns". Did you mean "max_turns"?'],
    [{ prompt: "x", max_turns: 1 }, "library", 'unknown field "max_turns". Did you mean "maxTurns"?'],
    [
      { prompt: "x", conversation: { taskId: "a" } },
      "wire",
      'unknown field "conversation.taskId". Did you mean "task_id"?',
    ],
    [{ prompt: "x", maxTurns: -1 }, "library", `maxTurns: ${whole} of at least 1, got number -1.`],
    [{ prompt: "x", max_turns: 1.5 }, "wire", `max_turns: ${whole} of at least 1, got number 1.5.`],
    [{ prompt: "x", priority: 0.5 }, "flag", `--priority: ${whole}, got number 0.5.`],
    [{ prompt: "x", priority: NaN }, "library", `priority: ${whole}, got number NaN.`],
    [
      { prompt: "x", timeoutMs: Infinity },
      "library",
      "timeoutMs: expected milliseconds, a whole number from 1 to 2147483647, got number Infinity.",
    ],
    [
      { prompt: "x", maxBudgetUsd: 0 },
      "library",
      "maxBudgetUsd: expected dollars, a number above 0, got number 0.",
    ],
    [
      { prompt: "x", effort: "hgih" },
      "library",
      'effort: expected one of low, medium, high, xhigh, max (min means low), got text "hgih". Did you mean "high"?',
    ],
    [
      { prompt: "x", permissionMode: "acceptedits" },
      "library",
      "permissionMode: expected one of default, acceptEdits, bypassPermissions, dontAsk, plan, auto, " +
        'got text "acceptedits". Did you mean "acceptEdits"?',
    ],
    [
      { prompt: "x", model: "sonet" },
      "library",
      "model: expected an alias (default, best, opus, sonnet, haiku, fable, opusplan, with [1m] if wanted), " +
        'or an id such as claude-…, …anthropic.… or arn:…, got text "sonet". Did you mean "sonnet"?',
    ],
    [{ prompt: "x", jsonSchema: [] }, "library", "jsonSchema: expected an object, a JSON schema, got a list of 0."],
    [
      { prompt: "x", jsonSchema: { a: NaN } },
      "library",
      "jsonSchema: expected plain JSON throughout (no function, NaN, date or circle), got an object.",
    ],
    [{ prompt: "x", cwd: "a\0" }, "library", 'cwd: expected text without NUL, got text "a\\u0000".'],
    [{ prompt: "x", tags: ["a", "b\0"] }, "library", 'tags[1]: expected text without NUL, got text "b\\u0000".'],
    [{ prompt: "x", tags: Array(65).fill("a") }, "library", "tags: expected at most 64 tags, got a list of 65."],
    [
      { prompt: "x", key: "k".repeat(513) },
      "library",
      `key: expected at most 512 characters, got text "${"k".repeat(60)}"… (513 characters).`,
    ],
  ];
}

function refusal(act: () => unknown): { code: string; message: string } | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof PoolError) return { code: error.code, message: error.message };
    throw error;
  }
  return undefined;
}
