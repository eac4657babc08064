/** Ctrl-C as a signal, for commands whose work can be ended by one. */
import type { Call } from "./call.ts";

/** Heeds Ctrl-C until `end`. */
export interface Interrupted {
  readonly signal: AbortSignal;
  readonly end: () => void;
}

/** Aborted by the first Ctrl-C; `heard` is called at every one. */
export function interrupted(call: Call, heard?: () => void): Interrupted {
  const controller = new AbortController();
  const end = call.io.onInterrupt(() => {
    heard?.();
    controller.abort();
  });
  return { signal: controller.signal, end };
}

/** The same for what prints as it comes: it ends too when nobody reads any more. */
export function interruptedOrUnread(call: Call): Interrupted {
  const { signal, end } = interrupted(call);
  return { signal: AbortSignal.any([signal, call.out.closed]), end };
}
