import { Command } from "commander";
import type { PoolStatus } from "../../core/task.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { counted, heldBackText, usd } from "../quantities.ts";
import { table } from "../terminal/table.ts";

/** `status`: counts and money. */
export function statusCommand(call: Call): Command {
  const command = new Command("status")
    .summary("show counts and money of the pool")
    .description("Shows how many slots and tasks the pool has, and what it has spent.")
    .addHelpText("after", examples("claude-pool status", "claude-pool status --json | jq .pending_tasks"));
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const status = await pool.status();
      if (call.json) return call.out.record(status);
      const merges = await pool.merges.list({ state: ["queued", "merging"], limit: 1_000 });
      const queue =
        merges.length === 0 ? [] : [["merges", `${String(merges.length)} in the queue: claude-pool merge list`]];
      for (const line of table([...rows(status, pool.store), ...queue])) await call.out.line(line);
    }),
  );
}

function rows(status: PoolStatus, store: string): readonly (readonly string[])[] {
  const cap =
    status.budgetMicrodollars === undefined
      ? "no cap"
      : `${usd(status.budgetSpentMicrodollars)} of ${usd(status.budgetMicrodollars)}, ${usd(status.reservedMicrodollars)} reserved`;
  return [
    ["pool", store + (status.shutdown ? " (drained: it takes no work until it is opened anew)" : "")],
    [
      "slots",
      `${String(status.totalSlots)} on ${counted(status.hosts, "host")}: ${String(status.idleSlots)} idle, ${String(status.busySlots)} busy${status.erroredSlots === 0 ? "" : `, ${String(status.erroredSlots)} errored`}`,
    ],
    [
      "queue",
      `${String(status.pendingTasks)} pending (${String(status.heldTasks)} held), ${String(status.runningTasks)} running, ${String(status.pendingReviewTasks)} in review`,
    ],
    [
      "ended",
      `${String(status.completedTasks)} completed, ${String(status.failedTasks)} failed, ${String(status.cancelledTasks)} cancelled`,
    ],
    ...(status.heldBack === undefined ? [] : [["held back", heldBackText(status.heldBack)]]),
    ...(status.openRequests === 0
      ? []
      : [["waiting", `${counted(status.openRequests, "request")} for an answer (claude-pool requests)`]]),
    ["spent", usd(status.totalSpendMicrodollars)],
    ["budget", cap],
  ];
}
