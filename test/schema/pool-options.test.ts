import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PoolError } from "../../src/core/errors.ts";
import { snakeCase } from "../../src/core/wire.ts";
import { configFileSchema, overrideFields, slotConfigSchema } from "../../src/schema/fields.ts";
import { poolConfigJsonSchema } from "../../src/schema/json-schema.ts";
import { parseConfigFile, parsePoolOptions, parseSlotConfig, refuseBypass } from "../../src/schema/parse.ts";

/** The original's fields (PoolConfig, SlotConfig, TaskOverrides), in its own names. */
const seed = {
  pool: [
    "model",
    "permission_mode",
    "max_turns",
    "system_prompt",
    "allowed_tools",
    "mcp_servers",
    "effort",
    "fallback_model",
    "budget_microdollars",
    "slot_mode",
    "max_restarts",
    "worktree_isolation",
    "slot_assignment_timeout_secs",
    "scaling",
    "unattended_mode",
    "detect_permission_prompts",
    "supervisor_enabled",
    "supervisor_interval_secs",
    "strict_mcp_config",
    "worktree_base_dir",
  ],
  slot: [
    "model",
    "permission_mode",
    "max_turns",
    "system_prompt",
    "effort",
    "fallback_model",
    "allowed_tools",
    "mcp_servers",
    "role",
    "name",
    "description",
    "slot_assignment_timeout_secs",
  ],
  task: [
    "model",
    "permission_mode",
    "max_turns",
    "system_prompt",
    "effort",
    "fallback_model",
    "allowed_tools",
    "mcp_servers",
    "disallowed_tools",
    "tools",
    "json_schema",
    "max_budget_usd",
  ],
};

describe("the pool's options", () => {
  it("have every field of the original's pool, slot and task", () => {
    const missing = (names: readonly string[], fields: object) =>
      names.filter((name) => !Object.keys(fields).map(snakeCase).includes(name));
    expect({
      pool: missing(seed.pool, configFileSchema.shape),
      slot: missing(seed.slot, slotConfigSchema.shape),
      task: missing(seed.task, overrideFields),
    }).toEqual({ pool: [], slot: [], task: [] });
  });

  it("pass what a test puts in place of the real parts through untouched", () => {
    const [runner, clock, processes] = [{ open: 1 }, { now: 2 }, { self: 3 }];
    const given: object = { slots: 0, runner, clock, processes };
    const options: object = parsePoolOptions(given);
    expect(Object.entries(options).every(([key, value]) => value === given[key as keyof typeof given])).toEqual(true);
  });

  it("make a check of a command alone", () => {
    const checks = ["npm test", { name: "lint", command: "npm run lint", timeoutMs: 5 }];
    expect(parsePoolOptions({ checks, slots: [{ checks: ["make"] }] })).toEqual({
      checks: [{ command: "npm test" }, { name: "lint", command: "npm run lint", timeoutMs: 5 }],
      slots: [{ checks: [{ command: "make" }] }],
    });
  });

  it("fill one bound of the scaling with the default of the other", () => {
    expect(parsePoolOptions({ scaling: { maxSlots: 4 } })).toEqual({ scaling: { minSlots: 1, maxSlots: 4 } });
  });

  it.each([
    [{ slots: -1 }, "invalid_options", "slots: expected a number of slots of at least 0, got number -1."],
    [{ slots: [{}, { modle: "opus" }] }, "invalid_options", 'unknown field "slots[1].modle". Did you mean "model"?'],
    [{ budgetUsd: -1 }, "invalid_options", "budgetUsd: expected dollars, a number of at least 0, got number -1."],
    [
      { budgetUsd: 1, budgetMicrodollars: 1 },
      "invalid_options",
      "budgetUsd and budgetMicrodollars are the same setting: give one of them.",
    ],
    [
      { scaling: { minSlots: 9, maxSlots: 4 } },
      "invalid_options",
      "scaling: expected a minimum that is not above the maximum, got an object.",
    ],
    [{ env: { "A=B": "x" } }, "invalid_options", expect.stringContaining("env: expected names of variables")],
    [{ mcpServers: { A_b: "x" } }, "invalid_options", expect.stringContaining("mcpServers.A_b: expected an object")],
    [{ supervisorEnabled: "yes" }, "invalid_options", expect.stringContaining("supervisorEnabled: expected true or false")],
    [{ supervisorIntervalSecs: 0 }, "invalid_options", expect.stringContaining("supervisorIntervalSecs")],
    [{ maxRestarts: -1 }, "invalid_options", expect.stringContaining("maxRestarts")],
    [{ scaling: { automatic: true } }, "invalid_options", expect.stringContaining('unknown field "scaling.automatic"')],
    [{ scaling: { upDelayMs: -1 } }, "invalid_options", expect.stringContaining("scaling.upDelayMs")],
    [{ slots: [{ pull: "yes" }] }, "invalid_options", expect.stringContaining("pull")],
    [{ isolation: "docker" }, "invalid_options", expect.stringContaining("isolation: expected one of none, worktree, clone")],
    [{ isolaton: "clone" }, "invalid_options", expect.stringContaining('Did you mean "isolation"')],
    [{ baseRef: "--upload-pack=x" }, "invalid_options", expect.stringContaining("which does not begin with -")],
    [{ mergeTarget: "refs/heads/main" }, "invalid_options", expect.stringContaining("the short name of a branch")],
    [{ mergeMethod: "octopus" }, "invalid_options", expect.stringContaining("one of rebase, merge, squash")],
    [{ onMergeConflict: "ignore" }, "invalid_options", expect.stringContaining("one of review, rework")],
    [{ checks: ["  "] }, "invalid_options", expect.stringContaining("checks[0]: expected a command")],
    [{ checks: [{ run: "x" }] }, "invalid_options", expect.stringContaining("checks[0]")],
    [{ checks: [{ command: "x", timeoutMs: 0 }] }, "invalid_options", expect.stringContaining("checks[0]")],
    [{ checkRetries: -1 }, "invalid_options", expect.stringContaining("checkRetries")],
    [{ worktreeInclude: ".env" }, "invalid_options", expect.stringContaining("worktreeInclude: expected a list")],
    [{ worktreeSetup: "" }, "invalid_options", expect.stringContaining("worktreeSetup: expected a command")],
  ] as [object, string, unknown][])("refuse %j with %s", (options, code, message) => {
    expect(refusal(() => parsePoolOptions(options))).toEqual({ code, message });
  });
});

