/** The merge queue as a process carries it out, where the store is out of order for a moment. */
import { expect, test } from "vitest";
import { defaultConfig } from "../../src/core/config.ts";
import { PoolError } from "../../src/core/errors.ts";
import type { MergeEnd, MergeRecord } from "../../src/core/merge.ts";
import { Merging } from "../../src/engine/merging.ts";
import type { EngineParts } from "../../src/engine/parts.ts";

test("a merge that has landed is ended though the store could not be written at first", async () => {
  const merge = { id: "merge-1", taskId: "task-1", repository: "/r", target: "main" } as MergeRecord;
  const landed: MergeEnd = { state: "merged", before: "a", commit: "b" };
  const queue = [merge];
  const ends: unknown[] = [];
  const reported: unknown[] = [];
  const full = new PoolError("store_full", "The disk is full.");
  const parts = {
    records: {
      poolId: "pool",
      takeMerge: () => Promise.resolve(queue.shift()),
      get: () => Promise.resolve({ id: "task-1", prompt: "Do it", state: "completed", workspace: { saved: {} } }),
      endMerge: (id: string, end: MergeEnd) => {
        ends.push([id, end]);
        return ends.length === 1 ? Promise.reject(full) : Promise.resolve(merge);
      },
    },
    workspaces: { land: () => Promise.resolve(landed), pathOf: () => "/p" },
    clock: { after: (_delayMs: number, done: () => void) => (done(), () => undefined) },
    config: defaultConfig,
    processes: { self: { pid: 1, startTime: "1" } },
    machine: { bootId: "b", hostname: "h" },
    cwd: "/r",
    report: (error: unknown) => reported.push(error),
  } as unknown as EngineParts;
  await new Merging(parts).work();
  expect({ ends, reported }).toEqual({
    ends: [
      ["merge-1", landed],
      ["merge-1", landed],
    ],
    reported: [full],
  });
});
