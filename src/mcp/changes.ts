/** What of the resources changed, from the event log: this process's events and all others'. */
import type { PoolEvent } from "../core/events.ts";
import type { Pool } from "../pool.ts";

/** What changed in a short while. */
export interface Changed {
  readonly uris: ReadonlySet<string>;
  /** The list of resources itself. */
  readonly resources: boolean;
  /** The list of prompts. */
  readonly prompts: boolean;
}

export interface ChangeFeed {
  /** Calls back with what changed until the function returned is called; the log is followed only while somebody listens. */
  readonly listen: (listener: (changed: Changed) => void) => () => void;
  readonly close: () => void;
}

/** Text comes in hundreds of pieces a second; whoever is told reads the resource anew each time. */
const gatheredMs = 100;

export function changeFeed(pool: Pool): ChangeFeed {
  const listeners = new Set<(changed: Changed) => void>();
  let following: AbortController | undefined;
  const tell = (changed: Changed): void => {
    for (const listener of listeners) listener(changed);
  };
  const stop = (): void => {
    following?.abort();
    following = undefined;
  };
  return {
    listen(listener) {
      listeners.add(listener);
      if (following === undefined) {
        following = new AbortController();
        void follow(pool, following.signal, tell);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    close: stop,
  };
}

async function follow(pool: Pool, signal: AbortSignal, tell: (changed: Changed) => void): Promise<void> {
  const gathered = new Gathered(tell);
  try {
    for await (const event of pool.events({ signal })) gathered.add(event);
  } catch {
    // A log that cannot be read is told by every call; those who wait for changes then hear of none.
  } finally {
    gathered.stop();
  }
}

class Gathered {
  readonly #tell: (changed: Changed) => void;
  #uris = new Set<string>();
  #resources = false;
  #prompts = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (changed: Changed) => void) {
    this.#tell = tell;
  }

  add(event: PoolEvent): void {
    for (const uri of urisOf(event)) this.#uris.add(uri);
    this.#resources ||= event.type === "slot.started" || event.type === "slot.stopped";
    this.#prompts ||= event.type === "skill.changed";
    this.#timer ??= setTimeout(() => this.#flush(), gatheredMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    const changed = { uris: this.#uris, resources: this.#resources, prompts: this.#prompts };
    this.#uris = new Set();
    this.#resources = this.#prompts = false;
    this.#timer = undefined;
    this.#tell(changed);
  }
}

/** The resources that show something else after this event. */
function urisOf({ type, taskId, slotId, data }: PoolEvent): readonly string[] {
  const uris = ["pool://events"];
  const add = (...more: readonly string[]): void => void uris.push(...more);
  if (taskId !== undefined) {
    add(`pool://tasks/${taskId}`);
    if (type !== "task.output" && type !== "task.tool")
      add(`pool://results/${taskId}`, "pool://tasks", "pool://status");
    if (taskId.startsWith("chain-")) add(`pool://chains/${taskId}`);
  }
  if (taskId !== undefined && (type === "task.finished" || type === "merge.ended"))
    add(`pool://diffs/${taskId}`, `pool://patches/${taskId}`);
  if (type.startsWith("merge.")) add("pool://merges", `pool://merges/${(data as { mergeId: string }).mergeId}`);
  if (type === "task.workspace" || type === "task.finished" || type.startsWith("merge.")) add("pool://worktrees");
  if (slotId !== undefined) add("pool://slots", `pool://slots/${slotId}`, "pool://status");
  if (type.startsWith("budget.") || type === "task.finished") add("pool://budget", "pool://status");
  if (type.startsWith("host.") || type.startsWith("pool.") || type === "governor.changed") add("pool://status");
  if (type === "context.changed")
    add("pool://context", `pool://context/${encodeURIComponent((data as { key: string }).key)}`);
  if (type.startsWith("permission.") || type.startsWith("question.")) {
    const { requestId } = data as { readonly requestId?: string };
    add("pool://requests", "pool://status", ...(requestId === undefined ? [] : [`pool://requests/${requestId}`]));
  }
  if (type === "skill.changed") add("pool://skills", `pool://skills/${(data as { skill: string }).skill}`);
  return uris;
}
