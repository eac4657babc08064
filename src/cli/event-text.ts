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
    case "task.progress":
      return oneLine(
        `${event.data.percent === undefined ? "" : `${String(event.data.percent)}% `}${event.data.text}`,
        300,
      );
    case "message.sent":
      return `${event.data.from} to ${event.data.to}`;
    case "message.read":
      return `${String(event.data.messageIds.length)} of ${event.data.to}`;
    case "message.dropped":
      return `${String(event.data.count)} of ${event.data.to}`;
    case "budget.exhausted":
      return `${usd(event.data.spentMicrodollars)} of ${usd(event.data.capMicrodollars)}`;
    default:
      return workDetail(event);
  }
}

/** Of directories, checks and merges. */
function workDetail(event: PoolEvent): string {
  switch (event.type) {
    case "task.preparing":
      return `a ${event.data.isolation}${event.data.setup === undefined ? "" : `, ${oneLine(event.data.setup, 60)}`}`;
    case "task.checking":
      return event.data.checks.map((name) => oneLine(name, 60)).join(", ");
    case "task.workspace":
      return `${event.data.branch} in ${event.data.path}`;
    case "task.checked":
      return event.data.checks
        .map(({ name, passed }) => `${oneLine(name, 60)} ${passed ? "passed" : "failed"}`)
        .join(", ");
    case "task.checks_failed":
      return `for the ${String(event.data.failures)}. time`;
    case "merge.queued":
    case "merge.started":
    case "merge.undone":
      return `${event.data.mergeId} into ${event.data.target}`;
    case "merge.ended": {
      const { mergeId, target, state, conflicts = [], error } = event.data;
      return oneLine([mergeId, "into", target, state, conflicts.join(", "), error ?? ""].join(" "), 300);
    }
    default:
      return askingDetail(event);
  }
}

/** Of what running tasks ask, and of the rules that answer. */
function askingDetail(event: PoolEvent): string {
  switch (event.type) {
    case "permission.requested":
      return oneLine(`${event.data.requestId} ${event.data.tool} ${event.data.summary ?? ""}`, 200);
    case "permission.answered": {
      const { requestId = "", tool, decision = "closed", by } = event.data;
      return oneLine(`${requestId} ${tool} ${decision} by ${by}`, 200);
    }
    case "permission.rule_added":
    case "permission.rule_revoked":
      return oneLine(`${event.data.ruleId} ${event.data.decision} ${event.data.rule}`, 300);
    case "question.asked":
      return oneLine(`${event.data.requestId} ${event.data.question}`, 300);
    case "question.answered":
      return `${event.data.requestId} by ${event.data.by}`;
    default:
      return "";
  }
}
