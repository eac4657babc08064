/** Tells whoever waits what the whole queue waits for: hours may pass until a usage limit lifts. */
import { heldBackReasons, type HeldBack } from "../core/governor.ts";
import type { EventData } from "../core/events.ts";
import type { Pool } from "../pool.ts";
import { heldBackText } from "./quantities.ts";

/** Does `body`, and notes meanwhile whatever lets nothing of the pool begin, once for each time and reason. */
export async function tellingHeldBack<T>(pool: Pool, note: (line: string) => void, body: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const following = follow(pool, note, over.signal);
  following.catch(() => undefined); // it is thrown below, where it is waited for
  try {
    return await body();
  } finally {
    over.abort();
    await following;
  }
}

async function follow(pool: Pool, note: (line: string) => void, over: AbortSignal): Promise<void> {
  let told = "";
  const tell = (data: EventData["governor.changed"]): void => {
    const line = lineOf(data);
    if (line !== "" && line !== told) note(line);
    told = line;
  };
  const { heldBack } = await pool.status();
  if (heldBack !== undefined) tell(heldBack);
  for await (const event of pool.events({ signal: over })) if (event.type === "governor.changed") tell(event.data);
}

/** Nothing where some of it still goes on. */
function lineOf({ reason: given, untilMs, ceiling }: EventData["governor.changed"]): string {
  const reason = heldBackReasons.find((one) => one === given);
  if (ceiling !== undefined || (reason !== "limit" && reason !== "memory")) return "";
  const held: HeldBack = untilMs === undefined ? { reason } : { reason, untilMs };
  return `Held back by ${heldBackText(held)}.`;
}
