import fc from "fast-check";
import { expect, test } from "vitest";
import { camelCase, fromWire, snakeCase, toWire } from "../../src/core/wire.ts";

test("field names become snake_case, the user's own keys stay as they are", () => {
  expect(
    toWire({
      maxBudgetUsd: 1,
      hold: { untilMs: 2 },
      mcpServers: { myServer: { fooBar: 1 } },
      permissionDenials: [{ toolName: "Write", toolInput: { filePath: "x" } }],
    }),
  ).toEqual({
    max_budget_usd: 1,
    hold: { until_ms: 2 },
    mcp_servers: { myServer: { fooBar: 1 } },
    permission_denials: [{ tool_name: "Write", tool_input: { filePath: "x" } }],
  });
});

test("what was written is read back as it was", () => {
  const record = {
    taskId: "t",
    result: { structuredOutput: { someKey: [1] }, modelUsage: { "claude-x": { inputTokens: 1 } } },
  };
  expect(fromWire(toWire(record))).toEqual(record);
});

test("every camelCase name survives the way there and back", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]+([A-Z][a-z0-9]+){0,3}$/), (name) => {
      expect(camelCase(snakeCase(name))).toBe(name);
    }),
  );
});
