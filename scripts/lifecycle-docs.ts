/** The transition table and the state diagram of docs/lifecycle.md, from the table in core/transitions.ts. */
import { type TaskEvent, transitions } from "../src/core/transitions.ts";
import { isTerminal, taskStates } from "../src/core/task.ts";

interface Cause {
  readonly who: string;
  readonly when: string;
  readonly event: string;
}

/** Who brings each transition about, when, and the event of the log that tells of it. */
const causes: Readonly<Record<string, Cause>> = {
  "pending lease": {
    who: "dispatcher",
    when: "a free slot and the task meet: money is reserved, a new `run_id` holds the task",
    event: "`task.started`",
  },
  "pending fail": {
    who: "dispatcher",
    when: "its queue deadline has passed, or an attached run's budget has no room for it",
    event: "`task.finished`",
  },
  "pending cancel": { who: "anyone", when: "at once; also by `drain`", event: "`task.finished`" },
  "running complete": { who: "its run", when: "it ended well and no review is asked for", event: "`task.finished`" },
  "running await_review": { who: "its run", when: "it ended well and a review is asked for", event: "`task.finished`" },
  "running fail": { who: "its run", when: "it failed or timed out", event: "`task.finished`" },
  "running cancel": {
    who: "anyone",
    when: "the request is written (`task.cancel_requested`), its host ends the run, and no process of it is alive",
    event: "`task.finished`",
  },
  "running release": {
    who: "its run, or another host's recovery",
    when: "the run met a usage limit, was lost with its process or host, or failed and is tried again",
    event: "`task.requeued`, or `task.retried`",
  },
  "pending_review approve": {
    who: "reviewer",
    when: "the result is accepted",
    event: "`task.approved`, `task.finished`",
  },
  "pending_review reject": {
    who: "reviewer",
    when: "the result is refused and may be tried again, with the feedback",
    event: "`task.rejected`",
  },
  "pending_review reject_for_good": {
    who: "reviewer",
    when: "the result is refused for the last time allowed",
    event: "`task.rejected`, `task.finished`",
  },
  "pending_review cancel": { who: "anyone", when: "at once", event: "`task.finished`" },
};

const edges = taskStates.flatMap((from) =>
  (Object.keys(transitions[from]) as TaskEvent[]).flatMap((event) => {
    const to = transitions[from][event];
    return to === undefined ? [] : [{ from, event, to }];
  }),
);

export function transitionTable(): string {
  const rows = edges.map(({ from, event, to }) => {
    const cause = causes[`${from} ${event}`];
    if (cause === undefined) throw new Error(`Nobody said who brings about "${event}" of a ${from} task, and when.`);
    return `| \`${from}\` | \`${event}\` | \`${to}\` | ${cause.who} | ${cause.when} | ${cause.event} |`;
  });
  return ["| from | transition | to | who | when | in the log |", "|---|---|---|---|---|---|", ...rows].join("\n");
}

export function lifecycleDiagram(): string {
  const lines = [
    "[*] --> pending: submit",
    ...edges.map(({ from, event, to }) => `${from} --> ${to}: ${event.replaceAll("_", " ")}`),
    ...taskStates.filter(isTerminal).map((state) => `${state} --> [*]`),
  ];
  return ["```mermaid", "stateDiagram-v2", ...lines.map((line) => `    ${line}`), "```"].join("\n");
}
