/** Answers stay short, and all of what was cut can be read. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { bounded, maxTokens, tokensOf } from "../../src/mcp/bounded.ts";
import { completed } from "../../src/testing/outcomes.ts";
import { connected, type Connected, type Fields } from "./rig.ts";

/** All of a resource, part by part. */
async function whole(here: Connected, uri: string): Promise<string> {
  let [text, next] = ["", uri as string | undefined];
  while (next !== undefined) {
    const { contents }: { contents: readonly { readonly uri: string; readonly text?: unknown }[] } =
      await here.client.readResource({ uri: next });
    expect(contents.every((part) => tokensOf(String(part.text)) <= maxTokens)).toBe(true);
    text += String(contents[0]?.text);
    next = contents[1]?.uri;
  }
  return text;
}

test.each([
  ["plain", "All work and no play. ".repeat(20_000)],
  ["of quotes and line breaks", '"\\\n\t'.repeat(40_000)],
  ["of another script", "仕事ばかりで遊ばない。".repeat(9_000)],
  ["of pairs of surrogates", "👩‍🚀🚀".repeat(15_000)],
])("a long output, %s, is cut in the answer and whole in its resource", async (_, output) => {
  const here = await connected({ script: () => completed(output) });
  const result = await here.client.callTool({ name: "pool_run", arguments: { prompt: "write" } });
  const answer = result.structuredContent as {
    readonly output: string;
    readonly task_id: string;
    readonly cut: readonly Fields[];
  };
  const content = result.content as readonly { readonly type: string; readonly uri?: string; readonly text?: string }[];
  const [cut] = answer.cut;
  const rest = await whole(here, String(cut?.uri));
  const paged = await here.call("pool_result", { task_id: answer.task_id, from: answer.output.length });
  expect({
    short: tokensOf(JSON.stringify(result.structuredContent)) <= 9_000,
    text: JSON.parse(content[0]?.text ?? "") as unknown,
    link: content.find((block) => block.type === "resource_link")?.uri,
    cut: [cut?.field, cut?.kept, cut?.total],
    whole: answer.output + rest === output,
    wellFormed: answer.output.isWellFormed(),
    paged: output.startsWith(String(paged.output), answer.output.length),
    shown: (JSON.parse(await whole(here, `pool://results/${answer.task_id}`)) as { cut: readonly Fields[] }).cut[0]
      ?.total,
    record:
      (JSON.parse(await whole(here, `pool://tasks/${answer.task_id}`)) as { result: Fields }).result.output === output,
  }).toEqual({
    short: true,
    text: result.structuredContent,
    link: cut?.uri,
    cut: ["output", answer.output.length, output.length],
    whole: true,
    wellFormed: true,
    paged: true,
    shown: output.length,
    record: true,
  });
});

test("many long results are cut alike, and each names its own rest", async () => {
  const here = await connected({ script: ({ prompt }) => completed(prompt.repeat(3_000)), pool: { slots: 2 } });
  const prompts = Array.from({ length: 8 }, (_, index) => `piece ${String(index)} `);
  const { results, cut } = await here.call("pool_fan_out", { prompts });
  const all = results as readonly { readonly output: string; readonly task_id: string }[];
  expect([new Set(all.map((one) => one.output.length)).size, (cut as readonly Fields[]).map((one) => one.uri)]).toEqual(
    [1, all.map((one) => `pool://results/${one.task_id}?from=${String(one.output.length)}`)],
  );
});

test("a thousand results are told as far as they fit, with the tag that finds all of them", async () => {
  const here = await connected({ pool: { slots: 4 } });
  const prompts = Array.from({ length: 1_000 }, (_, index) => `piece ${String(index)}`);
  const answer = await here.call("pool_fan_out", { prompts });
  const [cut] = answer.cut as readonly Fields[];
  const { tasks } = await here.pool.list({ tags: [String(answer.tag)], limit: 1_000 });
  expect([tasks.length, cut?.field, cut?.total, cut?.uri, tokensOf(JSON.stringify(answer)) < 10_000]).toEqual([
    1_000,
    "results",
    1_000,
    `pool://tasks?tag=${String(answer.tag)}`,
    true,
  ]);
});

test("a list of tasks gives no more than fits, and its cursor leads to every one of the others", async () => {
  const here = await connected({ pool: { slots: 0 } });
  const tags = Array.from({ length: 20 }, (_, index) => `tag-${String(index)}-${"x".repeat(100)}`);
  await here.pool.submitMany(Array.from({ length: 60 }, (_, index) => ({ prompt: `p${String(index)}`, tags })));
  const seen: unknown[] = [];
  let pages = 0;
  for (let after: unknown = undefined; pages === 0 || after !== undefined; pages += 1) {
    const page = await here.call("pool_list_tasks", { limit: 50, ...(after === undefined ? {} : { after }) });
    expect(page.cut).toBe(undefined);
    seen.push(...(page.tasks as Fields[]).map((task) => task.prompt));
    after = page.next;
  }
  expect([seen, pages > 3]).toEqual([Array.from({ length: 60 }, (_, index) => `p${String(59 - index)}`), true]);
});

test("messages that are too many for one answer wait for the next, and a long one is whole in its resource", async () => {
  const here = await connected({ pool: { slots: 1 } });
  const long = Array.from({ length: 3 }, (_, index) => String(index).repeat(31_000));
  for (const content of long) await here.pool.sendMessage({ from: "slot-1", to: "coordinator", content });
  const read: string[] = [];
  const waiting: unknown[] = [];
  while (read.length < 3) {
    const answer = await here.call("pool_read_messages");
    waiting.push(answer.waiting);
    for (const message of answer.messages as readonly Fields[]) {
      read.push(String(message.content) + (await whole(here, String((answer.cut as readonly Fields[])[0]?.uri))));
    }
  }
  expect([read, waiting, await here.pool.messageCount()]).toEqual([long, [2, 1, 0], 0]);
});

test("any answer is bounded, keeps its own fields, and is untouched where it fits", () => {
  const value = fc.dictionary(
    fc.stringMatching(/^[a-z_]{1,10}$/),
    fc.oneof(
      fc.jsonValue(),
      fc.string({ maxLength: 60_000, minLength: 20_000 }),
      fc.array(fc.string(), { minLength: 500, maxLength: 2_000 }),
    ),
    { maxKeys: 4 },
  );
  fc.assert(
    fc.property(value, (answer) => {
      const given = JSON.parse(JSON.stringify(answer)) as Fields;
      const { value: shown, cuts } = bounded(given, () => "pool://x");
      const fits = tokensOf(JSON.stringify(given)) <= maxTokens;
      expect([tokensOf(JSON.stringify(shown)) <= maxTokens, Object.keys(given).every((key) => key in shown)]).toEqual([
        true,
        true,
      ]);
      expect(cuts.length === 0).toBe(fits);
      if (fits) expect(shown).toEqual(given);
    }),
    { numRuns: 50 },
  );
});
