import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import type { OpenPoolOptions } from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import { invalidOptions } from "../../core/errors.ts";
import { parseChain, type WrittenChain } from "../../schema/chain.ts";
import { runAttachedChain } from "../attached-chain.ts";
import { examples, type Call } from "../call.ts";
import { chainHead, chainLines, chainRow } from "../chain-text.ts";
import {
  addHostFlags,
  addTaskFlags,
  poolSettingsOf,
  type CommonFlags,
  type HostFlags,
  type TaskFlags,
} from "../flags.ts";
import { attachedOptions, hasServingHost, ownSlots } from "../hosting.ts";
import { figure, wholeNumber } from "../quantities.ts";
import { taskLine } from "../task-text.ts";
import { table } from "../terminal/table.ts";
import type { Pool } from "../../pool.ts";

interface ChainFlags extends CommonFlags {
  readonly name?: string;
  readonly tag?: readonly string[];
  readonly priority?: number | string;
  readonly maxBudgetUsd?: number | string;
  readonly key?: string;
}

/** `chain`: steps that build on each other. */
export function chainCommand(call: Call): Command {
  return new Command("chain")
    .summary("run, look at, cancel and resume chains of steps")
    .description("Chains: steps that are tasks of their own, the answer of one in the prompt of another.")
    .addCommand(runCommand(call))
    .addCommand(submitCommand(call))
    .addCommand(progressCommand(call))
    .addCommand(listCommand(call))
    .addCommand(cancelCommand(call))
    .addCommand(resumeCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool chain run --permission-mode acceptEdits release.yaml",
        "claude-pool chain progress $(claude-pool chain submit release.yaml)",
        "claude-pool chain resume chain-3f9c --from build",
      ),
    );
}

function runCommand(call: Call): Command {
  const command = addChainFlags(
    new Command("run")
      .summary("run a chain and print its last answer")
      .description(
        "Runs the chain of a YAML or JSON file on slots of its own, waits for it and prints its last answer. Ctrl-C cancels it; `chain resume` goes on.",
      )
      .argument("<file>", "the chain, or - for YAML on stdin"),
  );
  addHostFlags(addTaskFlags(command)).addHelpText("after", examples("claude-pool chain run --json release.yaml"));
  return call.carryOut<ChainFlags & HostFlags & TaskFlags>(command, async (flags, [file]) => {
    const chain = await chainOf(call, file as string, flags);
    const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, true));
    const widest = chain.steps.some((step) => step.needs !== undefined) ? 4 : 1;
    const slots = ownSlots(chosen.slots, widest, chain.steps.length);
    const options = attachedOptions(call, flags, chosen, slots);
    return call.withPool(options, (pool) => runAttachedChain(call, pool, chain));
  });
}

function submitCommand(call: Call): Command {
  const command = addChainFlags(
    new Command("submit")
      .summary("put a chain in the queue and return at once")
      .description("Puts the chain of a YAML or JSON file in the queue and prints its id. It survives a crash.")
      .argument("<file>", "the chain, or - for YAML on stdin"),
  ).addHelpText("after", examples("claude-pool wait $(claude-pool chain submit release.yaml)"));
  return call.carryOut<ChainFlags>(command, async (flags, [file]) => {
    const { steps, ...options } = await chainOf(call, file as string, flags);
    await call.withPool(bare(call, flags), async (pool) => {
      const { id } = await pool.submitChain(steps, options);
      await tellId(call, pool, id, flags);
    });
  });
}

function progressCommand(call: Call): Command {
  const command = new Command("progress")
    .description("Show every step of a chain with its state, cost and time, and what the running one says.")
    .argument("<id>", "id of the chain, or a unique beginning of it")
    .addHelpText("after", examples("claude-pool chain progress --json chain-3f9c | jq .current_step_name"));
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const progress = await pool.chainProgress(id as string);
      if (call.json) return call.out.record(progress);
      for (const line of chainLines(progress, call.out.colour, call.out.columns)) await call.out.line(line);
    }),
  );
}

