import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { insideSlot } from "../src/inside-slot.ts";
import { openPool } from "../src/open-pool.ts";
import type { Pool } from "../src/pool.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "claude-pool-inside-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function poolInside(env: Readonly<Record<string, string>>, maxDepth = 1): Promise<Pool> {
  const cwd = folder();
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const pool = await openPool({ cwd, store: join(cwd, "pool.db"), slots: 0, maxDepth });
  onTestFinished(() => pool.close());
  return pool;
}

function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "done",
    (error: unknown) => (error as { readonly code: string }).code,
  );
}

test.each([
  [{}, undefined],
  [{ CLAUDE_POOL_MARKER: "" }, undefined],
  [{ CLAUDE_POOL_DEPTH: "0" }, undefined],
  [{ CLAUDE_POOL_MARKER: "x" }, {}],
  [{ CLAUDE_POOL_MARKER: "x", CLAUDE_POOL_DEPTH: "1" }, { depth: 1 }],
  [{ CLAUDE_POOL_MARKER: "x", CLAUDE_POOL_DEPTH: "-1" }, {}],
])("an environment of %j means %j", (env, where) => {
  expect(insideSlot(env)).toEqual(where);
});

test("no pool with slots of its own is opened inside a slot", async () => {
  const cwd = folder();
  vi.stubEnv("CLAUDE_POOL_MARKER", "x");
  expect(await codeOf(openPool({ cwd, store: join(cwd, "pool.db") }))).toBe("inside_slot");
});

test("inside a slot one may look, and change nothing", async () => {
  const pool = await poolInside({ CLAUDE_POOL_MARKER: "x" });
  const looks = [
    pool.status(),
    pool.list(),
    pool.peekMessages(),
    pool.requests.list(),
    pool.hosts(),
    pool.budget.show(),
  ];
  const changes = [
    pool.submit("x"),
    pool.submitChain([{ name: "a", prompt: "x" }]),
    pool.run("x"),
    pool.setContext("a", "b"),
    pool.readMessages(),
    pool.sendMessage({ to: "coordinator", content: "x" }),
    pool.requests.addRule("Bash"),
    pool.requests.deny("req-0000000000"),
    pool.budget.reset(),
    pool.governor.release(),
    pool.drain(),
    pool.prune({ olderThanMs: 0 }),
  ];
  expect([await Promise.all(looks.map(codeOf)), await Promise.all(changes.map(codeOf))]).toEqual([
    looks.map(() => "done"),
    changes.map((_, index) => (index === 7 ? "request_not_found" : "inside_slot")),
  ]);
});

test("inside a slot whose task may dispatch one may submit, as deep as the pool allows, and nothing else", async () => {
  const pool = await poolInside({ CLAUDE_POOL_MARKER: "x", CLAUDE_POOL_DEPTH: "1" }, 2);
  const task = await pool.submit("more");
  vi.stubEnv("CLAUDE_POOL_DEPTH", "2");
  const deeper = await openPool({ cwd: folder(), store: pool.store, slots: 0, maxDepth: 2 });
  onTestFinished(() => deeper.close());
  expect([(await task.get()).depth, await codeOf(deeper.submit("too deep")), await codeOf(pool.drain())]).toEqual([
    2,
    "depth_exceeded",
    "inside_slot",
  ]);
});
