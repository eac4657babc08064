import { describe, expect, it } from "vitest";
import {
  attemptPrompt,
  canHeal,
  nextAttempt,
  nextCheckRound,
  planAfterRejection,
  type TaskPlan,
} from "../../src/core/attempt.ts";
import { endReasons } from "../../src/core/outcome.ts";
import type { TaskResult } from "../../src/core/task.ts";
import type { TaskWorkspace } from "../../src/core/workspace.ts";

const result: TaskResult = {
  output: "one",
  success: true,
  costMicrodollars: 1,
  turnsUsed: 1,
  elapsedMs: 1,
  sessionId: "s",
};

describe("a failure", () => {
  it("can heal, or another attempt is only more money", () => {
    expect(endReasons.filter((reason) => canHeal({ reason }))).toEqual([
      "error",
      "max_turns",
      "schema",
      "api",
      "timed_out",
      "silent",
      "limited",
      "lost",
      "mismatch",
      "workspace",
      "checks",
    ]);
  });

  it.each([
    [undefined, true],
    [400, false],
    [401, false],
    [403, false],
    [404, false],
    [408, true],
    [429, true],
    [500, true],
    [529, true],
  ])("of the API with status %s", (apiStatus, expected) => {
    expect(canHeal({ reason: "api", ...(apiStatus === undefined ? {} : { apiStatus }) })).toBe(expected);
  });

  it.each<readonly [string, TaskPlan | undefined, number, Partial<TaskResult>, unknown]>([
    ["without retries ends the task", undefined, 0, { error: "E" }, undefined],
    [
      "is tried again",
      { retries: 1 },
      0,
      { error: "E" },
      { plan: { retries: 1, lastError: "E" }, delayMs: 0, recovering: false },
    ],
    ["is tried again no more than that", { retries: 1 }, 1, { error: "E" }, undefined],
    [
      "waits twice as long each time",
      { retries: 9, retryDelayMs: 100 },
      3,
      { error: "E" },
      { plan: { retries: 9, retryDelayMs: 100, lastError: "E" }, delayMs: 800, recovering: false },
    ],
    [
      "waits an hour at most",
      { retries: 99, retryDelayMs: 1e6 },
      60,
      { error: "E" },
      { plan: { retries: 99, retryDelayMs: 1e6, lastError: "E" }, delayMs: 3_600_000, recovering: false },
    ],
    [
      "after a rejection has all its retries and the first pause again",
      { retries: 1, retryDelayMs: 10, retriesBefore: 1 },
      1,
      { error: "E" },
      { plan: { retries: 1, retryDelayMs: 10, retriesBefore: 1, lastError: "E" }, delayMs: 10, recovering: false },
    ],
    ["that cannot heal is not tried again", { retries: 9 }, 0, { reason: "budget" }, undefined],
    [
      "is recovered when no retry is left",
      { retries: 1, recoveryPrompt: "R" },
      1,
      { error: "E" },
      { plan: { retries: 1, recoveryPrompt: "R", lastError: "E", recovering: true }, delayMs: 0, recovering: true },
    ],
    ["of a recovery ends it", { recoveryPrompt: "R", recovering: true, retries: 9 }, 0, { error: "E" }, undefined],
    [
      "that another prompt may mend is recovered at once",
      { retries: 9, recoveryPrompt: "R" },
      0,
      { reason: "permission", error: "E" },
      { plan: { retries: 9, recoveryPrompt: "R", lastError: "E", recovering: true }, delayMs: 0, recovering: true },
    ],
    ["for money is not recovered", { recoveryPrompt: "R" }, 0, { reason: "budget" }, undefined],
    ["of a wrong key is not recovered", { recoveryPrompt: "R" }, 0, { reason: "api", apiStatus: 401 }, undefined],
  ])("%s", (_what, plan, retryCount, failure, expected) => {
    const task = { retryCount, ...(plan === undefined ? {} : { plan }) };
    expect(nextAttempt(task, { ...result, ...failure })).toEqual(expected);
  });

  it("of a task that is to be cancelled is not tried again", () => {
    expect(nextAttempt({ retryCount: 0, plan: { retries: 1 }, cancelRequestedAtMs: 1 }, result)).toBeUndefined();
  });
});

describe("the prompt of an attempt", () => {
  it.each<readonly [string, TaskPlan | undefined, string]>([
    ["the first", undefined, "P"],
    ["after a failure", { lastError: "E" }, "P\n\n--- The attempt before this one failed ---\nE"],
    ["of a recovery", { recovering: true, recoveryPrompt: "R {error}", lastError: "E" }, "R {error}"],
    [
      "after two rejections",
      { feedback: ["f1", "f2"], rejectedOutput: "O" },
      "P\n\n--- The answer that was rejected ---\nO\n\n--- Rejection feedback (attempt 1/3) ---\nf1\n\n--- Rejection feedback (attempt 2/3) ---\nf2",
    ],
    [
      "in the same conversation",
      { feedback: ["f1", "f2"], rejectedOutput: "O", keepsConversation: true },
      "--- Rejection feedback (attempt 2/3) ---\nf2",
    ],
    [
      "after a failure that followed a rejection",
      { feedback: ["f"], lastError: "E" },
      "P\n\n--- Rejection feedback (attempt 1/3) ---\nf\n\n--- The attempt before this one failed ---\nE",
    ],
    [
      "after a very long error",
      { lastError: "e".repeat(30_000) },
      `P\n\n--- The attempt before this one failed ---\n${"e".repeat(20_000)}\n[cut]`,
    ],
  ])("%s", (_what, plan, expected) => {
    expect(attemptPrompt({ prompt: "P", maxRejections: 3, ...(plan === undefined ? {} : { plan }) })).toBe(expected);
  });

  it("keeps every feedback, the last answer, and the conversation only if it is to", () => {
    const plan = { feedback: ["a"], lastError: "E", retries: 2 };
    const fresh = planAfterRejection({ result, retryCount: 2, plan }, "b");
    const same = planAfterRejection({ result, retryCount: 0, plan: { afterRejection: "continue" } }, "b");
    expect([fresh, same]).toEqual([
      { feedback: ["a", "b"], rejectedOutput: "one", retries: 2, retriesBefore: 2 },
      { afterRejection: "continue", feedback: ["b"], rejectedOutput: "one", keepsConversation: true },
    ]);
  });
});

