/** Bad input to every tool, made from its own schema: a clean refusal, nothing done, and a server that goes on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { published } from "../../src/mcp/published.ts";
import { toolsOf } from "../../src/mcp/tools.ts";
import { errorMeanings } from "../../src/core/error-meanings.ts";
import { connected, type Fields } from "./rig.ts";

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const tools = [...toolsOf("full").values()].map((tool) => [tool.name, published(tool).inputSchema as Schema] as const);

const huge = "x".repeat(300_000);
const odd = fc.constantFrom<unknown>(
  null,
  true,
  -1,
  1.5,
  1e300,
  "",
  "   ",
  "\ud800",
  "\0",
  huge,
  [],
  [[]],
  {},
  { a: 1 },
  [null],
  "🚀",
);

/** Something plausible of this type. */
function plausible(schema: Schema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case "string":
      return fc.constantFrom("task-000000000000", "slot-1", "text");
    case "integer":
    case "number":
      return fc.constantFrom(1, 2);
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.constant([]);
    default:
      return fc.constant({});
  }
}

/** Arguments with one thing wrong: a field too many, one too few, or one of another kind. */
function bad(schema: Schema): fc.Arbitrary<unknown> {
  const { properties = {}, required = [] } = schema;
  const names = Object.keys(properties);
  const base = fc.record(Object.fromEntries(required.map((name) => [name, plausible(properties[name] ?? {})])));
  const tooMany = fc
    .tuple(base, fc.stringMatching(/^[a-zA-Z_]{1,12}$/), odd)
    .filter(([, name]) => !names.includes(name))
    .map(([given, name, value]) => ({ ...given, [`${name}_zz`]: value }));
  const tooFew = required.length === 0 ? [] : [fc.constant({})];
  const others =
    names.length === 0
      ? []
      : [fc.tuple(base, fc.constantFrom(...names), odd).map(([given, name, value]) => ({ ...given, [name]: value }))];
  return fc.oneof(tooMany, ...tooFew, ...others);
}

/** What bad input may do, where it happens to be good: nothing that changes anything. */
const harmless = [
  "pool_drain",
  "pool_scale_up",
  "pool_scale_down",
  "pool_set_target_slots",
  "pool_skill_eject",
  "pool_skill_save",
];

test.each(tools)("%s refuses what does not fit, with a code and a next step", async (name, schema) => {
  const cwd = mkdtempSync(join(tmpdir(), "claude-pool-bad-input-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  // The activity log is the user's own where nothing else is said.
  const env = { HOME: cwd, CLAUDE_CONFIG_DIR: "", POOL_HOME: "", POOL_PROJECT: "" };
  const here = await connected({ pool: { slots: 0, cwd, env }, answerWithinMs: 1 });
  await fc.assert(
    fc.asyncProperty(bad(schema), async (given) => {
      const before = await here.pool.lastEventSeq();
      const result = await here.client.callTool({ name, arguments: given as Record<string, unknown> });
      const text = (result.content as readonly { readonly text: string }[])[0]?.text ?? "";
      if (result.isError !== true) {
        toolsOf("full").get(name)?.output.parse(result.structuredContent); // it was good after all
        return;
      }
      const { error } = JSON.parse(text) as { readonly error: Fields };
      expect([Object.hasOwn(errorMeanings, String(error.code)), typeof error.next_step, text.length < 40_000]).toEqual([
        true,
        "string",
        true,
      ]);
      // Refused is refused: nothing half done. What was good after all may have taken too long.
      if (error.code !== "wait_timeout") expect(await here.pool.lastEventSeq()).toBe(before);
    }),
    { numRuns: harmless.includes(name) ? 15 : 25 },
  );
  expect((await here.call("pool_status")).total_slots).toBe(0);
});

test.each([300, 300_000])("a directory with a name of %i characters is one that is not there", async (length) => {
  const here = await connected({ pool: { slots: 0 } });
  const { code, message } = await here.refusal("pool_run", { prompt: "x", cwd: "x".repeat(length) });
  expect([code, String(message).length < 2_000]).toEqual(["cwd_not_found", true]);
});

test.each<[string, unknown, string]>([
  ["pool_run", { promt: "x" }, 'unknown field "promt". Did you mean "prompt"?'],
  ["pool_run", { prompt: "x", maxTurns: 3 }, 'unknown field "maxTurns". Did you mean "max_turns"?'],
  ["pool_run", { prompt: "x", effort: "hgih" }, 'Did you mean "high"?'],
  ["pool_chain", { steps: [{ name: "a", promt: "x" }] }, "steps[0].promt"],
  [
    "pool_fan_out_chains",
    { chains: [[{ name: "a", prompt: "x" }], [{ name: "b", prompt: "{steps.c.output}" }]] },
    "chains[1]",
  ],
  ["pool_wait", { task_ids: ["task-000000000000"] }, "No task"],
  ["pool_reject_result", { task_id: "task-000000000000", feedback: " " }, "feedback"],
])("%s says of %j what is wrong", async (name, given, said) => {
  const here = await connected({ pool: { slots: 0 } });
  expect(String((await here.refusal(name, given)).message)).toContain(said);
});

test("many chains are all admitted or, where one is wrong, none", async () => {
  const here = await connected({ pool: { slots: 0 } });
  await here.refusal("pool_fan_out_chains", { chains: [[{ name: "a", prompt: "x" }], [{ name: "a" }]] });
  expect((await here.pool.list()).tasks).toEqual([]);
});

test("of many chains none is there where the pool refuses one", async () => {
  const here = await connected({ pool: { slots: 0 } });
  const { code } = await here.refusal("pool_fan_out_chains", {
    chains: [[{ name: "a", prompt: "x" }], [{ name: "a", skill: "no_such_skill" }]],
  });
  expect([code, (await here.pool.list()).tasks]).toEqual(["skill_not_found", []]);
});

test("tells a coordinator what its workers may do unless it says otherwise", async () => {
  const here = await connected({ pool: { permissionMode: "acceptEdits" } });
  expect(here.client.getInstructions()).toContain('Workers run in permission_mode "acceptEdits" unless');
});
