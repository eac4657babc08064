import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkAdmission, grow, microdollars, periodStart, reserve, type BudgetState } from "../../src/core/budget.ts";

function budget(capMicrodollars: number | undefined, spentMicrodollars = 0, reservedMicrodollars = 0): BudgetState {
  return {
    ...(capMicrodollars === undefined ? {} : { capMicrodollars }),
    spentMicrodollars,
    reservedMicrodollars,
    totalMicrodollars: spentMicrodollars,
    sinceMs: 0,
    renews: "none",
  };
}

describe("admission", () => {
  test("refuses at the cap with both figures", () => {
    expect(() => {
      checkAdmission(budget(1_000_000, 1_250_000), undefined);
    }).toThrow(
      expect.objectContaining({
        code: "budget_exhausted",
        details: { spentMicrodollars: 1_250_000, limitMicrodollars: 1_000_000 },
        message: expect.stringContaining("$1.2500 spent of $1.0000") as string,
      }),
    );
  });

  test("refuses a task whose own cap is larger than the rest, with both figures", () => {
    expect(() => {
      checkAdmission(budget(1_000_000, 400_000), 600_001);
    }).toThrow(
      expect.objectContaining({
        code: "task_budget_exceeds_remaining",
        details: { taskMicrodollars: 600_001, remainingMicrodollars: 600_000 },
      }),
    );
  });

  test("lets everything in without a cap, and a task that just fits", () => {
    expect(() => {
      checkAdmission(budget(undefined, 9), 5_000_000);
      checkAdmission(budget(10, 4), 6);
    }).not.toThrow();
  });
});

describe("reservation", () => {
  const cases: readonly [string, BudgetState, number | undefined, number, number | undefined][] = [
    ["needs nothing without a cap", budget(undefined), 500, 10, 0],
    ["is the task's own cap", budget(1000), 500, 10, 500],
    ["is the estimate for a task without a cap", budget(1000), undefined, 10, 10],
    ["does not fit beside what others hold", budget(1000, 400, 200), 401, 10, undefined],
    ["just fits beside what others hold", budget(1000, 400, 200), 400, 10, 400],
    ["gives the last money to an estimate that is larger", budget(1000, 900), undefined, 500, 100],
    ["gives no last money while another run holds some", budget(1000, 800, 100), undefined, 500, undefined],
    ["gives nothing at the cap", budget(1000, 1000), undefined, 1, undefined],
  ];
  test.each(cases)("%s", (_, state, cap, estimate, expected) => {
    expect(reserve(state, cap, estimate)).toBe(expected);
  });

  test("never lets spent and reserved pass the cap, whatever runs, grows and settles", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("start" as const),
        cap: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
        estimate: fc.integer({ min: 1, max: 500 }),
      }),
      fc.record({ kind: fc.constant("grow" as const), of: fc.nat(9) }),
      fc.record({ kind: fc.constant("settle" as const), of: fc.nat(9), share: fc.integer({ min: 0, max: 100 }) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.array(step, { maxLength: 60 }), (cap, steps) => {
        let spent = 0;
        const held: number[] = [];
        const reserved = (): number => held.reduce((sum, one) => sum + one, 0);
        for (const one of steps) {
          const state = budget(cap, spent, reserved());
          if (one.kind === "start") {
            const got = reserve(state, one.cap, one.estimate);
            if (got !== undefined) held.push(got);
          } else if (held.length > 0) {
            const index = one.of % held.length;
            const own = held[index] ?? 0;
            if (one.kind === "grow") held[index] = own + grow(state, own);
            else {
              held.splice(index, 1);
              spent += Math.floor((own * one.share) / 100);
            }
          }
          expect(spent + reserved()).toBeLessThanOrEqual(cap);
        }
      }),
    );
  });
});

test("dollars become microdollars rounded, not cut", () => {
  expect([microdollars(0.1), microdollars(1.0000006), microdollars(0)]).toEqual([100_000, 1_000_001, 0]);
});

test("a period starts at local midnight, a week on Monday", () => {
  const friday = new Date(2026, 10, 20, 15, 30).getTime();
  expect([periodStart("day", friday), periodStart("week", friday)]).toEqual([
    new Date(2026, 10, 20).getTime(),
    new Date(2026, 10, 16).getTime(),
  ]);
});
