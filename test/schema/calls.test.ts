/** A slip in the options of a call is refused; it must not pass for "none given". */
import { describe, expect, test } from "vitest";
import { scriptedPool } from "../engine/scripted-pool.ts";

/** The pool as a caller without a type checker sees it. */
interface Loose extends Record<"list" | "drain" | "findSlots", (options: unknown) => Promise<unknown>> {
  readonly budget: { set(cap: unknown): Promise<unknown> };
  fanOut(inputs: unknown, options: unknown): Promise<unknown>;
  wait(ids: unknown, options: unknown): Promise<unknown>;
  setContext(key: unknown, value: unknown): Promise<unknown>;
}

describe("the options of a call", () => {
  test.each<[string, (pool: Loose) => Promise<unknown>, string]>([
    ["a concurrency of none", (pool) => pool.fanOut(["a"], { concurrency: 0 }), "at least 1"],
    ["a concurrency that is no number", (pool) => pool.fanOut(["a"], { concurrency: NaN }), "at least 1"],
    ["a cap as a bare number", (pool) => pool.budget.set(5), "an object with `usd`"],
    ["a cap under another name", (pool) => pool.budget.set({ budgetUsd: 5 }), "budgetUsd"],
    ["a cap given twice", (pool) => pool.budget.set({ usd: 5, microdollars: 7 }), "the same setting"],
    ["a state that is none", (pool) => pool.list({ state: "runing" }), "one of pending, running"],
    ["a filter that is none", (pool) => pool.list({ sate: "running" }), 'Did you mean "state"?'],
    ["a limit that is no number", (pool) => pool.list({ limit: NaN }), "at least 1"],
    ["a time-out that is no number", (pool) => pool.wait([], { timeoutMs: NaN }), "milliseconds"],
    ["a grace as text", (pool) => pool.drain({ graceMs: "30s" }), "milliseconds"],
    ["a slot's state that is none", (pool) => pool.findSlots({ state: "buzy" }), 'Did you mean "busy"?'],
    ["a context value that is no text", (pool) => pool.setContext("k", 5), "expected text"],
  ])("refuse %s", async (_what, call, message) => {
    const { pool } = await scriptedPool({ slots: 0 });
    await expect(call(pool as unknown as Loose)).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining(message) as string,
    });
  });
});

test("an empty id, as of a variable that is not set, is never the only task's", async () => {
  const { pool } = await scriptedPool({ slots: 0 });
  const task = await pool.submit("it");
  await expect(pool.cancel("")).rejects.toMatchObject({ code: "task_not_found" });
  await expect(pool.cancel("task-")).rejects.toMatchObject({ code: "task_not_found" });
  expect((await task.get()).state).toBe("pending");
});
