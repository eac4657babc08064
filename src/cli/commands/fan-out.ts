import { Command } from "commander";
import type { TaskRecord } from "../../core/task.ts";
import { attached } from "../attached.ts";
import { examples, type Call } from "../call.ts";
import { addDryRunFlag, dryRun, type DryRunFlags } from "../dry-run.ts";
import { addHostFlags, addSpecFlags, poolSettingsOf, specOf, type HostFlags, type SpecFlags } from "../flags.ts";
import { attachedOptions, ownSlots } from "../hosting.ts";
import { specsOf } from "../prompts.ts";
import { taskLine } from "../task-text.ts";

type Flags = HostFlags & SpecFlags & DryRunFlags & { readonly file?: string; readonly jsonl?: boolean };

/** `fan-out`: many tasks at once, the answers in the order of the prompts. */
export function fanOutCommand(call: Call): Command {
  const command = new Command("fan-out")
    .summary("run many tasks at once and print their answers in order")
    .description(
      "Runs one task for each prompt on slots of its own (--slots, default 4) and prints the answers in the order of the prompts.\n" +
        "A line of a file or of stdin is a prompt, or with .jsonl or --jsonl an object with a prompt and its own options.",
    )
    .argument("[prompts...]", "one task each; without any, or with -, one a line from stdin")
    .option("-f, --file <file>", "read the prompts from this file, one a line")
    .option("--jsonl", "every line is JSON: a string, or an object with a prompt and options");
  addHostFlags(addDryRunFlag(addSpecFlags(command))).addHelpText(
    "after",
    examples(
      'claude-pool fan-out --slots 2 "review a.ts" "review b.ts"',
      "claude-pool fan-out --file prompts.txt --json",
      "git ls-files 'src/*.ts' | sed 's/^/Review /' | claude-pool fan-out",
    ),
  );
  return call.carryOut<Flags>(command, async (flags, [words]) => {
    const common = specOf(flags, call.io.cwd);
    const inputs = await specsOf(call, words as readonly string[], flags);
    const specs = inputs.map((input) => ({ ...common, ...input }));
    const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, false));
    const slots = ownSlots(chosen.slots, 4, specs.length);
    const options = attachedOptions(call, flags, chosen, slots);
    if (flags.dryRun === true) return dryRun(call, options, specs, typeof slots === "number" ? slots : slots.length);
    return call.withPool(options, (pool) =>
      attached(call, pool, specs, { onEnd: (record, index) => show(call, record, index, specs.length) }),
    );
  });
}

async function show(call: Call, record: TaskRecord, index: number, total: number): Promise<void> {
  if (call.json) {
    await call.out.record(record);
    return;
  }
  const { colour } = call.out;
  await call.out.line(colour.bold(`── ${String(index + 1)}/${String(total)} `) + taskLine(record, colour));
  if (record.result !== undefined && record.result.output !== "") await call.out.line(`${record.result.output}\n`);
}
