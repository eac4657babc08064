/** How long a gentle stop waits. */
import type { Clock } from "../core/ports.ts";

/** Resolves when all has ended, the grace is over, or the signal cuts it short. */
export async function endedOrGrace(
  clock: Clock,
  ended: Promise<void>,
  graceMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let cancel: () => void = () => undefined;
  const grace = new Promise<void>((resolve) => {
    const cancelTimer = clock.after(graceMs, resolve);
    const onAbort = (): void => resolve();
    signal?.addEventListener("abort", onAbort, { once: true });
    cancel = () => {
      cancelTimer();
      signal?.removeEventListener("abort", onAbort);
    };
  });
  await Promise.race([grace, ended]);
  cancel();
}
