/** Events as people read them. */
import type { PoolEvent } from "../core/events.ts";
import { clockTime, elapsed, usd } from "./quantities.ts";
import { stateText } from "./task-text.ts";
import type { Colours } from "./terminal/colour.ts";
import { oneLine } from "./terminal/table.ts";

/** One line: when, what, of which task and slot, and what is to be said about it. */
export function eventLine(event: PoolEvent, colour: Colours): string {
  const about = [event.taskId, event.slotId].filter((id) => id !== undefined);
  return [colour.dim(clockTime(event.atMs)), event.type, ...about, detail(event, colour)]
    .filter((part) => part !== "")
    .join(" ");
}

function detail(event: PoolEvent, colour: Colours): string {
  switch (event.type) {
    case "task.finished": {
      const { state, reason, costMicrodollars, elapsedMs } = event.data;
      return [
        stateText(state, colour),
        reason === state ? undefined : reason,
        usd(costMicrodollars),
        elapsed(elapsedMs),
      ]
        .filter((part) => part !== undefined)
        .join(" ");
    }
    case "task.output":
      return JSON.stringify(oneLine(event.data.text, 100));
    case "task.tool":
      return oneLine(`${event.data.tool} ${event.data.summary ?? ""}`, 100);
    case "task.held":
    case "task.unheld":
    case "task.requeued":
      return event.data.reason;
    case "task.retried":
      return oneLine(
        `${event.data.recovering ? "recovery" : `retry ${String(event.data.retry)}`}: ${event.data.error}`,
        300,
      );
    case "task.rejected":
      return oneLine(event.data.feedback, 300);
    case "chain.step_started":
      return `${event.data.step} ${event.data.stepTaskId}`;
    case "chain.step_finished":
      return `${event.data.step} ${event.data.state} ${usd(event.data.costMicrodollars)}`;
    case "governor.changed":
      return event.data.reason === undefined ? "free" : `held back: ${event.data.reason}`;
    case "slot.errored": {
      const { error, restartAtMs } = event.data;
      const next = restartAtMs === undefined ? "it stays errored" : `next try at ${clockTime(restartAtMs)}`;
      return `${oneLine(error, 300)} (${next})`;
    }
    case "slot.restarted":
      return `by ${event.data.by}, ${String(event.data.restartCount)} in all`;
    case "host.scaled":
      return `to ${String(event.data.targetSlots)} slots${event.data.auto === true ? " by itself" : ""}`;
    case "message.sent":
      return `${event.data.from} to ${event.data.to}`;
    case "message.read":
      return `${String(event.data.messageIds.length)} of ${event.data.to}`;
    case "message.dropped":
      return `${String(event.data.count)} of ${event.data.to}`;
    case "budget.exhausted":
      return `${usd(event.data.spentMicrodollars)} of ${usd(event.data.capMicrodollars)}`;
    default:
      return "";
  }
}
