import { Command } from "commander";
import { isTerminal } from "../../core/task.ts";
import { examples, type Call } from "../call.ts";
import { exitOfTask } from "../exit.ts";
import type { CommonFlags } from "../flags.ts";
import { stateText, why } from "../task-text.ts";
import { workHint } from "../work-text.ts";

/** `result`: what became of a task. */
export function resultCommand(call: Call): Command {
  const command = new Command("result")
    .summary("print what became of a task")
    .description(
      "Prints a task's answer (with --json its whole record). Exit 1 if it failed, 3 for budget or limit, 4 if it has not ended.",
    )
    .argument("<id>", "id of the task, or a unique beginning of it")
    .addHelpText(
      "after",
      examples("claude-pool result task-3f9c", "claude-pool result --json task-3f9c | jq .result.cost_microdollars"),
    );
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const record = await pool.get(id as string);
      if (call.json) await call.out.record(record);
      else if (record.result !== undefined && record.result.output !== "") await call.out.line(record.result.output);
      if (record.state !== "completed") {
        const more = isTerminal(record.state) ? why(record) : `wait for it with: claude-pool wait ${record.id}`;
        call.out.say(
          `${record.id} is ${stateText(record.state, call.out.talkColour)}${more === "" ? "" : ` (${more})`}`,
        );
      }
      const { saved } = record.workspace ?? {};
      if (saved !== undefined && saved.files > 0) {
        call.out.say(`It changed ${workHint(record)}`);
      }
      return exitOfTask(record);
    }),
  );
}
