import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advanceChain, outputsWanted, recoveryPromptOf, stepsTakenOver } from "../../src/core/chain-advance.ts";
import {
  checkChain,
  conditionHolds,
  needsOf,
  type StepCondition,
  type StepRecord,
  type StepSpec,
  type StepState,
} from "../../src/core/chain.ts";

function record(name: string, state: StepState, more: Partial<StepRecord> = {}): StepRecord {
  return { name, state, costMicrodollars: 0, retriesUsed: 0, ...more };
}

function step(name: string, more: Partial<StepSpec> = {}): StepSpec {
  return { name, prompt: name, ...more };
}

describe("checkChain", () => {
  it.each<readonly [string, readonly StepSpec[], string]>([
    ["no steps", [], "at least one step"],
    ["a name with a dot", [step("a.b")], "may only have letters"],
    ["a name twice", [step("a"), step("a")], "same name"],
    ["neither prompt nor skill", [{ name: "a" }], "either a prompt or a skill"],
    ["both", [{ name: "a", prompt: "x", skill: "y" }], "either a prompt or a skill"],
    ["an unknown need", [step("a", { needs: ["b"] })], "no step of this chain"],
    ["a need of itself", [step("a", { needs: ["a"] })], "wait for each other"],
    ["a cycle", [step("a", { needs: ["c"] }), step("b"), step("c")], "wait for each other"],
    ["a reference to a later step", [step("a", { prompt: "{steps.b.output}" }), step("b")], "not done before"],
    ["a reference to itself", [step("a", { prompt: "{steps.a.output}" })], "not done before"],
    ["an unknown step", [step("a", { prompt: "{steps.z.output}" })], "names no step"],
    ["an unknown variable", [step("a"), step("b", { prompt: "{steps.a.v}" })], 'no output variable "v"'],
    [
      "a variable named as a method",
      [step("a", { outputVars: {} }), step("b", { prompt: "{steps.a.toString}" })],
      "no output variable",
    ],
    [
      "a reference beside its ancestors",
      [step("a"), step("b", { needs: [] }), step("c", { needs: ["b"], prompt: "{steps.a.output}" })],
      "not done before",
    ],
    [
      "several before a previous output",
      [step("a"), step("b", { needs: [] }), step("c", { needs: ["a", "b"], prompt: "{previous_output}" })],
      "several steps",
    ],
    ["an error outside of a recovery", [step("a", { prompt: "{error}" })], "recovery prompt only"],
    ["a reference in an argument", [{ name: "a", skill: "s", arguments: { x: "{steps.z.output}" } }], "names no step"],
    ["a reference in a recovery", [step("a", { recoveryPrompt: "{error} {steps.z.output}" })], "names no step"],
    ["a condition on nothing", [step("a", { when: { variable: "x" } })], "must be steps.NAME.VARIABLE"],
    [
      "a condition on a later step",
      [step("a", { when: { variable: "steps.b.output" } }), step("b")],
      "not done before",
    ],
    [
      "a condition on an unknown variable",
      [step("a"), step("b", { when: { variable: "steps.a.v" } })],
      "no output variable",
    ],
  ])("refuses %s", (_what, steps, said) => {
    expect(() => {
      checkChain(steps);
    }).toThrow(said);
  });

  it("takes a diamond with references to all that is before", () => {
    const steps = [
      step("a", { outputVars: { v: "x" } }),
      step("b", { needs: ["a"], prompt: "{previous_output} {steps.a.v}" }),
      step("c", { needs: ["a"], when: { variable: "steps.a.v", equals: 1 } }),
      step("d", { needs: ["b", "c"], prompt: "{steps.a.output} {steps.b.output} {{steps.zz.output}}" }),
    ];
    checkChain(steps);
    expect(steps.map((_, index) => needsOf(steps, index))).toEqual([[], [0], [0], [1, 2]]);
  });

  it("checks a chain of a thousand steps without a stack of a thousand", () => {
    const steps = Array.from({ length: 1_000 }, (_, index) =>
      step(`s${String(index)}`, index === 999 ? { prompt: "{steps.s0.output}" } : {}),
    );
    checkChain(steps);
    expect(needsOf(steps, 999)).toEqual([998]);
  });
});

describe("a condition", () => {
  it.each<readonly [Omit<StepCondition, "variable">, string, boolean]>([
    [{}, "yes", true],
    [{}, "", false],
    [{}, "false", false],
    [{}, "0", false],
    [{}, "null", false],
    [{ equals: 1 }, "1", true],
    [{ equals: true }, "true", true],
    [{ equals: "a" }, "b", false],
    [{ notEquals: "a" }, "b", true],
    [{ notEquals: 0 }, "0", false],
    [{ in: ["a", 2] }, "2", true],
    [{ in: ["a", 2] }, "3", false],
    [{ equals: "" }, "", true],
  ])("%o of %o", (condition, value, expected) => {
    expect(conditionHolds({ variable: "steps.a.v", ...condition }, value)).toBe(expected);
  });
});

