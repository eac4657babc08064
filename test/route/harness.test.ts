import { describe, expect, test } from "vitest";
import { apiError, structured } from "../../src/testing/index.ts";
import { place, realPool } from "../e2e/real-pool.ts";
import { labelledCases, tryRoutes } from "./harness.ts";

describe("the labelled set", () => {
  test("has forty cases, every label once, each route often enough to tell something, and tricks among them", () => {
    const cases = labelledCases();
    const firsts = cases.map((one) => one.expected[0]);
    expect({
      cases: cases.length,
      labels: new Set(cases.map((one) => one.label)).size,
      prompts: new Set(cases.map((one) => one.prompt)).size,
      routes: ["single", "parallel", "chain"].map((route) => firsts.filter((first) => first === route).length >= 8),
      adversarial: cases.filter((one) => one.label.startsWith("adversarial")).length >= 6,
      hints: cases.find((one) => one.hints?.maxParallel !== undefined)?.hints,
    }).toEqual({
      cases: 40,
      labels: 40,
      prompts: 40,
      routes: [true, true, true],
      adversarial: true,
      hints: { maxParallel: 3 },
    });
  });
});

test("the harness counts right, wrong and errors over the real CLI, an error being no answer", async () => {
  const here = await place();
  here.api
    .on("sort one", structured({ route: "single", reason: "Small." }))
    .on("sort many", structured({ route: "parallel", prompts: ["a", "b", "c", "d"], reason: "Apart." }))
    .on("sort wrongly", structured({ route: "single", reason: "Lazy." }))
    .on("sort never", apiError(403));
  const pool = await realPool(here, { slots: 2 });
  const said: string[] = [];
  const summary = await tryRoutes(
    (prompt, options) => pool.route(prompt, options),
    [
      { label: "one", prompt: "sort one", expected: ["single"] },
      { label: "many", prompt: "sort many", expected: ["chain", "parallel"], hints: { maxParallel: 2 } },
      { label: "wrongly", prompt: "sort wrongly", expected: ["chain"] },
      { label: "never", prompt: "sort never", expected: ["single"] },
    ],
    { model: "sonnet" },
    (result) => said.push(result.label),
  );
  const { results, elapsedMs, costMicrodollars, ...counts } = summary;
  const asked = await here.api.waitForRequest("sort one");
  expect({
    counts,
    results: results.map(({ got, parts, pass, error }) => [got, parts, pass, error?.includes("403")]),
    said: said.sort(),
    spent: costMicrodollars > 0 && elapsedMs > 0,
    model: (asked.body as { readonly model: string }).model.includes("sonnet"),
  }).toEqual({
    counts: { total: 4, correct: 2, wrong: 1, errors: 1, accuracy: 66.7 },
    results: [
      ["single", 1, true, undefined],
      ["parallel", 2, true, undefined],
      ["single", 1, false, undefined],
      [undefined, undefined, false, true],
    ],
    said: ["many", "never", "one", "wrongly"],
    spent: true,
    model: true,
  });
});
