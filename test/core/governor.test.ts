import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allowance,
  answered,
  gaveUp,
  type GovernorState,
  heldBack,
  leasedUnder,
  nextChangeMs,
  overloaded,
  parked,
  relaxed,
  released,
  starved,
  utilized,
} from "../../src/core/governor.ts";

const settings = { limitReserve: 0.2, rampStepMs: 5_000 };
const now = 1_700_000_000_000;
const free = Number.MAX_SAFE_INTEGER;

describe("how many more may be leased", () => {
  const cases: readonly [string, GovernorState, number, number][] = [
    ["any number, where nothing is known", {}, 7, free],
    ["none before the reset", { parkedUntilMs: now + 1 }, 0, 0],
    ["one at the reset", { parkedUntilMs: now }, 0, 1],
    ["one at the reset, whatever still runs from before", { parkedUntilMs: now }, 5, 1],
    ["none beside the probe", { parkedUntilMs: now, probeRunId: "r" }, 1, 0],
    ["what is left under the ceiling", { ceiling: 3, ceilingSinceMs: now }, 1, 2],
    ["none where more run than the ceiling has", { ceiling: 3, ceilingSinceMs: now }, 5, 0],
    ["any number below the reserve", { utilization: 0.79, windowResetsAtMs: now + 1 }, 0, free],
    ["one from the reserve", { utilization: 0.8, windowResetsAtMs: now + 1 }, 0, 1],
    ["no second one at once", { utilization: 0.8, reserveLeaseAtMs: now - 1, windowResetsAtMs: now + 1 }, 0, 0],
    ["one a minute while the reserve is untouched", reserve(0.8, 60_000), 0, 1],
    ["one every two minutes when half of it is gone", reserve(0.9, 119_999), 0, 0],
    ["one after two minutes when half of it is gone", reserve(0.9, 120_000), 0, 1],
    ["any number when the window is over", { utilization: 1, windowResetsAtMs: now }, 0, free],
    ["the smaller of ceiling and reserve", { ...reserve(0.8, 60_000), ceiling: 2, ceilingSinceMs: now }, 2, 0],
  ];
  test.each(cases)("%s", (_, state, running, expected) => {
    expect(allowance(state, running, now, settings).count).toBe(expected);
  });

  test("says what holds back, until when, and how many may run", () => {
    expect([
      heldBack({}, now, settings),
      heldBack({ parkedUntilMs: now + 9 }, now, settings),
      heldBack({ parkedUntilMs: now, probeRunId: "r" }, now, settings),
      heldBack({ ceiling: 2, ceilingReason: "overload", ceilingSinceMs: now }, now, settings),
      heldBack(reserve(0.9, 0), now, settings),
      heldBack({ starvedHosts: ["host-a"] }, now, settings),
    ]).toEqual([
      undefined,
      { reason: "limit", untilMs: now + 9 },
      { reason: "limit", ceiling: 1 },
      { reason: "overload", ceiling: 2, untilMs: now + 5_000 },
      { reason: "reserve", untilMs: now + 120_000 },
      { reason: "memory" },
    ]);
  });
});

describe("the usage limit", () => {
  test("parks at the first rejection; later ones only move the time, and never nearer", () => {
    const first = parked({}, now + 10_000, "five_hour", now);
    const nearer = parked(first, now + 5_000, undefined, now);
    const farther = parked(nearer, now + 20_000, "seven_day", now);
    expect([first, nearer, farther]).toEqual([
      { parkedUntilMs: now + 10_000, limitType: "five_hour" },
      { parkedUntilMs: now + 10_000, limitType: "five_hour" },
      { parkedUntilMs: now + 20_000, limitType: "seven_day" },
    ]);
  });

  test("asks again in a second where the reset is over, and in eight days where it is absurd", () => {
    expect([parked({}, now - 5_000, undefined, now), parked({}, Number.MAX_VALUE, undefined, now)]).toEqual([
      { parkedUntilMs: now + 1_000 },
      { parkedUntilMs: now + 8 * 86_400_000 },
    ]);
  });

  test("opens with two at once when the probe is answered, and not for any other run", () => {
    const probing = leasedUnder(parked({}, now, "five_hour", now - 1_000), "probe", now, settings);
    expect([answered(probing, "other", now), answered(probing, "probe", now)]).toEqual([
      probing,
      { ceiling: 2, ceilingReason: "limit", ceilingSinceMs: now },
    ]);
  });

  test("gives a probe up that ends without an answer, so that the next run is the probe", () => {
    const probing: GovernorState = { parkedUntilMs: now, probeRunId: "probe" };
    expect([gaveUp(probing, "other"), gaveUp(probing, "probe")]).toEqual([probing, { parkedUntilMs: now }]);
  });

  test("is over when somebody says so", () => {
    const state = { ...reserve(1, 0), parkedUntilMs: now + 9, probeRunId: "r", ceiling: 1, starvedHosts: ["h"] };
    expect(released(state)).toEqual({ starvedHosts: ["h"] });
  });
});

describe("an overloaded API", () => {
  test("halves what runs, once for a wave, and again only when the lower number is reached", () => {
    const first = overloaded({}, 8, now);
    const sameWave = overloaded(first, 4, now + 500);
    const stillAbove = overloaded(first, 6, now + 2_000);
    const again = overloaded(first, 4, now + 2_000);
    expect([first, sameWave, stillAbove, again].map((state) => [state.ceiling, state.ceilingSinceMs])).toEqual([
      [4, now],
      [4, now + 500],
      [4, now + 2_000],
      [2, now + 2_000],
    ]);
  });

  test("is forgiven one by one in quiet time, and forgotten when all slots may work", () => {
    const state = overloaded({}, 8, now);
    const after = (ms: number): number | undefined => relaxed(state, 8, now + ms, settings).ceiling;
    expect([after(4_999), after(5_000), after(14_999), after(15_000), after(20_000)]).toEqual([4, 5, 6, 7, undefined]);
  });

  test("changes nothing of a parked pool", () => {
    const state = parked({}, now + 10_000, undefined, now);
    expect(overloaded(state, 3, now)).toBe(state);
  });
});

