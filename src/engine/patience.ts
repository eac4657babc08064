/** How long the end of a run waits for its directory while somebody else holds that. */
import type { EngineParts } from "./parts.ts";

export interface Patience {
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** It is needed no longer. */
  readonly end: () => void;
}

/** For ever, until the run is to end; then for one lease, since a process that hangs and does not die may hold it. */
export function patienceOf({ clock, config }: Pick<EngineParts, "clock" | "config">, run: AbortSignal): Patience {
  const patience = new AbortController();
  let cancelTimer: () => void = () => undefined;
  const begin = (): void => {
    cancelTimer = clock.after(config.leaseMs, () => {
      patience.abort("timeout");
    });
  };
  if (run.aborted) begin();
  else run.addEventListener("abort", begin, { once: true });
  return {
    signal: patience.signal,
    end() {
      run.removeEventListener("abort", begin);
      cancelTimer();
    },
  };
}
