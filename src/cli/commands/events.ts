import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import { eventLine } from "../event-text.ts";
import type { CommonFlags } from "../flags.ts";
import { interruptedOrUnread } from "../interrupted.ts";
import { wholeNumber } from "../quantities.ts";

type Flags = CommonFlags & { readonly follow?: boolean; readonly after?: number; readonly task?: string };

/** `events`: the log, and what comes. */
export function eventsCommand(call: Call): Command {
  const command = new Command("events")
    .summary("print the event log, and follow it")
    .description("Prints what happened in the pool, this process's doing and all others'; with --json an event a line.")
    .option("-f, --follow", "go on with what comes, until Ctrl-C")
    .option(
      "--after <seq>",
      "only what comes after this one (default: from the first; with --follow: from now on)",
      wholeNumber("--after", 0),
    )
    .option("--task <id>", "only events of this task")
    .addHelpText("after", examples("claude-pool events --follow", "claude-pool events --json --task task-3f9c"));
  return call.carryOut<Flags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const { signal, end } = interruptedOrUnread(call);
      const follow = flags.follow === true;
      const taskId = flags.task === undefined ? undefined : (await pool.get(flags.task)).id;
      const options = {
        follow,
        signal,
        ...(taskId === undefined ? {} : { taskId }),
        ...(flags.after === undefined ? (follow ? {} : { after: 0 }) : { after: flags.after }),
      };
      try {
        for await (const event of pool.events(options)) {
          await (call.json ? call.out.record(event) : call.out.line(eventLine(event, call.out.colour)));
        }
      } finally {
        end();
      }
    }),
  );
}