describe("the rest of the window", () => {
  test("is news when the figure changes or has grown old, and forgotten when its window is over", () => {
    const state = utilized({}, 0.85004, now + 600_000, now);
    expect([
      state,
      utilized(state, 0.85, now + 600_000, now + 59_999) === state,
      utilized(state, 0.85, now + 600_000, now + 60_000).utilizationAtMs,
      relaxed(state, 4, now + 599_999, settings) === state,
      relaxed(state, 4, now + 600_000, settings),
    ]).toEqual([
      { utilization: 0.85, utilizationAtMs: now, windowResetsAtMs: now + 600_000 },
      true,
      now + 60_000,
      true,
      {},
    ]);
  });

  test("is believed for five hours where no window is named", () => {
    const state = utilized({}, 1, undefined, now);
    expect([
      allowance({ ...state, reserveLeaseAtMs: now }, 0, now + 1, settings).count,
      allowance({ ...state, reserveLeaseAtMs: now }, 0, now + 5 * 3_600_000, settings).count,
    ]).toEqual([0, free]);
  });
});

test("a host without memory is listed until it says otherwise", () => {
  const both = starved(starved({}, "a", true), "b", true);
  expect([
    both,
    starved(both, "a", true),
    starved(both, "a", false),
    starved(starved(both, "a", false), "b", false),
  ]).toEqual([{ starvedHosts: ["a", "b"] }, both, { starvedHosts: ["b"] }, {}]);
});

describe("whatever the API says", () => {
  test("the pool is never parked for ever, and never runs more than its ceiling", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = play(steps);
        expect(world.broken).toEqual([]);
        expect(settles(world)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

const slots = 6;

type Step =
  | { readonly do: "wait"; readonly ms: number }
  | {
      readonly do: "lease" | "overload" | "finish" | "lose" | "reject" | "answer";
      readonly index: number;
      readonly ms: number;
    }
  | { readonly do: "use"; readonly share: number; readonly ms: number };

const index = fc.nat(slots);
const ms = fc.integer({ min: -20_000, max: 40_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 30_000 }) }),
  fc.record({
    do: fc.constantFrom("lease" as const, "overload" as const, "finish" as const, "lose" as const),
    index,
    ms,
  }),
  fc.record({ do: fc.constantFrom("reject" as const, "answer" as const, "lease" as const), index, ms }),
  fc.record({ do: fc.constant("use" as const), share: fc.double({ min: 0, max: 1, noNaN: true }), ms }),
);

interface World {
  state: GovernorState;
  nowMs: number;
  runs: string[];
  number: number;
  readonly broken: string[];
}

function play(steps: readonly Step[]): World {
  const world: World = { state: {}, nowMs: now, runs: [], number: 0, broken: [] };
  for (const one of steps) act(world, one);
  return world;
}

function act(world: World, one: Step): void {
  switch (one.do) {
    case "wait":
      world.nowMs += one.ms;
      break;
    case "use":
      world.state = utilized(world.state, one.share, world.nowMs + one.ms, world.nowMs);
      break;
    case "lease":
      leaseOne(world);
      break;
    case "overload":
      world.state = overloaded(world.state, world.runs.length, world.nowMs);
      break;
    default: {
      const run = world.runs[one.index];
      if (run === undefined) break;
      if (one.do === "answer") world.state = answered(world.state, run, world.nowMs);
      if (one.do === "reject") world.state = parked(world.state, world.nowMs + one.ms, undefined, world.nowMs);
      if (one.do === "finish") world.state = answered(world.state, run, world.nowMs);
      if (one.do === "lose") world.state = gaveUp(world.state, run);
      if (one.do !== "answer") world.runs = world.runs.filter((other) => other !== run);
    }
  }
}

/** As the records do it; true: a run has begun. */
function leaseOne(world: World): boolean {
  world.state = relaxed(world.state, slots, world.nowMs, settings);
  if (world.runs.length >= slots) return false;
  if (allowance(world.state, world.runs.length, world.nowMs, settings).count === 0) return false;
  const { parkedUntilMs, ceiling } = world.state;
  if (parkedUntilMs !== undefined && world.nowMs < parkedUntilMs) world.broken.push("leased while parked");
  if (ceiling !== undefined && world.runs.length >= ceiling) world.broken.push("leased above the ceiling");
  world.number += 1;
  world.state = leasedUnder(world.state, `run-${String(world.number)}`, world.nowMs, settings);
  world.runs.push(`run-${String(world.number)}`);
  return true;
}

/** Every run ends well and time goes from one change to the next: do all slots work in the end, within a bounded number of steps? */
function settles(world: World): boolean {
  for (let round = 0; round < 200; round += 1) {
    for (const run of world.runs) world.state = answered(world.state, run, world.nowMs);
    world.runs = [];
    while (leaseOne(world));
    if (world.runs.length === slots) return true;
    const next = nextChangeMs(world.state, world.nowMs, settings);
    world.nowMs = Math.max(world.nowMs + 1, next ?? 0);
  }
  return false;
}

function reserve(utilization: number, sinceLeaseMs: number): GovernorState {
  return {
    utilization,
    utilizationAtMs: now,
    reserveLeaseAtMs: now - sinceLeaseMs,
    windowResetsAtMs: now + 86_400_000,
  };
}
