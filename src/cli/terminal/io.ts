/** What a program has of the world around it; tests bring their own, so that `main` runs in their process. */
import type { Readable, Writable } from "node:stream";

/** Where text goes; `columns` and `isTTY` only on a terminal. */
export type Sink = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** An interrupt: `urgent` asks to stop at once, without a chance to finish. */
export type InterruptListener = (urgent: boolean) => void;

export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Calls back at every Ctrl-C (and at SIGTERM, SIGHUP) until the function returned is called. */
  onInterrupt(listener: InterruptListener): () => void;
}

/** The process's own. */
export function processIo(): Io {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    onInterrupt: onProcessSignals,
  };
}

function onProcessSignals(listener: InterruptListener): () => void {
  const gentle = (): void => listener(false);
  const urgent = (): void => listener(true);
  process.on("SIGINT", gentle).on("SIGTERM", gentle).on("SIGHUP", urgent);
  return () => {
    process.off("SIGINT", gentle).off("SIGTERM", gentle).off("SIGHUP", urgent);
  };
}
