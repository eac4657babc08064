/** Time that stands still until a test moves it. */
import type { Clock } from "../core/ports.ts";

export interface ManualClock extends Clock {
  /** Timers that have not called back. */
  readonly pending: number;
  /** Lets so many milliseconds pass: every timer that is due calls back, at its own time, in order. */
  advance(ms: number): void;
  /** Moves `now` alone, as when somebody sets the system's clock; timers and `monotonic` do not notice. */
  jump(ms: number): void;
  /** Resolves when at least one timer is waiting. */
  waitForTimer(): Promise<void>;
}

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A clock that only moves when told; `startMs` is in milliseconds since the epoch, default 1 January 2026.
 *
 * @example
 * const clock = manualClock();
 * clock.after(1_000, renew);
 * clock.advance(1_000); // renew has been called
 */
export function manualClock(startMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  const timers = new Set<Timer>();
  const waiters: (() => void)[] = [];
  let elapsedMs = 0;
  let epochMs = startMs;
  return {
    get pending() {
      return timers.size;
    },
    now: () => epochMs + elapsedMs,
    monotonic: () => elapsedMs,
    after: (ms, callback) => {
      const timer = { dueMs: elapsedMs + Math.max(0, ms), callback };
      timers.add(timer);
      for (const resolve of waiters.splice(0)) resolve();
      return () => {
        timers.delete(timer);
      };
    },
    advance: (ms) => {
      const endMs = elapsedMs + ms;
      for (let timer = earliest(timers, endMs); timer !== undefined; timer = earliest(timers, endMs)) {
        timers.delete(timer);
        elapsedMs = timer.dueMs;
        timer.callback();
      }
      elapsedMs = endMs;
    },
    jump: (ms) => {
      epochMs += ms;
    },
    waitForTimer: () => {
      if (timers.size > 0) return Promise.resolve();
      return new Promise((resolve) => waiters.push(resolve));
    },
  };
}

/** The first timer due by then; of two at one time the one that was set first. */
function earliest(timers: ReadonlySet<Timer>, endMs: number): Timer | undefined {
  let first: Timer | undefined;
  for (const timer of timers)
    if (timer.dueMs <= endMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer;
  return first;
}
