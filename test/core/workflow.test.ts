import fc from "fast-check";
import { expect, it } from "vitest";
import { fillTemplate, parseTemplate } from "../../src/core/template.ts";
import { instantiate, type Workflow } from "../../src/core/workflow.ts";

const workflow: Workflow = {
  name: "w",
  description: "d",
  source: "project",
  arguments: [
    { name: "target", required: true },
    { name: "goal", required: false },
  ],
  steps: [
    { name: "one", skill: "refactor", arguments: { target: "{target}", goal: "{goal}" }, retries: 1 },
    {
      name: "two",
      prompt: "Check {target} and {{target}}: {previous_output} {other}",
      recoveryPrompt: "{error} in {target}",
    },
  ],
};

it("puts its arguments into prompts, recovery prompts and the arguments of skills, and leaves everything else", () => {
  expect(instantiate(workflow, { target: "a.ts" })).toEqual([
    { name: "one", skill: "refactor", arguments: { target: "a.ts", goal: "" }, retries: 1 },
    { name: "two", prompt: "Check a.ts and {target}: {previous_output} {other}", recoveryPrompt: "{error} in a.ts" },
  ]);
});

it.each([
  [{}, `Workflow w needs the argument "target".`],
  [{ target: "a", gaol: "x" }, `Workflow w has no argument "gaol": it takes target, goal.`],
  [{ target: "a", _previous_output: "x" }, `Workflow w has no argument "_previous_output"`],
])("refuses the arguments %j", (values, message) => {
  expect(() => instantiate(workflow, values)).toThrow(message);
});

it("refuses arguments that make a placeholder of chains only together", () => {
  const two = { ...workflow, steps: [{ name: "one", prompt: "{target}{goal}" }] };
  expect(() => instantiate(two, { target: "{previous_", goal: "output}" })).toThrow("would make a placeholder");
});

it("hands any argument to the step as it is", () => {
  const parts = fc.constantFrom(
    "{previous_output}",
    "{error}",
    "{steps.one.output}",
    "{",
    "}",
    "{target}",
    "{goal}",
    "$&",
    "$1",
    "x ",
  );
  const value = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.array(parts, { minLength: 1, maxLength: 8 }).map((list) => list.join("")),
  );
  const one = { ...workflow, steps: [{ name: "one", prompt: "a {target} b {goal} c" }] };
  fc.assert(
    fc.property(value, value, (target, goal) => {
      const [step] = instantiate(one, { target, goal });
      expect(fillTemplate(parseTemplate(step?.prompt ?? ""), () => "FILLED")).toBe(`a ${target} b ${goal} c`);
    }),
  );
});
