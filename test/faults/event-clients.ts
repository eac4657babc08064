/** Clients of the pool's stream of events, many in one process: each comes back by itself, and knows whether it missed any. */
import { Agent, get, type IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const backAfterMs = 100;

export class EventClient {
  /** The last event it was told of; undefined before the first. */
  last: number | undefined;
  told = 0;
  /** Ids that came where another should have: a gap, or one told twice. */
  readonly wrong: { readonly after: number; readonly came: number }[] = [];
  readonly #url: string;
  readonly #agent: Agent;
  readonly #onEvent: ((atMs: number) => void) | undefined;
  #isClosed = false;
  #answer: IncomingMessage | undefined;

  constructor(url: string, after: number | undefined, agent: Agent, onEvent?: (atMs: number) => void) {
    this.#url = `${url}/v1/pool/events`;
    this.last = after;
    this.#agent = agent;
    this.#onEvent = onEvent;
  }

  /** Follows until it is closed. `connected` is called at each answer. */
  async follow(connected: () => void): Promise<void> {
    for (;;) {
      await this.#once(connected).catch(() => undefined); // refused or cut off: it comes back
      if (this.#isClosed) return;
      await pause(backAfterMs);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#answer?.destroy();
  }

  #once(connected: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = this.last === undefined ? {} : { "last-event-id": String(this.last) };
      const request = get(this.#url, { agent: this.#agent, headers }, (answer) => {
        if (answer.statusCode !== 200) {
          answer.resume();
          reject(new Error(`answered ${String(answer.statusCode)}`));
          return;
        }
        this.#answer = answer;
        connected();
        let rest = "";
        answer.setEncoding("utf8").on("data", (text: string) => {
          rest = this.#read(rest + text);
        });
        answer.on("close", resolve).on("error", reject);
      });
      request.on("error", reject);
    });
  }

  /** Takes whole messages; gives back what is none yet. */
  #read(text: string): string {
    const parts = text.split("\n\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) {
      const id = /^id: (\d+)$/m.exec(part)?.[1];
      if (id === undefined) continue;
      const came = Number(id);
      if (this.last !== undefined && came !== this.last + 1) this.wrong.push({ after: this.last, came });
      this.last = came;
      this.told += 1;
      this.#onEvent?.(Number(/"at_ms":(\d+)/.exec(part)?.[1]));
    }
    return rest;
  }
}

export function manySockets(): Agent {
  return new Agent({ keepAlive: true, maxSockets: Infinity });
}
