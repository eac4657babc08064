/** A store of its own for each test, and hosts whose slots the test holds in its hands. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Lease, Records } from "../../src/core/records.ts";
import { newTaskId } from "../../src/core/ids.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { HostRecord, TaskRecord, TaskResult, TaskSpec } from "../../src/core/task.ts";

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "claude-pool-records-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A host with slots that are free until a task is leased to them, and the leases it was given, in order. */
export interface TestHost {
  readonly id: string;
  readonly slots: readonly string[];
  readonly leases: Lease[];
  /** Leases not yet finished. */
  readonly open: Lease[];
  /** Its slot is free again, as the engine has it when it hands in a run. */
  free(lease: Lease): void;
  /** Ends the oldest open run, or the one given; the slot is free at once, as the engine has it. */
  finish(
    outcome?: Partial<TaskResult> & { readonly kind?: Outcome["kind"] },
    lease?: Lease,
  ): Promise<TaskRecord | undefined>;
}

export function hostRecord(id: string, more: Partial<HostRecord> = {}): HostRecord {
  return {
    id,
    kind: "library",
    pid: 4_242,
    startTime: "1",
    bootId: "boot",
    hostname: "here",
    startedAtMs: 1,
    leaseUntilMs: Number.MAX_SAFE_INTEGER,
    state: "alive",
    targetSlots: 1,
    ...more,
  };
}

export async function testHost(
  records: Records,
  slots: number,
  options: { id?: string; own?: boolean } = {},
): Promise<TestHost> {
  const id = options.id ?? "host-a";
  await records.startHost(hostRecord(id));
  const ids = (
    await records.addSlots(
      id,
      Array.from({ length: slots }, () => ({})),
    )
  ).map((slot) => slot.id);
  const free = [...ids];
  const leases: Lease[] = [];
  const open: Lease[] = [];
  records.setDispatcher(id, options.own ?? false, {
    freeSlots: () => free,
    choose: (_task, choice) => choice[0] ?? "",
    leased(given) {
      leases.push(...given);
      open.push(...given);
      for (const lease of given) free.splice(free.indexOf(lease.slotId), 1);
    },
  });
  function release(lease: Lease): void {
    if (!open.includes(lease)) return;
    open.splice(open.indexOf(lease), 1);
    free.push(lease.slotId);
  }
  return {
    id,
    slots: ids,
    leases,
    open,
    free: release,
    finish({ kind = "completed", ...more } = {}, lease = open[0]) {
      if (lease === undefined) throw new Error("No run is open.");
      release(lease);
      return records.finish({
        taskId: lease.task.id,
        runId: lease.runId,
        cwd: "/project",
        outcome: outcome(kind, more),
      });
    },
  };
}

function outcome(kind: Outcome["kind"], more: Partial<TaskResult> = {}): Outcome {
  const result: TaskResult = {
    output: "done",
    success: kind === "completed",
    costMicrodollars: 10,
    turnsUsed: 1,
    elapsedMs: 5,
    ...more,
  };
  if (kind === "limited") return { kind, result, resetsAtMs: 99 };
  if (kind === "failed" || kind === "timed_out") return { kind, result: { ...result, reason: more.reason ?? "error" } };
  return { kind, result };
}

/** Submits one task for each spec and answers with their records. */
export async function submitAll(
  records: Records,
  ...specs: (Partial<TaskSpec> & { originHost?: string })[]
): Promise<readonly TaskRecord[]> {
  const tasks = specs.map(({ originHost, ...spec }) => ({
    id: newTaskId(),
    spec: { prompt: "do it", ...spec },
    ...(originHost === undefined ? {} : { originHost }),
  }));
  return (await records.submit(tasks)).map((submitted) => submitted.record);
}

export async function collect(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

/** Lines as `importLines` takes them. */
export async function* linesOf(list: readonly string[]): AsyncGenerator<string, void, undefined> {
  for (const line of list) yield await Promise.resolve(line);
}
