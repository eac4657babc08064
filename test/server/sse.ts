/** A client of one stream: reads messages as they come. */

export interface Message {
  readonly id?: number;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface SseClient {
  readonly status: number;
  readonly messages: readonly Message[];
  /** Resolves when this is true of what came so far, or when the stream ends. */
  readonly until: (isIt: (messages: readonly Message[]) => boolean) => Promise<void>;
  /** Resolves when the server ends the stream. */
  readonly ended: Promise<void>;
  readonly close: () => Promise<void>;
}

export async function sse(
  url: string,
  lastEventId?: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<SseClient> {
  const abort = new AbortController();
  const response = await fetch(url, {
    signal: abort.signal,
    headers: lastEventId === undefined ? headers : { ...headers, "last-event-id": String(lastEventId) },
  });
  const messages: Message[] = [];
  let heard: () => void = () => undefined;
  const reader = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
        rest = parts.pop() ?? "";
        for (const part of parts) {
          const message = messageOf(part);
          if (message !== undefined) messages.push(message);
        }
        heard();
      }
    } catch {
      // Cut off, by this side or by the other: what came whole before it counts.
    }
  };
  let isOver = false;
  const ended = reader().then(() => {
    isOver = true;
    heard();
  });
  return {
    status: response.status,
    messages,
    ended,
    async until(isIt) {
      while (!isIt(messages) && !isOver) {
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
    },
    async close() {
      abort.abort();
      await ended;
    },
  };
}

function messageOf(part: string): Message | undefined {
  const fields = new Map(
    part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
  const [event, data, id] = [fields.get("event"), fields.get("data"), fields.get("id")];
  if (event === undefined || data === undefined) return undefined;
  const parsed = JSON.parse(data) as Readonly<Record<string, unknown>>;
  return { event, data: parsed, ...(id === undefined ? {} : { id: Number(id) }) };
}
