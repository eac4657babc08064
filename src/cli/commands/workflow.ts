import { Command } from "commander";
import { runAttachedChain } from "../attached-chain.ts";
import { examples, type Call } from "../call.ts";
import { collected } from "../collected.ts";
import { addHostFlags, addTaskFlags, poolSettingsOf } from "../flags.ts";
import type { CommonFlags, HostFlags, TaskFlags } from "../flags.ts";
import { attachedOptions, hasServingHost, ownSlots } from "../hosting.ts";
import { addNamedArguments, argumentsOf, argumentText } from "../named-arguments.ts";
import { oneLine, table } from "../terminal/table.ts";

type ArgumentFlags = CommonFlags & {
  readonly arg?: readonly string[];
  readonly tag?: readonly string[];
  readonly key?: string;
};

/** `workflow`: chains with arguments. */
export function workflowCommand(call: Call): Command {
  return new Command("workflow")
    .summary("run, submit and list workflows: chains with arguments")
    .description(
      "Chains with arguments, each a YAML or JSON file: in .claude-pool/workflows of the project, in the same folder of yours, and\n" +
        "built in; the first that has a name wins.",
    )
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(showCommand(call))
    .addCommand(runCommand(call))
    .addCommand(submitCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool workflow list",
        "claude-pool workflow run review_and_fix src/main.ts --permission-mode acceptEdits",
        "claude-pool workflow submit issue_to_pr --arg issue_url=https://github.com/o/r/issues/7",
      ),
    );
}

function listCommand(call: Call): Command {
  const command = new Command("list").description("List the workflows, and where each was found.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const workflows = await pool.workflows.list();
      if (call.json) {
        for (const workflow of workflows) await call.out.record(workflow);
        return;
      }
      const rows = workflows.map((workflow) => [
        workflow.name,
        workflow.source,
        argumentText(workflow.arguments ?? []),
        oneLine(workflow.error === undefined ? (workflow.description ?? "") : `broken: ${workflow.error}`, 200),
      ]);
      const head = ["NAME", "FROM", "ARGUMENTS", "WHAT IT DOES"];
      for (const line of table([head, ...rows], { width: call.out.columns })) await call.out.line(line);
    }),
  );
}

function showCommand(call: Call): Command {
  const command = new Command("show").description("Print a workflow's steps and what it takes.").argument("<name>");
  return call.carryOut<CommonFlags>(command, (flags, [name]) =>
    call.look(flags, async (pool) => {
      const workflow = await pool.workflows.get(name as string);
      if (call.json) return call.out.record(workflow);
      call.out.say(`${workflow.name} (${workflow.source}): ${oneLine(workflow.description, 1_100)}`);
      call.out.say(`Arguments: ${argumentText(workflow.arguments)}`);
      const rows = workflow.steps.map((step, index) => [
        String(index + 1),
        step.name,
        step.skill === undefined ? oneLine(step.prompt ?? "", 120) : `skill ${step.skill}`,
      ]);
      for (const line of table(rows, { right: [0], width: call.out.columns })) await call.out.line(line);
    }),
  );
}

function runCommand(call: Call): Command {
  const command = addArguments(new Command("run"))
    .summary("run a workflow and print its last answer")
    .description("Runs a workflow as a chain on slots of its own, waits for it and prints its last answer.");
  addHostFlags(addTaskFlags(command)).addHelpText(
    "after",
    examples(
      "claude-pool workflow run refactor_and_test src/main.ts 'shorter functions' --permission-mode acceptEdits",
    ),
  );
  return call.carryOut<ArgumentFlags & HostFlags & TaskFlags>(command, (flags, [name, words]) => {
    const values = argumentsOf(words as readonly string[], flags.arg);
    const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, true));
    const options = attachedOptions(call, flags, chosen, ownSlots(chosen.slots, 1, 4));
    return call.withPool(options, async (pool) => {
      const chain = await pool.workflows.chain(name as string, values);
      return runAttachedChain(call, pool, { steps: chain.steps, ...chain.options, ...chainFlags(flags) });
    });
  });
}

function submitCommand(call: Call): Command {
  const command = addArguments(new Command("submit"))
    .summary("put a workflow in the queue and return at once")
    .description("Puts a workflow in the queue as a chain and prints its id. It survives a crash.")
    .addHelpText("after", examples("claude-pool wait $(claude-pool workflow submit review_and_fix src/)"));
  return call.carryOut<ArgumentFlags>(command, (flags, [name, words]) =>
    call.look(flags, async (pool) => {
      const values = argumentsOf(words as readonly string[], flags.arg);
      const { id } = await pool.workflows.submit(name as string, values, chainFlags(flags));
      await (call.json ? call.out.record({ taskId: id }) : call.out.line(id));
      if (!(await hasServingHost(pool))) {
        call.out.say(`No process is hosting slots for this pool, so ${id} waits. Start one: claude-pool serve`);
      }
    }),
  );
}

function addArguments(command: Command): Command {
  return addNamedArguments(command)
    .option("--tag <tag>", "a word to find its steps by; may be given again", collected)
    .option("--key <key>", "idempotency key: the same key and chain give the first id");
}

function chainFlags(flags: ArgumentFlags): { readonly tags?: readonly string[]; readonly key?: string } {
  return {
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(flags.key === undefined ? {} : { key: flags.key }),
  };
}
