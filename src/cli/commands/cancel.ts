import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { taskLine } from "../task-text.ts";

/** `cancel`: and nothing of it is left alive. */
export function cancelCommand(call: Call): Command {
  const command = new Command("cancel")
    .summary("cancel tasks in any state")
    .description(
      "Cancels tasks. When it returns, no process of theirs is alive. One that has ended already stays as it is.",
    )
    .argument("<ids...>", "ids of tasks, or unique beginnings of them")
    .addHelpText("after", examples("claude-pool cancel task-3f9c"));
  return call.carryOut<CommonFlags>(command, (flags, [ids]) =>
    call.look(flags, async (pool) => {
      const records = await Promise.all((ids as readonly string[]).map((id) => pool.get(id)));
      for (const cancelled of await Promise.all(records.map(({ id }) => pool.cancel(id)))) {
        await (call.json ? call.out.record(cancelled) : call.out.line(taskLine(cancelled, call.out.colour)));
      }
    }),
  );
}
