import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { snakeCase } from "../../src/core/wire.ts";
import { inWireNames } from "../../src/schema/json-schema.ts";
import { problemAnswer } from "../../src/schema/answers-rest.ts";
import type { Route } from "../../src/server/route.ts";
import { routes } from "../../src/server/routes.ts";
import { served } from "./serving.ts";

/** Any JSON, with the names that the route knows among its keys. */
function body(route: Route): fc.Arbitrary<unknown> {
  const known = route.body === undefined ? [] : namesOf(route.body);
  const key = fc.oneof(fc.constantFrom("prompt", "__proto__", "constructor", "", ...known), fc.string());
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      -1,
      0,
      1.5,
      1e308,
      "",
      " ",
      "\u0000",
      "x".repeat(10_000),
      "\u{1F600}",
      "plan",
      "opus",
    ),
    fc.string({ unit: "binary" }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const { value } = fc.letrec<{ readonly value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 6 }),
    ),
  }));
  return fc.oneof(fc.dictionary(key, value, { maxKeys: 8 }), value);
}

/** What the schema asks for, with exactly one thing wrong: a field too many, one missing that is needed, or one of another kind. */
function nearly(route: Route): fc.Arbitrary<unknown> {
  if (route.body === undefined) return fc.constant({ extra: 1 });
  const node = inWireNames(z.toJSONSchema(route.body, { io: "input", unrepresentable: "any" })) as Node;
  const { properties = {}, required = [] } = node;
  const extra = fc.tuple(fitting(node), fc.constantFrom("modle", "__proto__x", "camelCase", "\u{1F600}"));
  const ways: fc.Arbitrary<unknown>[] = [extra.map(([good, name]) => ({ ...(good as object), [name]: 1 }))];
  if (required.length > 0) {
    const without = fc.tuple(fitting(node), fc.constantFrom(...required));
    ways.push(
      without.map(([good, name]) => Object.fromEntries(Object.entries(good as object).filter(([key]) => key !== name))),
    );
  }
  const plain = Object.keys(properties).filter((name) => !["object", undefined].includes(properties[name]?.type));
  if (plain.length > 0) {
    const other = fc.tuple(fitting(node), fc.constantFrom(...plain), fc.constantFrom<unknown>({ x: 1 }, null, [[]]));
    ways.push(other.map(([good, name, value]) => ({ ...(good as object), [name]: value })));
  }
  return fc.oneof(...ways);
}

interface Node {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Values of the kinds that a schema names; what it says in words alone (a model's name, a pattern) may still be wrong. */
function fitting(node: Node): fc.Arbitrary<unknown> {
  const { type, anyOf = [], items = {}, properties = {}, required = [], minimum = 0, maximum = 1_000 } = node;
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  if (anyOf.length > 0) return fc.oneof(...anyOf.map(fitting));
  switch (type) {
    case "integer":
      return fc.integer({ min: Math.max(minimum, -1_000), max: Math.min(maximum, 1_000) });
    case "number":
      return fc.double({ min: 0.01, max: 1, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(fitting(items), { minLength: 1, maxLength: 3 });
    case "object":
      return fc.record(Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, fitting(one)])), {
        requiredKeys: [...required],
      });
    default:
      return fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });
  }
}

function namesOf(schema: z.ZodType): readonly string[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.keys(properties).map(snakeCase);
}

/** A pool whose directory and activity log are the test's own. */
function nowhere(): OpenPoolOptions {
  const cwd = mkdtempSync(join(tmpdir(), "claude-pool-bad-input-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  return { slots: 0, cwd, env: { HOME: cwd, CLAUDE_CONFIG_DIR: "", POOL_HOME: "", POOL_PROJECT: "" } };
}

/** These wait for the model, which nobody answers here, or take the pool down; their bodies are checked by the same code. */
const apart: ReadonlySet<string> = new Set(["drain", "auto", "route"]);

/** The same, but with no time to wait where it has any. */
function unwaiting(route: Route, json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json) || route.body === undefined) return json;
  const waits = namesOf(route.body).filter((name) => name === "wait_ms" || name === "timeout_ms");
  return { ...json, ...Object.fromEntries(waits.map((name) => [name, 0])) };
}

it.each(routes.filter(({ body: taken }) => taken !== undefined))(
  "$method $path refuses what is nearly right, naming the field, and does nothing of it",
  async (route) => {
    const { send, reports, pool } = await served({}, nowhere());
    const before = await pool.lastEventSeq();

    await fc.assert(
      fc.asyncProperty(nearly(route), async (json) => {
        const { status, body: answer } = await send(route.method, route.path.replace(/:\w+/g, "x"), json);

        problemAnswer.parse(answer);
        expect([status >= 400 && status < 500, await pool.lastEventSeq()]).toEqual([true, before]);
      }),
      { numRuns: 40 },
    );

    expect(reports).toEqual([]);
  },
);

it.each(routes.filter(({ name }) => !apart.has(name)))(
  "$method $path answers anything with an answer or a clean problem, and changes nothing it did not take",
  async (route) => {
    const { send, reports, pool } = await served({}, nowhere());

    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
        fc.dictionary(
          fc.constantFrom("limit", "after", "state", "tags", "timeout_ms", "x"),
          fc.string({ maxLength: 20 }),
          { maxKeys: 2 },
        ),
        body(route),
        async (part, query, json) => {
          const before = (await pool.list({ limit: 1 })).tasks[0]?.seq ?? 0;
          const path = route.path.replace(/:\w+/g, encodeURIComponent(part.toWellFormed()).replace(/^\.{1,2}$/, "x"));
          const search =
            route.method === "GET"
              ? `?${new URLSearchParams({ ...query, timeout_ms: query.timeout_ms ?? "0" }).toString()}`
              : "";
          const { status, body: answer } = await send(
            route.method,
            path + search,
            route.method === "GET" ? undefined : (unwaiting(route, json) ?? null),
          );

          if (status < 300) route.answer?.parse(answer);
          else {
            problemAnswer.parse(answer);
            expect(status).toBeLessThan(500);
            expect((await pool.list({ limit: 1 })).tasks[0]?.seq ?? 0).toBe(before);
          }
        },
      ),
      { numRuns: 40 },
    );

    expect(reports).toEqual([]);
  },
);
