/** A runner that costs nothing: no process, no text on the way, the same result at once. */
import type { Runner, SlotProcess } from "../../src/index.ts";

/** Every turn completes with this output before the next turn of the event loop. */
export function instantRunner(output: string): Runner {
  return {
    open: () => Promise.resolve(instantProcess(output)),
    endOrphan: () => Promise.resolve(),
    remains: () => Promise.resolve({}),
    close: () => Promise.resolve(),
  };
}

function instantProcess(output: string): SlotProcess {
  const gone = Promise.withResolvers<void>();
  return {
    identity: { pid: process.pid, startTime: "0", marker: "instant" },
    cliVersion: "0",
    gone: gone.promise,
    turn: () =>
      Promise.resolve({
        kind: "completed",
        result: { output, success: true, costMicrodollars: 10, turnsUsed: 1, elapsedMs: 0 },
      }),
    clear: () => Promise.resolve(true),
    memoryBytes: () => Promise.resolve(undefined),
    close: () => {
      gone.resolve();
      return Promise.resolve();
    },
  };
}
