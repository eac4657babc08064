/**
 * Waiting for work inside a call that may not take for ever.
 *
 * A1. The work is in the queue before anybody waits for it: a call that ends early, a client that is gone or a server that
 *     dies loses none of it.
 * A2. The client's cancellation cancels what the call began, and nothing else; a lost connection cancels nothing.
 * A3. Past the call's time the wait ends with what there is; the work goes on.
 * A4. It ends too when one of the tasks asks for something, or a step of a chain wants a review: whoever waits here may be
 *     the one who is to answer.
 */
import type { WaitAnswer } from "../core/api.ts";
import type { PoolEvent } from "../core/events.ts";
import type { ToolCall } from "./tool-call.ts";
import { undecided } from "./undecided.ts";

export interface Wait {
  readonly mode?: "all" | "any";
  /** No longer than the call's own time. */
  readonly timeoutMs?: number;
  /** Did this call begin the work? Then the client's cancellation cancels it. */
  readonly isOurs?: boolean;
}

/** @throws {PoolError} `task_not_found`; `aborted` once nothing of what was cancelled runs any more. */
export async function awaitTasks(call: ToolCall, ids: readonly string[], wait: Wait = {}): Promise<WaitAnswer> {
  const { pool, signal, answerWithinMs } = call;
  const over = new AbortController();
  const telling = tell(call, ids, over.signal);
  const asked = new AbortController();
  const watching = watchAsking(call, ids, { over: over.signal, asked });
  const mode = wait.mode ?? "all";
  try {
    return await pool.wait(ids, {
      mode,
      timeoutMs: Math.min(wait.timeoutMs ?? answerWithinMs, answerWithinMs),
      signal: AbortSignal.any([signal, asked.signal]),
    });
  } catch (error) {
    if (asked.signal.aborted && !signal.aborted) return await pool.wait(ids, { mode, timeoutMs: 0 }); // A4
    if (wait.isOurs === true && signal.aborted && call.isCancelled()) {
      await Promise.all(ids.map((id) => pool.cancel(id))); // A2
    }
    throw error;
  } finally {
    over.abort();
    await Promise.all([telling, watching]);
  }
}

/** Fires `asked` when one of the tasks, or a step of one, waits for an answer, or a step for its review. */
async function watchAsking(
  { pool }: ToolCall,
  ids: readonly string[],
  { over, asked }: { readonly over: AbortSignal; readonly asked: AbortController },
): Promise<void> {
  const look = async (): Promise<void> => {
    const { openRequests, pendingReviewTasks } = await pool.status();
    if (openRequests + pendingReviewTasks === 0) return;
    const { asking, reviews } = await undecided(pool, ids);
    if (asking.length + reviews.length > 0) asked.abort();
  };
  try {
    // From the cursor that is read first: what is asked between the two looks is seen by the second.
    const after = await pool.lastEventSeq();
    await look();
    for await (const { type, data } of pool.events({ after, signal: over })) {
      const wantsReview = type === "task.finished" && data.state === "pending_review";
      if (wantsReview || type === "permission.requested" || type === "question.asked") await look();
    }
  } catch {
    // What is wrong with the log or an id, the wait itself says.
  }
}

/** The least time between two reports, in milliseconds: a client shows one line. */
const quietMs = 200;
/** Also without any news: many clients give up when they hear nothing for a minute. */
const aliveMs = 15_000;
/** So much of the latest text is shown, in characters. */
const shownText = 300;

/** Reports, for clients that asked: how many are done, what runs, and the latest text. */
async function tell(call: ToolCall, ids: readonly string[], over: AbortSignal): Promise<void> {
  const { pool, report } = call;
  if (report === undefined) return;
  const tale = new Tale(ids);
  let lastMs = 0;
  let due: NodeJS.Timeout | undefined;
  const say = (): void => {
    clearTimeout(due);
    due = undefined;
    lastMs = Date.now();
    report(tale.next());
  };
  const saySoon = (): void => {
    due ??= setTimeout(say, Math.max(0, lastMs + quietMs - Date.now()));
  };
  const alive = setInterval(say, aliveMs);
  try {
    for await (const event of pool.events({ signal: over })) {
      const matters = tale.hear(event);
      if (matters === "now") say();
      else if (matters === "soon") saySoon();
    }
  } catch {
    // Reports are a courtesy: what is wrong with the log, the wait itself says.
  } finally {
    clearInterval(alive);
    clearTimeout(due);
  }
}

/** What has been heard of some tasks. */
class Tale {
  readonly #open: Set<string>;
  readonly #running = new Set<string>();
  /** Tasks of the chains' steps: their text is the chain's. */
  readonly #steps = new Set<string>();
  readonly #total: number;
  #text = "";
  #reports = 0;
  #lastDone = 0;

  constructor(ids: readonly string[]) {
    this.#open = new Set(ids);
    this.#total = ids.length;
  }

  hear(event: PoolEvent): "now" | "soon" | undefined {
    const { taskId = "" } = event;
    if (event.type === "chain.step_started" && this.#open.has(taskId)) {
      this.#steps.add(event.data.stepTaskId);
      this.#text = `step ${event.data.step}: `;
      return "now";
    }
    const isStep = this.#steps.has(taskId);
    if (!isStep && !this.#open.has(taskId)) return undefined;
    switch (event.type) {
      case "task.started":
        if (!isStep) this.#running.add(taskId);
        return "now";
      case "task.output":
        this.#text = `${this.#text}${event.data.text}`.slice(-shownText);
        return "soon";
      case "task.tool":
        this.#text = `${event.data.tool} ${event.data.summary ?? ""}`.trim().slice(0, shownText);
        return "soon";
      case "task.held":
        this.#text = `waits: ${event.data.reason}`;
        return "now";
      case "task.finished":
        this.#open.delete(taskId);
        this.#running.delete(taskId);
        return isStep ? undefined : "now";
      default:
        return undefined;
    }
  }

  /** Between two ends it comes nearer to the next whole number, so that it always rises. */
  next(): { readonly progress: number; readonly total: number; readonly message: string } {
    const done = this.#total - this.#open.size;
    this.#reports = done === this.#lastDone ? this.#reports + 1 : 0;
    this.#lastDone = done;
    const progress = done === this.#total ? done : done + this.#reports / (this.#reports + 1);
    const counts = `${String(done)} of ${String(this.#total)} done, ${String(this.#running.size)} running`;
    return { progress, total: this.#total, message: this.#text === "" ? counts : `${counts}: ${this.#text}` };
  }
}
