import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { errorMeanings } from "../../src/core/error-meanings.ts";
import { endReasons } from "../../src/core/outcome.ts";
import { holdReasons } from "../../src/core/task.ts";
import { generatedFiles } from "../../scripts/generate-docs.ts";

it.each([...generatedFiles()])("keeps %s as the code has it (else: npm run docs)", (path, content) => {
  expect(readFileSync(path, "utf8")).toBe(content);
});

it("lists every error code in docs/errors.md exactly once", () => {
  expect(firstCells("docs/errors.md", "## Reasons of a failed task", "before")).toEqual(Object.keys(errorMeanings));
});

it("lists every reason of a failed task in docs/errors.md exactly once", () => {
  expect(firstCells("docs/errors.md", "## Reasons of a failed task", "after")).toEqual([...endReasons]);
});

it("names every reason for a hold in docs/lifecycle.md", () => {
  const held = /`hold\.reason` says by what \((.+?)\)/.exec(readFileSync("docs/lifecycle.md", "utf8"))?.[1] ?? "";
  expect(held).toBe(holdReasons.map((reason) => `\`${reason}\``).join(", "));
});

/** What stands in backquotes in the first column of the tables before or after a heading. */
function firstCells(path: string, heading: string, side: "before" | "after"): readonly string[] {
  const part = readFileSync(path, "utf8").split(heading)[side === "before" ? 0 : 1] ?? "";
  return [...part.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1] ?? "");
}