describe("the config file", () => {
  it("is read in wire names, its $schema aside", () => {
    const text = '{"$schema": "x", "budget_usd": 3, "slots": [{"name": "a", "max_turns": 2}], "env": {"a_B": "1"}}';
    expect(parseConfigFile(text, "claude-pool.json")).toEqual({
      budgetUsd: 3,
      slots: [{ name: "a", maxTurns: 2 }],
      env: { a_B: "1" },
    });
  });

  it.each([
    ["{", expect.stringContaining("claude-pool.json: not JSON")],
    ["[]", "claude-pool.json: expected an object of settings, got a list of 0."],
    ['{"budgetUsd": 3}', 'claude-pool.json: unknown field "budgetUsd". Did you mean "budget_usd"?'],
    ['{"scaling": {"min_slot": 2}}', 'claude-pool.json: unknown field "scaling.min_slot". Did you mean "min_slots"?'],
    ['{"cwd": "/"}', expect.stringContaining('claude-pool.json: unknown field "cwd"')],
  ] as [string, unknown][])("is refused as %s", (text, message) => {
    expect(refusal(() => parseConfigFile(text, "claude-pool.json"))).toEqual({ code: "invalid_options", message });
  });

  it("has its JSON schema published as the code makes it", () => {
    const file = new URL("../../schema/claude-pool.schema.json", import.meta.url);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(poolConfigJsonSchema());
  });
});

describe("a slot's configuration", () => {
  it("refuses what only a task can have", () => {
    expect(refusal(() => parseSlotConfig({ name: "a", jsonSchema: {} }))).toEqual({
      code: "invalid_options",
      message: expect.stringContaining('unknown field "jsonSchema".') as string,
    });
  });
});

describe("bypass of permissions", () => {
  it("is refused unless it has been made possible", () => {
    refuseBypass("bypassPermissions", true);
    refuseBypass("plan", false);
    expect(refusal(() => refuseBypass("bypassPermissions", false))?.code).toEqual("invalid_options");
  });
});

function refusal(act: () => unknown): { code: string; message: string } | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof PoolError) return { code: error.code, message: error.message };
    throw error;
  }
  return undefined;
}