describe("advanceChain", () => {
  const three = { steps: [step("a"), step("b", { prompt: "b:{previous_output}" }), step("c")] };

  it.each<readonly [string, readonly StepRecord[], boolean, unknown]>([
    [
      "starts the first",
      [record("a", "waiting"), record("b", "waiting"), record("c", "waiting")],
      false,
      [{ kind: "start", index: 0, prompt: "a" }],
    ],
    ["waits for what runs", [record("a", "running"), record("b", "waiting"), record("c", "waiting")], false, []],
    [
      "waits for a reviewer",
      [record("a", "pending_review"), record("b", "waiting"), record("c", "waiting")],
      false,
      [],
    ],
    [
      "starts the next with the answer",
      [record("a", "completed", { output: "A" }), record("b", "waiting"), record("c", "waiting")],
      false,
      [{ kind: "start", index: 1, prompt: "b:A" }],
    ],
    [
      "ends with the last answer",
      [record("a", "completed"), record("b", "completed"), record("c", "completed", { output: "C" })],
      false,
      [{ kind: "end", state: "completed", finalOutput: "C" }],
    ],
    [
      "ends failed",
      [record("a", "failed", { error: "E", output: "O" }), record("b", "waiting"), record("c", "waiting")],
      false,
      [{ kind: "end", state: "failed", finalOutput: "O", error: "Step a failed: E", stoppedBy: 0 }],
    ],
    [
      "withdraws when it is to be cancelled",
      [record("a", "completed"), record("b", "running"), record("c", "waiting")],
      true,
      [{ kind: "withdraw" }],
    ],
    [
      "ends cancelled",
      [record("a", "completed", { output: "A" }), record("b", "cancelled"), record("c", "waiting")],
      true,
      [{ kind: "end", state: "cancelled", finalOutput: "A", error: "The chain was cancelled." }],
    ],
    [
      "ends cancelled with a step that was",
      [record("a", "completed", { output: "A" }), record("b", "cancelled"), record("c", "waiting")],
      false,
      [{ kind: "end", state: "cancelled", finalOutput: "A", error: "Step b was cancelled.", stoppedBy: 1 }],
    ],
  ])("%s", (_what, steps, cancelRequested, expected) => {
    expect(advanceChain(three, steps, cancelRequested)).toEqual(expected);
  });

  it("fills a recovery prompt in one pass", () => {
    const spec = { steps: [step("a"), step("b", { recoveryPrompt: "{error}|{previous_output}" })] };
    const steps = [record("a", "completed", { output: "{error}" }), record("b", "running")];
    expect(recoveryPromptOf(spec, steps, 1, "{previous_output}")).toBe("{previous_output}|{error}");
  });

  it.each<readonly [string, number | undefined, readonly number[]]>([
    ["what is done", undefined, [0, 1, 3]],
    ["what does not follow of the step that is named", 1, [0, 3]],
    ["nothing, from the first", 0, []],
  ])("takes over %s", (_what, from, expected) => {
    const spec = {
      steps: [
        step("a"),
        step("b"),
        step("c"),
        step("d", { needs: ["a"], continueOnError: true }),
        step("e", { needs: ["c", "d"] }),
      ],
    };
    const states = ["completed", "skipped", "failed", "failed", "cancelled"] as const;
    expect(
      stepsTakenOver(
        spec,
        spec.steps.map((one, index) => record(one.name, states[index] ?? "waiting")),
        from,
      ),
    ).toEqual(expected);
  });
});

/** An acyclic graph of at most eight steps, in any order, some with conditions or allowed to fail. */
const graphs = fc
  .array(fc.record({ needs: fc.array(fc.nat(7), { maxLength: 3 }), mayFail: fc.boolean(), asks: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  })
  .chain((nodes) =>
    fc.shuffledSubarray([...nodes.keys()], { minLength: nodes.length }).map((order) => {
      const steps = nodes.map((node, index): StepSpec => {
        const needs = [...new Set(node.needs.filter((need) => need < index))].map((need) => `s${String(need)}`);
        const [first] = needs;
        return {
          ...step(`s${String(index)}`, { needs, continueOnError: node.mayFail }),
          ...(node.asks && first !== undefined ? { when: { variable: `steps.${first}.output`, equals: "yes" } } : {}),
        };
      });
      return order.map((index) => steps[index] ?? step("none"));
    }),
  );

describe("any chain", () => {
  it("starts every step at most once and only when all it needs is over, and comes to an end", () => {
    fc.assert(
      fc.property(graphs, fc.infiniteStream(fc.nat(99)), fc.nat(40), (steps, chances, cancelAfter) => {
        checkChain(steps);
        const spec = { steps };
        let records: readonly StepRecord[] = steps.map(({ name }) => record(name, "waiting"));
        const started = new Set<number>();
        const put = (index: number, state: StepState, output?: string): void => {
          records = records.map((one, at) =>
            at === index ? record(one.name, state, output === undefined ? {} : { output }) : one,
          );
        };
        let end: string | undefined;
        for (let turn = 0; end === undefined; turn += 1) {
          expect(turn).toBeLessThan(100);
          const cancelRequested = turn >= cancelAfter;
          // What was not asked for need not be there.
          const wanted = new Set(outputsWanted(spec, records, cancelRequested));
          const light = records.map((one, index) => (wanted.has(index) ? one : record(one.name, one.state)));
          const actions = advanceChain(spec, light, cancelRequested);
          expect(actions).toEqual(advanceChain(spec, records, cancelRequested));
          for (const action of actions) {
            if (action.kind === "end") end = action.state;
            if (action.kind === "skip") put(action.index, "skipped");
            if (action.kind !== "start") continue;
            expect(started.has(action.index)).toBe(false);
            for (const need of needsOf(steps, action.index))
              expect(["completed", "skipped", "failed"]).toContain(records[need]?.state);
            started.add(action.index);
            put(action.index, "running");
          }
          const running = records.findIndex((one) => one.state === "running");
          const chance = chances.next().value as number;
          if (running >= 0) {
            if (actions.some((action) => action.kind === "withdraw")) put(running, "cancelled");
            else put(running, chance < 25 ? "failed" : "completed", chance % 2 === 0 ? "yes" : "no");
          }
        }
        expect(records.some((one) => one.state === "running")).toBe(false);
      }),
    );
  });
});
