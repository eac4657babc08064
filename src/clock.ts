/** The system's own time. */
import type { Clock } from "./core/ports.ts";

/** The clock of every pool outside tests. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
