import { describe, expect, it } from "vitest";
import { extractVars } from "../../src/core/output-vars.ts";
import type { Json } from "../../src/core/task.ts";

const json = '{"files":[{"name":"a.ts"},{"name":"b.ts"}],"n":3,"ok":false,"none":null,"deep":{"x":{"y":"z"}}}';

describe("a variable of an answer", () => {
  it.each<readonly [string, string, string, string | undefined]>([
    ["a key", json, "n", "3"],
    ["a key of keys", json, "deep.x.y", "z"],
    ["an index in brackets", json, "files[1].name", "b.ts"],
    ["an index with a dot", json, "files.0.name", "a.ts"],
    ["an index past the end", json, "files[2].name", undefined],
    ["an index that is none", json, "files.first", undefined],
    ["an object, as JSON", json, "deep.x", '{"y":"z"}'],
    ["false", json, "ok", "false"],
    ["null", json, "none", "null"],
    ["what is not there", json, "nothing.at.all", undefined],
    ["a name of every object", json, "constructor", undefined],
    ["a name of every list", json, "files.length", undefined],
    ["everything", "plain words", ".", "plain words"],
    ["everything, by an empty path", "plain words", "", "plain words"],
    ["no JSON at all", "plain words", "a", undefined],
    ["a fence", 'Here:\n```json\n{"a": 1}\n```\nDone.', "a", "1"],
    ["the first fence that is JSON", 'x\n```sh\nls\n```\n```\n{"a": 2}\n```', "a", "2"],
    ["JSON in a sentence", 'It is {"a": 3}, as you see.', "a", "3"],
    ["a list in a sentence", "They are [4, 5].", "[1]", "5"],
    ["braces before the JSON", 'In {x} it is\n{"a": 6}', "a", "6"],
    ["the value that has the key, of several", 'See [1] and {"b": 1}, then {"a": 7}.', "a", "7"],
    ["brackets in a string", 'It is {"s": "}{", "a": 8} here', "a", "8"],
    ["a thousand brackets before it", `${"{".repeat(1_000)} {"a": 9}`, "a", undefined],
    ["a broken fence", '```json\n{"a": \n```', "a", undefined],
  ])("%s", (_what, output, path, expected) => {
    expect(extractVars({ output }, { v: path })).toEqual(
      expected === undefined ? { vars: {}, missing: ["v"] } : { vars: { v: expected }, missing: [] },
    );
  });

  it("is of the structured output, if there is one", () => {
    const structuredOutput: Json = { a: "structured" };
    expect(extractVars({ output: '{"a":"text"}', structuredOutput }, { a: "a" }).vars).toEqual({ a: "structured" });
  });

  it("keeps hostile names and values as they are", () => {
    const { vars } = extractVars(
      { output: '{"__proto__":{"x":"{steps.a.b} $1"}}' },
      JSON.parse('{"__proto__":"__proto__.x"}') as Record<string, string>,
    );
    expect(Object.getOwnPropertyDescriptor(vars, "__proto__")?.value).toBe("{steps.a.b} $1");
  });
});
