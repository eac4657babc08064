import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { counted, duration } from "../quantities.ts";

/** `prune`: takes old records away. */
export function pruneCommand(call: Call): Command {
  const command = new Command("prune")
    .summary("remove old tasks that have ended")
    .description(
      "Removes tasks that ended longer ago than this, with their runs and events. What was spent stays counted.",
    )
    .requiredOption("--older-than <duration>", "such as 30d", duration("--older-than", Infinity))
    .addHelpText("after", examples("claude-pool prune --older-than 30d"));
  return call.carryOut<CommonFlags & { readonly olderThan: number }>(command, (flags) =>
    call.look(flags, async (pool) => {
      const removed = await pool.prune({ olderThanMs: flags.olderThan });
      if (call.json) await call.out.record(removed);
      else await call.out.line(`removed ${counted(removed.tasks, "task")} and ${counted(removed.events, "event")}`);
    }),
  );
}
