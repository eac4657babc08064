import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { overlap } from "../../src/activity/glob.ts";
import { nameOf } from "../../src/hooks/claims.ts";

describe("the lines that are not even parsed before an edit", () => {
  test("never hold a claim that meets the path", () => {
    const part = fc.constantFrom("src", "a.ts", "auth", "lib-2", "*", "**", "s?c", "{src,lib}", "[as]*", "*.ts");
    const pattern = fc
      .tuple(fc.constantFrom("", "./"), fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "/"))
      .map(([before, parts, after]) => before + parts.join("/") + after);
    const path = fc
      .array(fc.constantFrom("src", "auth", "lib-2", "a b", "é"), { maxLength: 3 })
      .map((folders) => [...folders, "a.ts"].join("/"));
    fc.assert(
      fc.property(fc.oneof(pattern, fc.constant(".")), path, (claim, edited) => {
        fc.pre(overlap(claim, edited));
        expect(nameOf(edited).test(`{"v":2,"paths":${JSON.stringify(["zzz", claim])}}`)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
