import { join } from "node:path";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { defaultConfig } from "../../src/core/config.ts";
import type { Processes } from "../../src/core/ports.ts";
import { retryAtMs } from "../../src/core/webhook.ts";
import type { Pool } from "../../src/pool.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { failed } from "../../src/testing/outcomes.ts";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import { startCourier } from "../../src/webhooks/courier.ts";
import { isPrivateAddress } from "../../src/webhooks/private-address.ts";
import { send } from "../../src/webhooks/send.ts";
import { eventOf, scriptedPool } from "../engine/scripted-pool.ts";
import { repository, writing } from "../mcp/repository.ts";
import { receiver } from "./receiver.ts";

/** A pool that delivers, as `serve` does. */
async function delivering(options: OpenPoolOptions = {}, script?: RunnerScript) {
  const rig = await scriptedPool(options, script);
  rig.pool.webhooks.deliver();
  return rig;
}

function storeFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "claude-pool-webhooks-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "pool.db");
}

/** Resolves when the record of the webhook is so. */
async function recorded(
  pool: Pool,
  isIt: (webhook: { readonly delivered: number; readonly failed: number; readonly lastError?: string }) => boolean,
) {
  for (;;) {
    const [webhook] = await pool.webhooks.list();
    if (webhook !== undefined && isIt(webhook)) return webhook;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a webhook", () => {
  it("is told of what it wants and of nothing else, signed", async () => {
    const { pool, runner } = await delivering();
    const hook = await receiver();
    runner.on("fail", failed("error"));
    const { secret } = await pool.webhooks.add({
      url: hook.url,
      events: ["task_failed", "chain_completed"],
      allowPrivate: true,
    });

    await pool.run("work");
    const task = await pool.submit("fail");
    const chain = await pool.submitChain([{ name: "only", prompt: "step" }]);
    await hook.has(2);

    expect(
      hook.got.map(({ event, body, isSigned }) => [
        event,
        (body.data as { readonly task_id: string }).task_id,
        isSigned(secret),
      ]),
    ).toEqual([
      ["task_failed", task.id, true],
      ["chain_completed", chain.id, true],
    ]);
  });

  it("is told of the end of a drain, and of reviews", async () => {
    const { pool } = await delivering();
    const hook = await receiver();
    await pool.webhooks.add({ url: hook.url, allowPrivate: true });

    const task = await pool.submitWithReview("look at it");
    await task.outcome();
    await hook.has(1);
    await pool.drain();
    await hook.has(2);

    expect(hook.got.map(({ event }) => event)).toEqual(["task_pending_review", "drain_completed"]);
  });

  it("is told of merges that landed and that failed to, and of no review that waits for nobody", async () => {
    const { path: cwd, git } = repository();
    const options = { cwd, isolation: "worktree", activityLog: false, onMergeConflict: "review" } as const;
    const { pool } = await delivering(options, writing);
    const hook = await receiver();
    await pool.webhooks.add({ url: hook.url, allowPrivate: true });

    const clean = await pool.submit("b.txt new", { merge: "auto" });
    await clean.outcome();
    await hook.has(2);
    const late = await pool.submit("a.txt theirs");
    await late.outcome();
    writeFileSync(join(cwd, "a.txt"), "ours\n");
    git("commit", "-q", "-a", "-m", "Meanwhile");
    await pool.merge(late.id);
    await hook.has(4);

    const told = hook.got.map(({ event, body }) => [event, (body.data as { readonly task_id: string }).task_id]);
    expect(told.sort()).toEqual(
      [
        ["task_completed", clean.id],
        ["merge_completed", clean.id],
        ["task_completed", late.id],
        ["merge_failed", late.id],
      ].sort(),
    );
  });

  it("is not told of what happened before it was added", async () => {
    const { pool } = await delivering();
    const hook = await receiver();
    await pool.run("before");
    await pool.webhooks.add({ url: hook.url, allowPrivate: true });

    const after = await pool.submit("after");
    await hook.has(1);

    expect(hook.got.map(({ body }) => (body.data as { readonly task_id: string }).task_id)).toEqual([after.id]);
  });

  it("is told later of what happened while nobody delivered", async () => {
    const store = storeFile();
    const hook = await receiver();
    const first = await scriptedPool({ store });
    await first.pool.webhooks.add({ url: hook.url, allowPrivate: true });
    await first.pool.run("while nobody delivered");
    await first.pool.close();

    await delivering({ store });
    await hook.has(1);

    expect(hook.got.map(({ event }) => event)).toEqual(["task_completed"]);
  });

  it("is told once where several processes could deliver", async () => {
    const store = storeFile();
    const hook = await receiver();
    const { pool } = await delivering({ store });
    await Promise.all([delivering({ store, slots: 0 }), delivering({ store, slots: 0 })]);
    await pool.webhooks.add({ url: hook.url, allowPrivate: true });

    for (let n = 0; n < 5; n += 1) await pool.run(`task ${String(n)}`);
    const webhook = await recorded(pool, ({ delivered }) => delivered === 5);

    expect([new Set(hook.got.map(({ id }) => id)).size, hook.got.length, webhook.pending]).toEqual([5, 5, 0]);
  });

  it("is told by another process as soon as that begins, where the one that delivered is dead", async () => {
    const store = storeFile();
    const dead: Processes = { ...systemProcesses(), self: { pid: 4_000_000, startTime: "1" } };
    // Time stands still: its lease would never be over.
    const clock = manualClock();
    const first = await scriptedPool({ store, processes: dead, clock });
    const second = await scriptedPool({ store, clock, slots: 0 });
    const hook = await receiver();
    await first.pool.webhooks.add({ url: hook.url, events: ["drain_completed"], allowPrivate: true });
    hook.answer("hang"); // it never comes to write down that it has sent
    first.pool.webhooks.deliver();
    await first.pool.drain();
    await hook.has(1);

    second.pool.webhooks.deliver();
    await hook.has(2);

    expect([hook.got.map(({ event }) => event), new Set(hook.got.map(({ id }) => id)).size]).toEqual([
      ["drain_completed", "drain_completed"],
      1,
    ]);
  });

  it("is told within two seconds of the death of who delivered", async () => {
    const [clock, hook] = [manualClock(), await receiver()];
    const records = await openRecords({ sql: await openSqlite(":memory:"), clock, governor: defaultConfig });
    onTestFinished(() => records.close());
    const { url } = hook;
    await records.addWebhook({ id: "wh_1", url, events: [], allowPrivate: true, secret: "whsec_x" });
    await records.holdCourier("another", clock.now() + 30_000, () => false);
    await records.submit([{ id: "task-1", spec: { prompt: "work" } }]);
    await records.cancelPending();
    let isGone = false;
    const stop = startCourier({ records, clock, holder: "this", isGone: () => isGone, report: () => undefined });
    onTestFinished(stop);
    await clock.waitForTimer();

    isGone = true;
    clock.advance(2_000);
    await hook.has(1);

    expect(hook.got.map(({ event }) => event)).toEqual(["task_cancelled"]);
  });

  it("is told again after all were removed and one was added", async () => {
    const { pool } = await delivering();
    const hook = await receiver();
    const first = await pool.webhooks.add({ url: hook.url, allowPrivate: true });
    await pool.run("one");
    await hook.has(1);
    await pool.webhooks.remove(first.id);
    await pool.run("two");
    await pool.webhooks.add({ url: hook.url, allowPrivate: true });

    const task = await pool.submit("three");
    await hook.has(2);

    expect(hook.got.map(({ body }) => (body.data as { readonly task_id: string }).task_id).slice(1)).toEqual([task.id]);
  });

  it("is tried again after a failure, with the same id, and a redirect is one", async () => {
    const { pool } = await scriptedPool();
    const hook = await receiver();
    hook.answer(500, { location: "http://127.0.0.1:1/elsewhere" });
    const { id } = await pool.webhooks.add({ url: hook.url, allowPrivate: true });

    const answers = [await pool.webhooks.test(id), await pool.webhooks.test(id), await pool.webhooks.test(id)];
    pool.webhooks.deliver();
    hook.answer(503);
    await pool.run("work");
    const webhook = await recorded(pool, ({ lastError }) => lastError !== undefined);

    expect({
      tests: answers.map(({ delivered, status }) => [delivered, status]),
      pending: webhook.pending,
      lastError: webhook.lastError,
    }).toEqual({
      tests: [
        [false, 500],
        [false, 302],
        [true, 200],
      ],
      pending: 1,
      lastError: "answered 503",
    });
  });

  it.each([
    "http://127.0.0.1:1/x",
    "http://localhost/x",
    "http://10.0.0.8/x",
    "http://2130706433/x",
    "http://[::1]/x",
    "http://[::ffff:127.0.0.1]/x",
    "http://169.254.169.254/latest/meta-data",
  ])("is refused at a private address unless allowed: %s", async (url) => {
    const { pool } = await scriptedPool();

    await expect(pool.webhooks.add({ url })).rejects.toThrow("is a private or loopback address");
  });

  it("gets nothing at a name that leads to a private address", async () => {
    const hook = await receiver();
    const target = {
      id: "wh_1",
      url: hook.url.replace("127.0.0.1", "localhost"),
      secret: "whsec_",
      allowPrivate: false,
    };

    const sending = send(target, { id: "msg_1", payload: "{}", nowMs: 0, timeoutMs: 10_000 });

    await expect(sending).rejects.toThrow(/^localhost \(.*\) is a private or loopback address/);
    expect(hook.got).toEqual([]);
  });

  it("is given up for the time when it does not answer", async () => {
    const hook = await receiver();
    hook.answer("hang");
    const target = { id: "wh_1", url: hook.url, secret: "whsec_", allowPrivate: true };

    const sending = send(target, { id: "msg_1", payload: "{}", nowMs: 0, timeoutMs: 50 });

    await expect(sending).rejects.toThrow("no answer within 50 ms");
  });

  it.each(["ftp://example.com/x", "https://me:secret@example.com/", "example.com", ""])(
    "is refused with the URL %j",
    async (url) => {
      const { pool } = await scriptedPool();

      await expect(pool.webhooks.add({ url })).rejects.toThrow("url: expected");
    },
  );

  it("is gone with what waited for it once it is removed", async () => {
    const { pool } = await scriptedPool();
    const { id } = await pool.webhooks.add({ url: "http://127.0.0.1:1/x", allowPrivate: true });
    await pool.webhooks.remove(id);
    await eventOf(pool, "webhook.removed");

    await expect(pool.webhooks.remove(id)).rejects.toThrow("No webhook");
  });
});

it("keeps private addresses of both kinds from public ones", () => {
  const privateOnes = [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "::",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "::127.0.0.1",
    "no address",
  ];
  const publicOnes = ["1.1.1.1", "172.32.0.1", "192.167.1.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"];

  expect([privateOnes.filter((one) => !isPrivateAddress(one)), publicOnes.filter(isPrivateAddress)]).toEqual([[], []]);
});

it("waits longer after each failure, and gives up in the end", () => {
  expect([1, 2, 3, 8, 9].map((attempts) => retryAtMs(attempts, 0, 0.5))).toEqual([
    5_000,
    30_000,
    120_000,
    86_400_000,
    undefined,
  ]);
});
