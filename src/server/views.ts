/**
 * What the streams of a task, a chain and the pool tell: every event of theirs, under the original's name where it has one,
 * else under its own.
 *
 * Every `data` is the event as the log has it, with the original's fields beside it.
 */
import type { StepRecord } from "../core/chain.ts";
import type { PoolEvent } from "../core/events.ts";
import { isTerminal } from "../core/task.ts";
import { message, type HubEvent } from "./event-hub.ts";
import type { View } from "./stream.ts";

/** `state`, `complete`, `error`, `cancelled`, and the log's other events of the task; over when the task is. */
export function taskView(taskId: string): View {
  let isOver = false;
  return {
    taskId,
    get isOver() {
      return isOver;
    },
    text({ event, wire, text }) {
      if (event.taskId !== taskId) return undefined;
      isOver = isEnd(event);
      const told = taskNews(event);
      if (told === undefined) return text;
      return message(told.name, { ...wire, state: told.state }, event.seq);
    },
  };
}

/** The same of a chain, with its steps: `step_start`, `step_output`, `step_complete`, `chain_complete`, `chain_failed`, `chain_cancelled`. */
export function chainView(chainId: string, steps: readonly Pick<StepRecord, "name" | "taskId" | "state">[]): View {
  let isOver = false;
  const failed = steps.findIndex(({ state }) => state === "failed");
  let failedStep = failed === -1 ? undefined : failed;
  const places = new Map(steps.map(({ name }, index) => [name, index]));
  const names = new Map(steps.flatMap(({ name, taskId }) => (taskId === undefined ? [] : [[taskId, name] as const])));

  function ofChain({ event, wire, text }: HubEvent): string {
    switch (event.type) {
      case "chain.step_started": {
        const { step: name, stepTaskId } = event.data;
        names.set(stepTaskId, name);
        return message("step_start", { ...wire, step: places.get(name), name }, event.seq);
      }
      case "chain.step_finished": {
        const { step: name, state, costMicrodollars } = event.data;
        const [step, success] = [places.get(name), state === "completed"];
        if (state === "failed") failedStep ??= step;
        return message(
          "step_complete",
          { ...wire, step, name, state, success, cost_microdollars: costMicrodollars },
          event.seq,
        );
      }
      case "task.finished": {
        isOver = isEnd(event);
        const { state, costMicrodollars } = event.data;
        const told = {
          ...wire,
          chain_id: chainId,
          total_steps: places.size,
          total_cost_microdollars: costMicrodollars,
        };
        if (state === "completed") return message("chain_complete", { ...told, success: true }, event.seq);
        if (state === "cancelled") return message("chain_cancelled", told, event.seq);
        return message(
          "chain_failed",
          { ...told, ...(failedStep === undefined ? {} : { failed_at_step: failedStep }) },
          event.seq,
        );
      }
      default:
        return text;
    }
  }
  return {
    taskId: chainId,
    withSteps: true,
    get isOver() {
      return isOver;
    },
    text(told) {
      const { event, wire, text } = told;
      if (event.taskId === chainId) return ofChain(told);
      const name = event.taskId === undefined ? undefined : names.get(event.taskId);
      if (name === undefined) return undefined;
      if (event.type !== "task.output") return text;
      return message("step_output", { ...wire, step: places.get(name), name, chunk: event.data.text }, event.seq);
    },
  };
}

/** Everything. */
export function poolView(): View {
  return {
    isOver: false,
    text: ({ event, wire, text }) => (event.type === "pool.draining" ? message("shutdown", wire, event.seq) : text),
  };
}

/** What ends a task or chain for good. */
export function isEnd(event: PoolEvent): boolean {
  return event.type === "task.finished" && isTerminal(event.data.state);
}

function taskNews(event: PoolEvent): { readonly name: string; readonly state: string } | undefined {
  switch (event.type) {
    case "task.submitted":
    case "task.requeued":
    case "task.retried":
      return { name: "state", state: "pending" };
    case "task.started":
      return { name: "state", state: "running" };
    case "task.finished": {
      const { state } = event.data;
      return { name: endNames[state] ?? "state", state };
    }
    default:
      return undefined;
  }
}

const endNames: Readonly<Record<string, string>> = { completed: "complete", failed: "error", cancelled: "cancelled" };
