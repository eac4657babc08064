/** A Claude that takes for ever to open: what waits for it must still end when it has to. */
import { describe, expect, test } from "vitest";
import { PoolError } from "../../src/core/errors.ts";
import type { Runner } from "../../src/core/runner-port.ts";
import { scriptedRunner } from "../../src/testing/scripted-runner.ts";
import { eventOf, held, scriptedPool } from "./scripted-pool.ts";

/** A runner that opens nothing, and gives up when its caller does. */
function neverOpening(): { readonly runner: Runner; readonly asked: Promise<undefined> } {
  const asked = held<undefined>();
  const inner = scriptedRunner();
  const runner: Runner = {
    open: (_launch, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener("abort", () => reject(new PoolError("aborted", "Stopped.")), { once: true });
        asked.release(undefined);
      }),
    endOrphan: (process) => inner.endOrphan(process),
    remains: (run) => inner.remains(run),
    close: () => inner.close(),
  };
  return { runner, asked: asked.promise };
}

describe("a task whose slot is still being warmed", () => {
  test("ends when its time is over", async () => {
    const { runner, asked } = neverOpening();
    const { pool } = await scriptedPool({ kind: "serve", runner });
    await asked;
    const task = await pool.submit("it", { timeoutMs: 1 });
    expect(await task.outcome()).toMatchObject({ state: "failed", result: { reason: "timed_out" } });
  });

  test("ends when it is cancelled, and so does the next one", async () => {
    const { runner, asked } = neverOpening();
    const { pool } = await scriptedPool({ kind: "serve", runner });
    await asked;
    const [first, second] = await pool.submitMany(["first", "second"]);
    await eventOf(pool, "task.started", first?.id);
    const states = [(await pool.cancel(first?.id ?? "")).state];
    await eventOf(pool, "task.started", second?.id);
    states.push((await pool.cancel(second?.id ?? "")).state);
    expect(states).toEqual(["cancelled", "cancelled"]);
  });
});

test("closing a pool gives up what is being opened ahead of a task, on every slot", async () => {
  const { runner, asked } = neverOpening();
  const { pool } = await scriptedPool({ kind: "serve", slots: 3, runner });
  await asked;
  await pool.close();
  await expect(pool.status()).rejects.toMatchObject({ code: "pool_closed" });
});
