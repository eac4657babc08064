/** Tells whoever waits what is waited for: hours may pass until a usage limit lifts, and a request waits for them. */
import { heldBackReasons, type HeldBack } from "../core/governor.ts";
import type { EventData, PoolEvent } from "../core/events.ts";
import type { Pool } from "../pool.ts";
import { meanwhile } from "./meanwhile.ts";
import { heldBackText } from "./quantities.ts";
import { harmless } from "./terminal/harmless.ts";

/** Does `body`, and notes meanwhile whatever lets nothing of the pool begin, once for each time and reason, and who asks. */
export function tellingHeldBack<T>(pool: Pool, note: (line: string) => void, body: () => Promise<T>): Promise<T> {
  return meanwhile((over) => follow(pool, note, over), body);
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
  for await (const event of pool.events({ signal: over })) {
    if (event.type === "governor.changed") tell(event.data);
    if (event.type === "permission.requested" || event.type === "question.asked") note(askingLine(event));
  }
}

/** Who asks for what, and how to answer. */
function askingLine(event: Extract<PoolEvent, { type: "permission.requested" | "question.asked" }>): string {
  const { requestId } = event.data;
  const [what, how] =
    event.type === "question.asked"
      ? [`asks: ${event.data.question}`, `answer ${requestId} TEXT`]
      : [`asks to use ${event.data.tool} ${event.data.summary ?? ""}`, `allow ${requestId}`];
  const words = harmless(what).replaceAll("\n", " ");
  const short = words.length > 200 ? `${words.slice(0, 200)}…` : words;
  return `${event.taskId ?? ""} ${short.trim()}\n  claude-pool requests ${how}`;
}

/** Nothing where some of it still goes on. */
function lineOf({ reason: given, untilMs, ceiling }: EventData["governor.changed"]): string {
  const reason = heldBackReasons.find((one) => one === given);
  if (ceiling !== undefined || (reason !== "limit" && reason !== "memory")) return "";
  const held: HeldBack = untilMs === undefined ? { reason } : { reason, untilMs };
  return `Held back by ${heldBackText(held)}.`;
}
