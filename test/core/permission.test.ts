import { describe, expect, test } from "vitest";
import { boundedInput, callOf, type NewRequest } from "../../src/core/permission.ts";
import { checkRule, narrowestRule, ruleCovers, type ToolCall } from "../../src/core/permission-rule.ts";
import { cpuTime } from "../cpu-time.ts";

const cwd = "/home/u/project";

function bash(command: string): ToolCall {
  return { tool: "Bash", input: { command }, cwd };
}

function file(tool: string, path: string): ToolCall {
  return { tool, input: { file_path: path }, cwd };
}

describe("a rule that allows", () => {
  test.each<[string, ToolCall, boolean]>([
    ["Bash", bash("anything && at all"), true],
    ["Bash(*)", bash("anything; at all"), true],
    ["Bash(npm test:*)", bash("npm test"), true],
    ["Bash(npm test:*)", bash("npm test -- --watch"), true],
    ["Bash(npm test:*)", bash("npm testify"), false],
    ["Bash(npm test:*)", bash("npm test && rm -rf /"), false],
    ["Bash(npm test:*)", bash("npm test; rm -rf /"), false],
    ["Bash(npm test:*)", bash("npm test | sh"), false],
    ["Bash(npm test:*)", bash("npm test\nrm -rf /"), false],
    ["Bash(npm test:*)", bash("npm test $(rm -rf /)"), false],
    ["Bash(npm test:*)", bash("npm test `rm -rf /`"), false],
    ["Bash(npm test:*)", bash("npm test > /etc/passwd"), false],
    ["Bash(npm test:*)", bash("npm test & rm x"), false],
    ["Bash(npm test:*)", bash("cd / && npm test"), false],
    ["Bash(git log *)", bash("git log --oneline"), true],
    ["Bash(git * main)", bash("git push origin main"), true],
    ["Bash(git * main)", bash("git push origin main2"), false],
    ["Bash(make a && make b)", bash("make a && make b"), true],
    ["Bash(make a && make b)", bash("make a && make b && rm x"), false],
    ["Edit", file("Write", "/etc/passwd"), true],
    ["Edit(src/**)", file("Write", `${cwd}/src/a/b.ts`), true],
    ["Edit(src/**)", file("Edit", "src/a.ts"), true],
    ["Edit(src)", file("Edit", "src/a.ts"), true],
    ["Edit(/src/**)", file("Edit", `${cwd}/src/a.ts`), true],
    ["Edit(./src/*.ts)", file("Edit", `${cwd}/src/a.ts`), true],
    ["Edit(src/*.ts)", file("Edit", `${cwd}/src/a/b.ts`), false],
    ["Edit(src/**/*.ts)", file("Edit", `${cwd}/src/a/b/c.ts`), true],
    ["Edit(src/**/*.ts)", file("Edit", `${cwd}/src/c.ts`), true],
    ["Edit(*.md)", file("Edit", `${cwd}/docs/deep/x.md`), true],
    ["Edit(src/**)", file("Edit", `${cwd}/src/../../../../etc/passwd`), false],
    ["Edit(src/**)", file("Edit", "/elsewhere/src/a.ts"), false],
    ["Edit(src/**)", file("Read", `${cwd}/src/a.ts`), false],
    ["Write(src/**)", file("Edit", `${cwd}/src/a.ts`), false],
    ["Edit(../**)", file("Edit", "/home/u/other"), false],
    ["Edit(//tmp/**)", file("Edit", "/tmp/x/y"), true],
    ["Edit(//tmp/**)", file("Edit", "/tmp/../etc/x"), false],
    ["Read(docs/**)", { tool: "Grep", input: { path: `${cwd}/docs/x`, pattern: "a" }, cwd }, true],
    ["WebFetch(domain:example.com)", { tool: "WebFetch", input: { url: "https://EXAMPLE.com/x" }, cwd }, true],
    ["WebFetch(domain:example.com)", { tool: "WebFetch", input: { url: "https://example.com.evil.org" }, cwd }, false],
    ["WebFetch(domain:*.example.com)", { tool: "WebFetch", input: { url: "https://a.example.com" }, cwd }, true],
    ["mcp__files", { tool: "mcp__files__read", input: {}, cwd }, true],
    ["mcp__file", { tool: "mcp__files__read", input: {}, cwd }, false],
    ["mcp__files__read", { tool: "mcp__files__write", input: {}, cwd }, false],
    ["Bash(x:*)", { tool: "Bash", input: { command: 7 }, cwd }, false],
    ["Edit(src/**)", { tool: "Edit", input: {}, cwd }, false],
  ])("%s on %o: %s", (rule, call, covers) => {
    expect(ruleCovers(checkRule(rule), call, "allow")).toBe(covers);
  });

  test.each<[string, ToolCall, boolean]>([
    ["Bash", { ...bash("rm -rf /"), isSensitive: true }, false],
    ["Bash(rm -rf /)", { ...bash("rm -rf /"), isSensitive: true }, false],
    ["Edit", { ...file("Write", `${cwd}/.git/hooks/x`), isSensitive: true }, false],
    ["Edit", { ...file("Write", "/tmp/x"), isOutside: true }, false],
    ["Edit(*)", { ...file("Write", "/tmp/x"), isOutside: true }, false],
    ["Edit(//tmp/**)", { ...file("Write", "/tmp/x"), isOutside: true }, true],
    ["Bash(cp:*)", { ...bash("cp a /etc/b"), isOutside: true }, false],
    ["Bash(cp a /etc/b)", { ...bash("cp a /etc/b"), isOutside: true }, true],
    ["Bash", { ...bash("cp a /etc/b"), isOutside: true }, true],
  ])("%s on %o, about which Claude itself is careful: %s", (rule, call, covers) => {
    expect(ruleCovers(checkRule(rule), call, "allow")).toBe(covers);
  });

  test("is matched in proportion to its length, whatever the input is", () => {
    const stars = `Bash(${"a*".repeat(200)}b)`;
    const deep = `Edit(${"**/a/".repeat(90)}b)`;
    const start = cpuTime();
    const covered = [
      ruleCovers(stars, bash("a".repeat(200_000)), "allow"),
      ruleCovers(deep, file("Edit", "/a".repeat(20_000)), "allow"),
    ];
    expect([covered, cpuTime() - start < 2_000]).toEqual([[false, false], true]);
  });
});

