import { Command } from "commander";
import { parseTaskSpec } from "../../schema/parse.ts";
import { examples, type Call } from "../call.ts";
import { addDryRunFlag, dryRun, type DryRunFlags } from "../dry-run.ts";
import { addSpecFlags, specOf, type SpecFlags } from "../flags.ts";
import { hasServingHost } from "../hosting.ts";
import { promptOf } from "../prompts.ts";

/** `submit`: into the queue and back at once. */
export function submitCommand(call: Call): Command {
  const command = new Command("submit")
    .summary("put a task in the queue and return at once")
    .description("Puts a task in the queue and prints its id. Once it has returned, the task survives a crash.")
    .argument("[prompt...]", "what is to be done; without it, or with -, read from stdin");
  addDryRunFlag(addSpecFlags(command)).addHelpText(
    "after",
    examples(
      'claude-pool submit --priority 5 --tag nightly "Update the changelog"',
      "claude-pool wait $(claude-pool submit - < task.md)",
    ),
  );
  return call.carryOut<SpecFlags & DryRunFlags>(command, async (flags, [words]) => {
    const own = specOf(flags, call.io.cwd);
    const spec = parseTaskSpec({ ...own, prompt: await promptOf(call, words as readonly string[]) });
    const { chosen } = call.settings(flags);
    const options = call.bare(flags, chosen);
    if (flags.dryRun === true) return dryRun(call, options, [spec], 1);
    await call.withPool(options, async (pool) => {
      const { id } = await pool.submit(spec);
      await (call.json ? call.out.record({ taskId: id }) : call.out.line(id));
      if (!(await hasServingHost(pool))) {
        call.out.say(
          `No process is hosting slots for this pool, so ${id} waits. Start one: claude-pool serve --cwd ${JSON.stringify(call.directory(flags))}`,
        );
      }
    });
  });
}