describe("in a workspace", () => {
  const workspace: TaskWorkspace = {
    isolation: "worktree",
    repository: "/repo/.git",
    path: "/place",
    cwd: "/place",
    branch: "b",
    baseRef: "HEAD",
    baseCommit: "c",
  };
  const failed = { reason: "error", error: "E", output: "" } as const;

  it.each<readonly [string, TaskPlan, TaskPlan]>([
    ["begins from the base", { retries: 1 }, { retries: 1, lastError: "E", start: "base" }],
    [
      "after check rounds forgets them",
      { retries: 1, start: "saved", checkFailures: 2, lastError: "C", keepsConversation: true, conversationId: "s" },
      { retries: 1, lastError: "E", start: "base" },
    ],
    [
      "after a rejection goes on with the work that was rejected, and with its conflicts",
      { retries: 1, start: "saved", feedback: ["F"], keepsConversation: true, mergeIn: "main", checkFailures: 1 },
      { retries: 1, start: "saved", feedback: ["F"], keepsConversation: true, mergeIn: "main", lastError: "E" },
    ],
    [
      "after a rejection to the base stays there",
      { retries: 1, start: "base", feedback: ["F"] },
      { retries: 1, start: "base", feedback: ["F"], lastError: "E" },
    ],
  ])("a retry %s", (_how, plan, expected) => {
    expect(nextAttempt({ plan, retryCount: 0, workspace }, failed)?.plan).toEqual(expected);
  });

  it.each<readonly [string, TaskPlan | undefined, Parameters<typeof nextCheckRound>[1], number, TaskPlan | undefined]>([
    [
      "go back in their conversation, on the work as it stands",
      { retries: 1, mergeIn: "main" },
      { reason: "checks", error: "C", sessionId: "s" },
      2,
      { retries: 1, checkFailures: 1, lastError: "C", start: "saved", keepsConversation: true, conversationId: "s" },
    ],
    [
      "go back without a conversation where there is none",
      { checkFailures: 1, keepsConversation: true, conversationId: "old" },
      { reason: "checks", error: "C" },
      2,
      { checkFailures: 2, lastError: "C", start: "saved" },
    ],
    ["go back no more than that", { checkFailures: 2 }, { reason: "checks", error: "C" }, 2, undefined],
    ["do not go back where that is not wanted", undefined, { reason: "checks", error: "C" }, 0, undefined],
    ["are the only failure that goes back so", undefined, { reason: "error", error: "C" }, 2, undefined],
  ])("failed checks %s", (_how, plan, ended, retries, expected) => {
    expect(nextCheckRound(plan === undefined ? {} : { plan }, ended, retries)).toEqual(expected);
  });

  it("a rejection says where the next attempt begins, and what it finds merged in; check rounds are over", () => {
    const plan: TaskPlan = { checkFailures: 1, conversationId: "s", lastError: "C", mergeIn: "old" };
    const plans = [
      planAfterRejection({ plan, result, retryCount: 0, workspace }, "F"),
      planAfterRejection({ plan, result, retryCount: 0, workspace }, "F", { start: "base" }),
      planAfterRejection({ result, retryCount: 0, workspace }, "F", { start: "saved", mergeIn: "main" }),
      planAfterRejection({ result, retryCount: 0 }, "F"),
    ];
    const common = { feedback: ["F"], rejectedOutput: "one" };
    expect(plans).toEqual([
      { ...common, start: "saved" },
      { ...common, start: "base" },
      { ...common, start: "saved", mergeIn: "main" },
      common,
    ]);
  });

  it.each<readonly [string, TaskPlan, string]>([
    [
      "in the kept conversation is told of its checks alone",
      { checkFailures: 1, keepsConversation: true, lastError: "C", feedback: ["F"], rejectedOutput: "old" },
      "C",
    ],
    [
      "in a fresh conversation is told all",
      { checkFailures: 1, lastError: "C", feedback: ["F"] },
      "p\n\n--- Rejection feedback (attempt 1/3) ---\nF\n\n--- The attempt before this one failed ---\nC",
    ],
    [
      "of a recovery is told of its checks too",
      { checkFailures: 1, recovering: true, recoveryPrompt: "r", lastError: "C" },
      "r\n\n--- The attempt before this one failed ---\nC",
    ],
  ])("a check round %s", (_how, plan, expected) => {
    expect(attemptPrompt({ prompt: "p", plan, maxRejections: 3 })).toBe(expected);
  });
});
