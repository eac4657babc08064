import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import { addDryRunFlag, dryRun, type DryRunFlags } from "../dry-run.ts";
import { addHostFlags, addSpecFlags, poolSettingsOf, specOf, type HostFlags, type SpecFlags } from "../flags.ts";
import { attachedOptions, ownSlots } from "../hosting.ts";
import { runOne } from "../one-task.ts";
import { promptOf } from "../prompts.ts";
import { parseTaskSpec } from "../../schema/parse.ts";

type Flags = HostFlags & SpecFlags & DryRunFlags & { readonly onOutput?: boolean };

/** `run`: one task, its own slot, the answer on stdout. */
export function runCommand(call: Call): Command {
  const command = new Command("run")
    .summary("run one task and print its answer")
    .description("Runs one task on a slot of its own, waits for it and prints the answer.")
    .argument("[prompt...]", "what is to be done; without it, or with -, read from stdin")
    .option("--on-output", "print the answer's text as it comes");
  addHostFlags(addDryRunFlag(addSpecFlags(command))).addHelpText(
    "after",
    examples(
      'claude-pool run "Summarise src/"',
      'claude-pool run --permission-mode acceptEdits --max-budget-usd 0.50 "Fix the failing test"',
      "git diff | claude-pool run --json -",
    ),
  );
  return call.carryOut<Flags>(command, async (flags, [words]) => {
    const own = specOf(flags, call.io.cwd);
    const spec = parseTaskSpec({ ...own, prompt: await promptOf(call, words as readonly string[]) });
    const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, false));
    const options = attachedOptions(call, flags, chosen, ownSlots(chosen.slots, 1, 1));
    if (flags.dryRun === true) return dryRun(call, options, [spec], 1);
    return call.withPool(options, (pool) => runOne(call, pool, spec, flags.onOutput === true));
  });
}
