import { describe, expect, test } from "vitest";
import { routeOf, type RouteHints } from "../../src/core/route.ts";
import { routerInstructions, routerPrompt } from "../../src/core/route-prompt.ts";
import type { Json } from "../../src/core/task.ts";
import { fillTemplate, parseTemplate } from "../../src/core/template.ts";

const task = "the task, as it was written";

function chainOf(...prompts: readonly string[]): Json {
  return { route: "chain", steps: prompts.map((prompt, index) => ({ name: `s${String(index)}`, prompt })) };
}

describe("a route", () => {
  test.each<[string, Json, RouteHints, unknown]>([
    [
      "keeps a single task's own words",
      { route: "single", prompt: "rewritten" },
      {},
      { route: "single", prompt: task },
    ],
    [
      "drops blank and repeated parts",
      { route: "parallel", prompts: [" a ", "", "b", "a"] },
      {},
      { route: "parallel", prompts: ["a", "b"] },
    ],
    ["with one part is single", { route: "parallel", prompts: ["a", " "] }, {}, { route: "single", prompt: task }],
    ["with one step is single", chainOf("a"), {}, { route: "single", prompt: task }],
    [
      "held to one part is single",
      { route: "parallel", prompts: ["a", "b"] },
      { maxParallel: 1 },
      { route: "single", prompt: task },
    ],
    [
      "merges parts that are too many, so that none is lost",
      { route: "parallel", prompts: ["a", "b", "c"] },
      { maxParallel: 2 },
      { route: "parallel", prompts: ["Do all of these, one after the other:\n\n1. a\n\n2. b", "c"] },
    ],
    [
      "merges steps that are too many, and says where their results are",
      chainOf("find", "plan from {previous_output}", "do {previous_output}", "test {previous_output}"),
      { maxChainSteps: 2 },
      {
        route: "chain",
        steps: [
          {
            name: "s0-and-s1",
            prompt: "Do all of these, one after the other:\n\n1. find\n\n2. plan from the result of the part before",
          },
          {
            name: "s2-and-s3",
            prompt:
              "Do all of these, one after the other:\n\n1. do {previous_output}\n\n2. test the result of the part before",
          },
        ],
      },
    ],
    [
      "gives a step the result before it though it does not ask",
      chainOf("find", "write it up"),
      {},
      {
        route: "chain",
        steps: [
          { name: "s0", prompt: "find" },
          { name: "s1", prompt: "write it up\n\nThe result of the step before:\n{previous_output}" },
        ],
      },
    ],
  ])("%s", (_what, answer, hints, expected) => {
    expect(routeOf(answer, task, hints)).toEqual(expected);
  });

  test("takes six parts where nothing is said", () => {
    const prompts = Array.from({ length: 20 }, (_, index) => `part ${String(index)}`);
    const route = routeOf({ route: "parallel", prompts }, task);
    const text = route.route === "parallel" ? route.prompts.join(" ") : "";
    expect([
      route.route === "parallel" && route.prompts.length,
      prompts.every((prompt) => text.includes(prompt)),
    ]).toEqual([6, true]);
  });

  test("makes names that a chain takes, none twice", () => {
    const steps = ["plan it!", "plan it?", "", "../../etc"].map((name) => ({ name, prompt: "p {previous_output}" }));
    const route = routeOf({ route: "chain", steps }, task);
    expect(route.route === "chain" && route.steps.map((step) => step.name)).toEqual([
      "plan-it",
      "plan-it-2",
      "step-3",
      "etc",
    ]);
  });

  test("leaves only the previous output a placeholder; the rest is text as it was", () => {
    const written = "use {error}, {steps.x.y} and {{previous_output}}, then {previous_output}";
    const route = routeOf(chainOf("first {previous_output}", written), task);
    const prompts = route.route === "chain" ? route.steps.map((step) => step.prompt) : [];
    const filled = prompts.map((prompt) => fillTemplate(parseTemplate(prompt), (reference) => `<${reference.kind}>`));
    expect(filled).toEqual(["first ", "use {error}, {steps.x.y} and {previous_output}, then <previous_output>"]);
  });

  test.each<[string, Json | undefined]>([
    ["nothing", undefined],
    ["text", "single"],
    ["a list", [{ route: "single" }]],
    ["no route", { prompts: ["a"] }],
    ["another route", { route: "loop" }],
    ["no part", { route: "parallel", prompts: [" "] }],
    ["no parts", { route: "parallel" }],
    ["no step", { route: "chain", steps: [] }],
    ["parts that are no text", { route: "parallel", prompts: ["a", 7] }],
    ["steps without a prompt", { route: "chain", steps: [{ name: "a" }] }],
  ])("from %s is an error, never single", (_what, answer) => {
    expect(() => routeOf(answer, task)).toThrow(expect.objectContaining({ code: "route_failed" }));
  });
});

describe("the router", () => {
  test("gets the task between markers that it cannot close", () => {
    const prompt = routerPrompt("a </task> <TASK> b");
    expect([prompt.match(/<task>/gi)?.length, prompt.match(/<\/task>/gi)?.length]).toEqual([1, 1]);
  });

  test("is told the hints, and other instructions instead of its own", () => {
    const hints = { maxParallel: 3, prefer: "prefer_chain", domain: "tax", decompositionHints: ["by state"] } as const;
    const text = routerInstructions(hints, "Sort.");
    expect(text).toBe(
      "Sort.\n\nConstraints:\n- At most 3 parallel prompts.\n- At most 6 chain steps.\n" +
        '- Where more than one route would do, prefer chain.\n- The task is about "tax".\n- It could be cut at: "by state".',
    );
  });
});
