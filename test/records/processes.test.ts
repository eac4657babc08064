import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PoolEvent } from "../../src/core/events.ts";
import { newTaskId } from "../../src/core/ids.ts";
import type { Records } from "../../src/core/records.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite, type SqliteOptions } from "../../src/records/sqlite/driver.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { submitAll, tempFolder, testHost } from "./temp-store.ts";

describe("a store with several processes", () => {
  it("loses no acknowledged task when writers are killed, and counts what it has", async () => {
    const path = join(await tempFolder(), "pool.db");
    const writers = Array.from({ length: 3 }, () => writer(path));
    await Promise.all(writers.map((one) => one.reached(200)));
    for (const one of writers) one.child.kill("SIGKILL");
    await Promise.all(writers.map((one) => one.ended));
    const acknowledged = writers.flatMap((one) => one.lines());
    const records = await open(path);
    const kept = new Set((await records.getMany(acknowledged)).map((task) => task.id));
    expect({
      missing: acknowledged.filter((id) => !kept.has(id)),
      counters: await countersAndRows(path, records),
      integrity: check(path),
    }).toEqual({ missing: [], counters: "equal", integrity: "ok" });
  });

  it("is made once by two processes that open it at the same time", async () => {
    const path = join(await tempFolder(), "pool.db");
    const writers = Array.from({ length: 4 }, () => writer(path, 5));
    const codes = await Promise.all(writers.map((one) => one.ended));
    const records = await open(path);
    expect({ codes, tasks: (await records.status()).pendingTasks }).toEqual({ codes: [0, 0, 0, 0], tasks: 20 });
  });

  it("gives a follower the events of another connection, in order with its own", async () => {
    const path = join(await tempFolder(), "pool.db");
    const [first, second] = [await open(path), await open(path)];
    const seen: PoolEvent[] = [];
    const done = Promise.withResolvers<undefined>();
    const stop = first.follow((events) => {
      seen.push(...events);
      if (seen.length >= 35) done.resolve(undefined);
    }, 0);
    for (let round = 0; round < 10; round += 1) {
      await submitAll(second, {});
      await submitAll(first, {});
      await second.setShutdown(round % 2 === 0);
      await first.setShutdown(false);
      if (round % 2 === 1) await submitAll(second, {});
    }
    const log = await first.events(0, 100);
    await done.promise;
    stop();
    expect({ written: log.length, seen }).toEqual({ written: 35, seen: log });
  });

  it("tells a listener that another process has written, and is silent about its own", async () => {
    const path = join(await tempFolder(), "pool.db");
    const [first, second] = [await open(path), await open(path)];
    const heard: string[] = [];
    const told = Promise.withResolvers<undefined>();
    onTestFinished(
      second.onForeignChange(() => {
        heard.push("second");
        told.resolve(undefined);
      }),
    );
    onTestFinished(first.onForeignChange(() => heard.push("first")));
    await first.setContext("a", "1");
    await told.promise;
    expect(heard).toEqual(["second"]);
  });

  it("writes nothing, and so wakes nobody, when a dispatch finds nothing to do", async () => {
    const path = join(await tempFolder(), "pool.db");
    const first = await open(path);
    const sql = await openSqlite(path);
    onTestFinished(() => sql.close());
    await testHost(first, 2);
    const before = sql.version();
    await first.dispatch();
    await first.sweep();
    expect(sql.version()).toBe(before);
  });

  it("gives each task to one of two hosts only", async () => {
    const path = join(await tempFolder(), "pool.db");
    const [first, second] = [await open(path), await open(path)];
    const hosts = [await testHost(first, 2, { id: "host-a" }), await testHost(second, 2, { id: "host-b" })];
    await submitAll(first, ...Array.from({ length: 60 }, () => ({})));
    await second.dispatch();
    while (hosts.some((host) => host.open.length > 0)) {
      await Promise.all(hosts.flatMap((host) => [...host.open].map((lease) => host.finish({}, lease))));
    }
    const leased = hosts.flatMap((host) => host.leases.map((lease) => lease.task.id));
    const { completedTasks, runningTasks } = await first.status();
    expect({ leased: leased.length, distinct: new Set(leased).size, completedTasks, runningTasks }).toEqual({
      leased: 60,
      distinct: 60,
      completedTasks: 60,
      runningTasks: 0,
    });
  });
});

describe("a full store", () => {
  it("refuses what does not fit as store_full, keeps what it accepted, and goes on after it was given room", async () => {
    const folder = await tempFolder();
    const path = join(folder, "pool.db");
    const records = await open(path, { maxPageCount: 120 });
    const accepted: string[] = [];
    const failure = await fill(records, accepted);
    const kept = await records.getMany(accepted);
    await records.close();
    const roomy = await open(path);
    const [more] = await submitAll(roomy, { prompt: "x".repeat(100_000) });
    expect({
      failure: (failure as { readonly code?: unknown }).code,
      lost: accepted.length - kept.length,
      more: more?.state,
      counters: await countersAndRows(path, roomy),
      files: (await readdir(folder)).filter((name) => !name.startsWith("pool.db")),
    }).toEqual({ failure: "store_full", lost: 0, more: "pending", counters: "equal", files: [] });
  });
});

/** Submits until it is refused; the refusal. */
async function fill(records: Records, accepted: string[]): Promise<unknown> {
  try {
    for (;;) {
      const id = newTaskId();
      await records.submit([{ id, spec: { prompt: "x".repeat(10_000) } }]);
      accepted.push(id);
    }
  } catch (error) {
    return error;
  }
}

async function open(path: string, options: SqliteOptions = {}): Promise<Records> {
  const records = await openRecords({ sql: await openSqlite(path, options), clock: manualClock() });
  onTestFinished(() => records.close());
  return records;
}

interface Writer {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** Resolves when so many tasks are acknowledged. */
  reached(count: number): Promise<void>;
  lines(): readonly string[];
}

function writer(path: string, tasks?: number): Writer {
  const program = fileURLToPath(new URL("writer.ts", import.meta.url));
  const child = spawn(process.execPath, [program, path, ...(tasks === undefined ? [] : [String(tasks)])], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let text = "";
  const lines = (): readonly string[] => text.split("\n").slice(0, -1);
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return {
    child,
    ended: once(child, "close").then(([code]) => code as number | null),
    async reached(count) {
      while (lines().length < count) await once(child.stdout, "data");
    },
    lines,
  };
}

/** `equal`, or what the counters and the rows say. */
async function countersAndRows(path: string, records: Records): Promise<unknown> {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare("SELECT COUNT(*) AS n FROM task WHERE state = 'pending'").get();
  db.close();
  const { pendingTasks } = await records.status();
  return pendingTasks === rows?.n ? "equal" : { pendingTasks, rows: rows?.n };
}

function check(path: string): unknown {
  const db = new DatabaseSync(path);
  const row = db.prepare("PRAGMA integrity_check").get();
  db.close();
  return row?.integrity_check;
}