describe("a rule that denies", () => {
  test.each<[string, ToolCall, boolean]>([
    ["Edit", { ...file("Write", "/tmp/x"), isOutside: true, isSensitive: true }, true],
    ["Bash(rm:*)", bash("rm x"), true],
    ["Bash(rm:*)", bash("cd / && rm -rf x"), true],
    ["Bash(rm:*)", bash("echo $(rm x)"), true],
    ["Bash(rm:*)", bash("make a\nrm x"), true],
    ["Bash(rm:*)", bash("echo rm"), false],
  ])("%s on %o: %s", (rule, call, covers) => {
    expect(ruleCovers(rule, call, "deny")).toBe(covers);
  });
});

test.each([
  "",
  "  ",
  "Bash(",
  "Bash()",
  "rm -rf /",
  "Bash(a\nb)",
  "WebFetch(https://example.com)",
  "Skill(x)",
  "Edit(~/x)",
  `Bash(${"x".repeat(600)})`,
])("%j is no rule, and the error says so", (rule) => {
  expect(() => checkRule(rule)).toThrow(
    expect.objectContaining({ code: "invalid_options", details: { field: "rule" } }),
  );
});

test.each<[ToolCall, string | undefined]>([
  [bash("npm test"), "Bash(npm test)"],
  [bash("ls *"), undefined],
  [bash("a\nb"), undefined],
  [bash("x".repeat(600)), undefined],
  [file("Write", `${cwd}/src/a.ts`), "Write(/src/a.ts)"],
  [file("Edit", "/etc/hosts"), "Edit(//etc/hosts)"],
  [file("Edit", `${cwd}/we*rd`), undefined],
  [{ tool: "WebFetch", input: { url: "https://example.com/a?b" }, cwd }, "WebFetch(domain:example.com)"],
  [{ tool: "mcp__files__read", input: { a: 1 }, cwd }, "mcp__files__read"],
])("the narrowest rule of %o is %s, and covers it and no more", (call, rule) => {
  const covers = rule === undefined ? undefined : ruleCovers(checkRule(rule), call, "allow");
  expect([narrowestRule(call), covers]).toEqual([rule, rule === undefined ? undefined : true]);
});

describe("the input that is kept", () => {
  test("is the input itself where it is short", () => {
    const input = { command: "ls", nested: { list: [1, null, true] } };
    expect(boundedInput(input)).toEqual({ toolInput: input });
  });

  test("shows the beginning and the end of a long text, and says that it is cut", () => {
    const { toolInput, inputTruncated } = boundedInput({ command: `ls ${"x".repeat(100_000)}; rm -rf /` });
    const command = toolInput["command"] as string;
    expect({
      inputTruncated,
      begin: command.startsWith("ls xxx"),
      end: command.endsWith("; rm -rf /"),
      short: command.length < 9_000,
    }).toEqual({ inputTruncated: true, begin: true, end: true, short: true });
  });

  test("is bounded however it is nested, and well-formed", () => {
    let deep: Record<string, unknown> = {};
    for (let depth = 0; depth < 5_000; depth += 1) deep = { deep };
    const inputs = [
      { many: Array.from({ length: 20_000 }, (_, index) => `text ${String(index)}`) },
      { half: "\ud800" },
      deep,
    ] as never[];
    const kept = inputs.map((input) => JSON.stringify(boundedInput(input).toolInput));
    expect(kept.map((text) => [text.length < 40_000, text.isWellFormed()])).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
  });

  test("covers nothing once it is cut: what is to be run is not known from it", () => {
    const ask: NewRequest = {
      id: "req-1",
      kind: "permission",
      taskId: "task-1",
      runId: "run-1",
      slotId: "slot-1",
      cwd,
      tool: "Bash",
      toolInput: { command: "ls" },
    };
    const { id, kind, taskId, runId, slotId } = ask;
    const kept = { id, kind, taskId, runId, slotId, cwd, tool: "Bash", state: "open", askedAtMs: 0 } as const;
    expect([callOf(ask), callOf({ ...kept, toolInput: { command: "ls" }, inputTruncated: true })]).toEqual([
      { tool: "Bash", input: { command: "ls" }, cwd },
      undefined,
    ]);
  });
});
