import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PoolError } from "../../src/core/errors.ts";
import { isTerminal, taskStates, terminalStates } from "../../src/core/task.ts";
import { nextState, taskEvents } from "../../src/core/transitions.ts";

describe("the state machine of a task", () => {
  test("allows exactly the transitions of the design", () => {
    const allowed = taskStates.flatMap((state) =>
      taskEvents.flatMap((event) => {
        try {
          return [`${state} --${event}--> ${nextState(state, event, "task-1")}`];
        } catch {
          return [];
        }
      }),
    );
    expect(allowed).toEqual([
      "pending --lease--> running",
      "pending --fail--> failed",
      "pending --cancel--> cancelled",
      "running --complete--> completed",
      "running --await_review--> pending_review",
      "running --fail--> failed",
      "running --cancel--> cancelled",
      "running --release--> pending",
      "pending_review --cancel--> cancelled",
      "pending_review --approve--> completed",
      "pending_review --reject--> pending",
      "pending_review --reject_for_good--> failed",
    ]);
  });

  test("refuses with a code, the task's id, its state and the event", () => {
    expect(() => nextState("completed", "cancel", "task-7")).toThrow(
      new PoolError("invalid_transition", "Cannot cancel task task-7: it is completed.", {
        taskId: "task-7",
        state: "completed",
        event: "cancel",
      }),
    );
  });

  test("never leaves a terminal state, whatever happens", () => {
    fc.assert(
      fc.property(fc.constantFrom(...terminalStates), fc.constantFrom(...taskEvents), (state, event) => {
        expect(() => nextState(state, event, "task-1")).toThrow(PoolError);
      }),
    );
  });

  test("reaches a terminal state from every other one", () => {
    const stuck = taskStates.filter((state) => !isTerminal(state) && !canEnd(state));
    expect(stuck).toEqual([]);
  });
});

function canEnd(state: (typeof taskStates)[number]): boolean {
  return isTerminal(nextState(state, "cancel", "task-1"));
}
