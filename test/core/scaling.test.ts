import { expect, test } from "vitest";
import { automaticTarget, type ScalingView } from "../../src/core/scaling.ts";

const bounds = { minSlots: 1, maxSlots: 5, upDelayMs: 100 };
const quiet: ScalingView = { target: 2, waiting: 0, free: 0, waitingForMs: undefined, longIdle: 0 };

test.each<[string, Partial<ScalingView>, number]>([
  ["stays where nothing waits and nothing is idle for long", {}, 2],
  ["waits for the delay", { waiting: 2, waitingForMs: 99 }, 2],
  ["adds one for each task that waits", { waiting: 2, waitingForMs: 100 }, 4],
  ["adds no more than there may be", { waiting: 1_000, waitingForMs: 100 }, 5],
  ["adds none while one is free", { waiting: 2, free: 1, waitingForMs: 100 }, 2],
  ["takes away what is idle for long", { target: 4, longIdle: 2, free: 2 }, 2],
  ["leaves the fewest", { target: 3, longIdle: 3, free: 3 }, 1],
  ["takes none away while something waits", { target: 4, longIdle: 2, waiting: 1 }, 4],
  ["brings what is below the fewest up to it", { target: 0 }, 1],
  ["leaves what was opened above the most", { target: 9, waiting: 3, waitingForMs: 100 }, 9],
])("%s", (_what, view, expected) => {
  expect(automaticTarget(bounds, { ...quiet, ...view })).toBe(expected);
});