function listCommand(call: Call): Command {
  const command = new Command("list")
    .description("List chains, newest first.")
    .option("--limit <n>", "at most so many", wholeNumber("--limit", 1), 50);
  return call.carryOut<CommonFlags & { readonly limit: number }>(command, (flags) =>
    call.look(flags, async (pool) => {
      const chains = await pool.listChains({ limit: flags.limit });
      if (call.json) {
        for (const chain of chains) await call.out.record(chain);
        return;
      }
      const rows = chains.map((chain) => chainRow(chain, call.out.colour));
      if (rows.length === 0) call.out.say("No chains.");
      const lines = rows.length === 0 ? [] : table([chainHead, ...rows], { right: [2, 3], width: call.out.columns });
      for (const line of lines) await call.out.line(line);
    }),
  );
}

function cancelCommand(call: Call): Command {
  const command = new Command("cancel")
    .description("Cancel chains. When it returns, no process of any of their steps is alive.")
    .argument("<ids...>", "ids of chains, or unique beginnings of them");
  return call.carryOut<CommonFlags>(command, (flags, [ids]) =>
    call.look(flags, async (pool) => {
      const chains = await Promise.all((ids as readonly string[]).map((id) => pool.chainProgress(id)));
      for (const cancelled of await Promise.all(chains.map(({ taskId }) => pool.cancelChain(taskId)))) {
        await (call.json ? call.out.record(cancelled) : call.out.line(taskLine(cancelled, call.out.colour)));
      }
    }),
  );
}

function resumeCommand(call: Call): Command {
  const command = new Command("resume")
    .description(
      "Submit a chain that failed or was cancelled anew, without the steps that are completed, and print the new id.",
    )
    .argument("<id>", "id of the chain, or a unique beginning of it")
    .option("--from <step>", "begin at this step: it and all that follows of it run again")
    .addHelpText(
      "after",
      examples("claude-pool chain resume chain-3f9c", "claude-pool chain resume chain-3f9c --from build"),
    );
  return call.carryOut<CommonFlags & { readonly from?: string }>(command, (flags, [id]) =>
    call.withPool(bare(call, flags), async (pool) => {
      const task = await pool.resumeChain(id as string, flags.from === undefined ? {} : { from: flags.from });
      await tellId(call, pool, task.id, flags);
    }),
  );
}

function addChainFlags(command: Command): Command {
  return command
    .optionsGroup("The chain:")
    .option("--name <name>", "what it is called in lists")
    .option(
      "--tag <tag>",
      "a word to find its steps by; may be given again",
      (tag, before: readonly string[] | undefined) => [...(before ?? []), tag],
    )
    .option("--priority <n>", "a whole number, higher first (default: 0)", figure)
    .option("--max-budget-usd <usd>", "the most that all its runs together may cost", figure)
    .option("--key <key>", "idempotency key: the same key and chain give the first id");
}

/** What the file says, and the flags over it. */
async function chainOf(call: Call, file: string, flags: ChainFlags): Promise<WrittenChain> {
  const { parseChainFile } = await import("../../schema/chain-file.ts"); // with the YAML library, which nothing else here needs
  const written = parseChainFile(await textOf(call, file), file === "-" ? "stdin" : file);
  const { name, tag: tags, priority, maxBudgetUsd, key } = flags;
  return parseChain({ ...written, ...defined<object>({ name, tags, priority, maxBudgetUsd, key }) }, "flag");
}

async function textOf(call: Call, file: string): Promise<string> {
  if (file === "-") {
    const { text } = await import("node:stream/consumers");
    return text(call.io.stdin);
  }
  try {
    return readFileSync(resolve(call.io.cwd, file), "utf8");
  } catch (error) {
    throw invalidOptions(`file: cannot read ${JSON.stringify(file)}: ${(error as Error).message}.`, "file");
  }
}

/** A pool without slots: it only submits. */
function bare(call: Call, flags: CommonFlags): OpenPoolOptions {
  return call.bare(flags, call.settings(flags).chosen);
}

async function tellId(call: Call, pool: Pool, id: string, flags: CommonFlags): Promise<void> {
  await (call.json ? call.out.record({ taskId: id }) : call.out.line(id));
  if (await hasServingHost(pool)) return;
  call.out.say(
    `No process is hosting slots for this pool, so ${id} waits. Start one: claude-pool serve --cwd ${JSON.stringify(call.directory(flags))}`,
  );
}
