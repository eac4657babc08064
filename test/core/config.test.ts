import { describe, expect, test } from "vitest";
import { asksPermission, defaultConfig, resolveSettings, type PoolConfig } from "../../src/core/config.ts";
import type { SlotConfig, TaskOverrides, TaskRecord } from "../../src/core/task.ts";

function task(config: TaskOverrides, more: Partial<TaskRecord> = {}): TaskRecord {
  return {
    id: "task-1",
    seq: 1,
    prompt: "p",
    state: "pending",
    priority: 0,
    tags: [],
    config,
    reviewRequired: false,
    maxRejections: 3,
    rejectionCount: 0,
    attempt: 0,
    lostRuns: 0,
    kind: "task",
    retryCount: 0,
    createdAtMs: 0,
    ...more,
  };
}

const pool: PoolConfig = {
  ...defaultConfig,
  model: "haiku",
  allowedTools: ["Read"],
  disallowedTools: ["WebSearch"],
  mcpServers: { a: { command: "pool" }, b: { command: "pool" } },
  timeoutMs: 5,
};
const slot: SlotConfig = {
  model: "sonnet",
  effort: "low",
  allowedTools: ["Edit"],
  mcpServers: { b: { command: "slot" } },
};

describe("precedence of settings", () => {
  test("is task over slot over pool; lists add up without repeats; servers are united by name", () => {
    expect(
      resolveSettings(
        pool,
        slot,
        task({ model: "opus", allowedTools: ["Read", "Bash"], disallowedTools: ["Task"], maxBudgetUsd: 0.25 }),
      ),
    ).toEqual({
      model: "opus",
      permissionMode: "plan",
      systemPromptMode: "append",
      effort: "low",
      allowedTools: ["Read", "Edit", "Bash"],
      disallowedTools: ["WebSearch", "Task"],
      mcpServers: { a: { command: "pool" }, b: { command: "slot" } },
      strictMcpConfig: true,
      maxCostMicrodollars: 250_000,
      timeoutMs: 5,
      conversation: "fresh",
      isolation: "none",
      baseRef: "HEAD",
      checks: [],
      checkRetries: 2,
      workerTools: [],
      mayDispatch: false,
    });
  });

  test("replaces checks whole, and takes the original's switch for isolation where no layer names one", () => {
    const isolated = { ...pool, worktreeIsolation: true, checks: [{ command: "make" }], baseRef: "main" };
    const chosen = (own: TaskOverrides, inSlot: SlotConfig = {}): unknown => {
      const { isolation, baseRef, checks, checkRetries } = resolveSettings(isolated, inSlot, task(own));
      return [isolation, baseRef, checks.map((check) => check.command), checkRetries];
    };
    expect([
      chosen({}),
      chosen({}, { isolation: "clone", checks: [] }),
      chosen(
        { isolation: "none", baseRef: "v1", checks: [{ command: "test" }], checkRetries: 0 },
        { isolation: "clone" },
      ),
    ]).toEqual([
      ["worktree", "main", ["make"], 2],
      ["clone", "main", [], 2],
      ["none", "v1", ["test"], 0],
    ]);
  });

  test("lets a layer replace the tools of those below it", () => {
    expect(
      resolveSettings(pool, slot, task({ allowedTools: ["Grep"], allowedToolsMode: "replace" })).allowedTools,
    ).toEqual(["Grep"]);
  });

  test("is dontAsk in unattended mode only where nobody chose a mode", () => {
    const unattended = { ...pool, unattendedMode: true };
    expect([
      resolveSettings(unattended, {}, task({})).permissionMode,
      resolveSettings({ ...unattended, permissionMode: "plan" }, {}, task({})).permissionMode,
      resolveSettings(unattended, { permissionMode: "acceptEdits" }, task({})).permissionMode,
    ]).toEqual(["dontAsk", "plan", "acceptEdits"]);
  });

  test("takes time limit and conversation of the task before those of slot and pool", () => {
    const settings = resolveSettings(
      pool,
      { conversation: "continue" },
      task({}, { timeoutMs: 9, conversation: { taskId: "task-0" } }),
    );
    expect([settings.timeoutMs, settings.conversation]).toEqual([9, { taskId: "task-0" }]);
  });
});

test.each<[Partial<PoolConfig>, SlotConfig, TaskOverrides, readonly string[]]>([
  [{}, {}, {}, []],
  [{ workerTools: true }, {}, {}, ["messages", "ask", "progress", "context"]],
  [{ workerTools: true }, { workerTools: ["context", "ask"] }, {}, ["ask", "context"]],
  [{ workerTools: true }, { workerTools: ["ask"] }, { workerTools: false }, []],
  [{}, {}, { workerTools: [] }, []],
])("the worker's tools of pool %j, slot %j and task %j are %j", (pool, slot, config, families) => {
  expect(resolveSettings({ ...defaultConfig, ...pool }, slot, task(config)).workerTools).toEqual(families);
});

test("only a task can say that its worker may dispatch", () => {
  const said = [{}, { mayDispatch: true }, { mayDispatch: false }].map((config) =>
    resolveSettings(defaultConfig, { mayDispatch: true } as SlotConfig, task(config)),
  );
  expect(said.map(({ mayDispatch }) => mayDispatch)).toEqual([false, true, false]);
});

test.each<[Partial<PoolConfig>, boolean]>([
  [{}, true],
  [{ permissionRequests: "deny" }, false],
  [{ unattendedMode: true }, false],
])("with %j the coordinator is asked: %s", (config, asks) => {
  expect(asksPermission({ ...defaultConfig, ...config })).toBe(asks);
});
