import { expect, test } from "vitest";
import { manualClock } from "../../src/testing/index.ts";

test("timers call back when they are due, in order, each at its own time", () => {
  const clock = manualClock(1_000);
  const calls: [string, number][] = [];
  clock.after(30, () => calls.push(["late", clock.now()]));
  clock.after(10, () => {
    calls.push(["early", clock.now()]);
    clock.after(5, () => calls.push(["nested", clock.now()]));
  });
  clock.after(31, () => calls.push(["not yet", clock.now()]));

  clock.advance(30);

  expect({ calls, now: clock.now(), monotonic: clock.monotonic(), pending: clock.pending }).toEqual({
    calls: [
      ["early", 1_010],
      ["nested", 1_015],
      ["late", 1_030],
    ],
    now: 1_030,
    monotonic: 30,
    pending: 1,
  });
});

test("a cancelled timer does not call back", () => {
  const clock = manualClock();
  const calls: string[] = [];
  const cancel = clock.after(10, () => calls.push("cancelled"));

  cancel();
  clock.advance(10);

  expect([calls, clock.pending]).toEqual([[], 0]);
});

test("setting the system's clock moves now alone", () => {
  const clock = manualClock(1_000);
  const calls: string[] = [];
  clock.after(10, () => calls.push("due"));

  clock.jump(-500);

  expect([clock.now(), clock.monotonic(), calls]).toEqual([500, 0, []]);
});

test("a test can wait for the timer that it is about to let pass", async () => {
  const clock = manualClock();
  const calls: string[] = [];

  const waiting = Promise.all([clock.waitForTimer(), clock.waitForTimer()]);
  clock.after(10, () => calls.push("due"));
  await waiting;
  await clock.waitForTimer();
  clock.advance(10);

  expect(calls).toEqual(["due"]);
});
