import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { counted, duration, usd } from "../quantities.ts";

type Flags = CommonFlags & { readonly grace?: number; readonly keepPending?: boolean };

/** `drain`: shuts the pool, whoever hosts it. */
export function drainCommand(call: Call): Command {
  const command = new Command("drain")
    .summary("shut the pool: no new work, and an end to what runs")
    .description(
      "Shuts the pool on every host: new work is refused, pending tasks are cancelled, running ones get the grace to end.\n" +
        "It holds until a host opens the pool anew (`serve`, `run`).",
    )
    .option("--grace <duration>", "how long running tasks may take (default: 30s)", duration("--grace"))
    .option("--keep-pending", "leave pending tasks for the next opening instead of cancelling them")
    .addHelpText("after", examples("claude-pool drain", "claude-pool drain --grace 10m --keep-pending"));
  return call.carryOut<Flags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const summary = await pool.drain({
        ...(flags.grace === undefined ? {} : { graceMs: flags.grace }),
        ...(flags.keepPending === undefined ? {} : { keepPending: flags.keepPending }),
      });
      if (call.json) return call.out.record(summary);
      const { totalTasksCompleted, totalCostMicrodollars, cancelledPending, cancelledRunning } = summary;
      await call.out.line(
        `drained: ${counted(totalTasksCompleted, "task")} completed, ${usd(totalCostMicrodollars)} spent in all`,
      );
      for (const id of cancelledPending) await call.out.line(`${id} cancelled before it began`);
      for (const id of cancelledRunning) await call.out.line(`${id} stopped at the end of the grace`);
    }),
  );
}
