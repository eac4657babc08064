import { describe, expect, it } from "vitest";
import type { StepSpec } from "../../src/core/chain.ts";
import { parseChain } from "../../src/schema/chain.ts";
import { parseChainFile } from "../../src/schema/chain-file.ts";

describe("a step is the same", () => {
  const flat: StepSpec = { name: "a", prompt: "p", retries: 1, recoveryPrompt: "r", maxTurns: 3, outputVars: { fileName: "x" } };

  it.each<readonly [string, unknown]>([
    ["flat", { name: "a", prompt: "p", retries: 1, recovery_prompt: "r", max_turns: 3, output_vars: { fileName: "x" } }],
    [
      "in the original's nested form",
      {
        name: "a",
        action: { type: "prompt", prompt: "p" },
        failure_policy: { retries: 1, recovery_prompt: "r" },
        config: { max_turns: 3 },
        output_vars: { fileName: "x" },
      },
    ],
    [
      "with type and value",
      { name: "a", type: "prompt", value: "p", retries: 1, recovery_prompt: "r", max_turns: 3, output_vars: { fileName: "x" } },
    ],
  ])("%s", (_form, step) => {
    expect(parseChain([step], "wire").steps).toEqual([flat]);
  });

  it.each<readonly [string, unknown]>([
    ["flat", { name: "a", skill: "s", arguments: { theFile: "f" } }],
    ["in the original's nested form", { name: "a", action: { type: "skill", skill: "s", arguments: { theFile: "f" } } }],
    ["with type and value", { name: "a", type: "skill", value: "s", arguments: { theFile: "f" } }],
  ])("with a skill %s", (_form, step) => {
    expect(parseChain([step], "wire").steps).toEqual([{ name: "a", skill: "s", arguments: { theFile: "f" } }]);
  });
});

describe("a chain is refused", () => {
  it.each<readonly [string, unknown, string]>([
    ["that is nothing", undefined, "steps"],
    ["without steps", { steps: [] }, "at least one step"],
    ["with an unknown field", { steps: [{ name: "a", prompt: "p" }], tag: [] }, 'Did you mean "tags"'],
    ["with an unknown field of a step", { steps: [{ name: "a", prompt: "p", retry: 1 }] }, 'Did you mean "retries"'],
    ["with a field in camelCase", { steps: [{ name: "a", prompt: "p", timeoutMs: 1 }] }, 'Did you mean "timeout_ms"'],
    ["with a prompt in two forms", { steps: [{ name: "a", prompt: "p", type: "prompt", value: "q" }] }, "two forms"],
    ["with a type alone", { steps: [{ name: "a", type: "prompt" }] }, "go together"],
    ["with an action that lacks its prompt", { steps: [{ name: "a", action: { type: "prompt" } }] }, "has no prompt"],
    ["with retries twice", { steps: [{ name: "a", prompt: "p", retries: 1, failure_policy: { retries: 2 } }] }, "given twice"],
    ["with an isolation of a step alone", { steps: [{ name: "a", prompt: "p", isolation: "clone" }] }, 'unknown field "steps[0].isolation"'],
    ["with a check that is nothing", { steps: [{ name: "a", prompt: "p", checks: [" "] }] }, "a command"],
    ["with an isolation of no version", { steps: [{ name: "a", prompt: "p" }], isolation: "docker" }, "one of none, worktree, clone"],
    ["with a negative number of retries", { steps: [{ name: "a", prompt: "p", retries: -1 }] }, "retries"],
    ["with an argument that is no text", { steps: [{ name: "a", skill: "s", arguments: { x: 1 } }] }, "expected text"],
    ["with a budget of nothing", { steps: [{ name: "a", prompt: "p" }], max_budget_usd: 0 }, "max_budget_usd"],
  ])("%s", (_what, chain, said) => {
    expect(() => parseChain(chain, "wire")).toThrow(said);
  });
});

describe("a chain file", () => {
  it("is YAML, or JSON by its name, and may name its schema", () => {
    const yaml = "$schema: ./x.json\nname: n\nsteps:\n  - { name: a, prompt: p }\n";
    const json = '{"name": "n", "steps": [{"name": "a", "prompt": "p"}]}';
    const expected = { name: "n", steps: [{ name: "a", prompt: "p" }] };
    expect([parseChainFile(yaml, "a.yaml"), parseChainFile(json, "a.json"), parseChainFile(json, "a.yaml")]).toEqual([
      expected,
      expected,
      expected,
    ]);
  });

  it.each([
    ["broken YAML", "steps: [", "a.yaml", "a.yaml: not YAML"],
    ["broken JSON", "{", "a.json", "a.json: not JSON"],
    ["a key twice", "steps: []\nsteps: []", "a.yaml", "unique"],
    ["a circle", "- { name: a, prompt: p, needs: [a] }", "a.yaml", "a.yaml: These steps wait for each other"],
    ["aliases of aliases", aliases(), "a.yaml", "a.yaml: "],
    ["a megabyte too much", " ".repeat(4_000_001), "a.yaml", "longer than"],
  ])("with %s is refused, naming it", (_what, text, name, said) => {
    expect(() => parseChainFile(text, name)).toThrow(said);
  });
});

/** A small file that would be a large one. */
function aliases(): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 8; level += 1) {
    const before = `*a${String(level - 1)}`;
    lines.push(`a${String(level)}: &a${String(level)} [${Array.from({ length: 10 }, () => before).join(", ")}]`);
  }
  return lines.join("\n");
}
