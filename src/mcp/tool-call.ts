/** One call of a tool: the pool, and what the client wants to hear and may stop. */
import type { Pool } from "../pool.ts";

export interface ToolCall {
  readonly pool: Pool;
  /** Fires when the client cancels the call, or is gone. */
  readonly signal: AbortSignal;
  /** Is it the client's wish that what this call began is stopped? Not so where only the connection is gone. */
  readonly isCancelled: () => boolean;
  /** After so many milliseconds a call that waits for work answers with its ids. */
  readonly answerWithinMs: number;
  /** Keeps a text that the client is given and that is nowhere else any more, for as long as the server runs. */
  readonly keep: (id: string, text: string) => void;
  /** Tells the client how far it is; absent where the client did not ask. */
  readonly report?: (progress: Progress) => void;
}

export interface Progress {
  /** Rises with every report. */
  readonly progress: number;
  readonly total: number;
  readonly message: string;
}
