import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillTemplate, parseTemplate, referencesOf, writtenReference } from "../../src/core/template.ts";

/** The template filled with what each placeholder is called, in angle brackets. */
function filled(text: string): string {
  return fillTemplate(parseTemplate(text), (reference) => `<${writtenReference(reference)}>`);
}

describe("a template", () => {
  it.each([
    ["nothing", "", ""],
    ["plain text with braces", "a {b} {} {{c}} }{", "a {b} {} {{c}} }{"],
    ["the previous output", "x {previous_output} y", "x <{previous_output}> y"],
    ["the same twice", "{error}{error}", "<{error}><{error}>"],
    ["a step's variable", "{steps.a-b.c_d}", "<{steps.a-b.c_d}>"],
    ["a variable with dots", "{steps.a.b.c}", "<{steps.a.b.c}>"],
    ["an escape", "{{previous_output}}", "{previous_output}"],
    ["an escape of a step's variable", "{{steps.a.b}}", "{steps.a.b}"],
    ["a brace more on the left", "{{previous_output}", "{<{previous_output}>"],
    ["a brace more on the right", "{previous_output}}", "<{previous_output}>}"],
    ["three braces on both sides", "{{{previous_output}}}", "{{previous_output}}"],
    ["JSON around a placeholder", '{"a": {steps.x.y}}', '{"a": <{steps.x.y}>}'],
    ["a placeholder broken by space", "{steps.a b}", "{steps.a b}"],
    ["dollar signs and backticks", "$1 $& `x` {error}", "$1 $& `x` <{error}>"],
  ])("of %s", (_what, text, expected) => {
    expect(filled(text)).toBe(expected);
  });

  it("never looks again at what was put in", () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.constantFrom("{previous_output}", "{steps.a.b}", "{{error}}", "$&", "$1", "`id`", "{", "}", "{{", "}}"),
    );
    fc.assert(
      fc.property(fc.array(hostile), hostile, (around, value) => {
        const text = around.join("{previous_output}");
        const parts = parseTemplate(text);
        const places = referencesOf(parts).length;
        const result = fillTemplate(parts, () => value);
        const rest = parts.filter((part) => typeof part === "string").join("");
        expect(result.length).toBe(rest.length + places * value.length);
      }),
    );
  });

  it("without placeholders is its own text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/\{(previous_output|error|steps\.)/.test(text));
        expect(filled(text)).toBe(text);
      }),
    );
  });
});
