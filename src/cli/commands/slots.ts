import { Command } from "commander";
import type { SlotRecord, SlotState } from "../../core/task.ts";
import { examples, type Call } from "../call.ts";
import { addTaskFlags, slotConfigOf, type CommonFlags, type TaskFlags } from "../flags.ts";
import { counted, usd, wholeNumber } from "../quantities.ts";
import { table } from "../terminal/table.ts";
import { slotStates } from "../../core/task.ts";
import { invalidOptions } from "../../core/errors.ts";

type FindFlags = CommonFlags & { readonly name?: string; readonly role?: string; readonly state?: string };

/** `slots`: who works, and how many. */
export function slotsCommand(call: Call): Command {
  const scale = new Command("scale").description("Change how many slots the pool has.");
  scale.addCommand(scaleCommand(call, "up", "add so many", (pool, n) => pool.scaleUp(n)));
  scale.addCommand(
    scaleCommand(call, "down", "take so many away; a busy one finishes first", (pool, n) => pool.scaleDown(n)),
  );
  scale.addCommand(scaleCommand(call, "to", "have exactly so many", (pool, n) => pool.setTargetSlots(n)));
  return new Command("slots")
    .summary("list, configure and scale the slots")
    .description("The slots of every host of the pool.")
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(configureCommand(call))
    .addCommand(restartCommand(call))
    .addCommand(claimCommand(call))
    .addCommand(scale)
    .addHelpText(
      "after",
      examples(
        "claude-pool slots",
        "claude-pool slots configure slot-2 --model opus",
        "claude-pool slots scale to 8",
        "claude-pool slots restart slot-2",
      ),
    );
}

function listCommand(call: Call): Command {
  const command = new Command("list")
    .description("List the slots.")
    .option("--name <name>", "only this name")
    .option("--role <role>", "only this role")
    .option("--state <state>", `only this state: ${slotStates.join(", ")}`);
  return call.carryOut<FindFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const slots = await pool.findSlots({
        ...(flags.name === undefined ? {} : { name: flags.name }),
        ...(flags.role === undefined ? {} : { role: flags.role }),
        ...(flags.state === undefined ? {} : { state: stateOf(flags.state) }),
      });
      await show(call, slots);
    }),
  );
}

function configureCommand(call: Call): Command {
  const command = new Command("configure")
    .description("Change a slot's settings, from its next task on.")
    .argument("<id>", "id of the slot")
    .option("--name <name>", "who it is")
    .option("--role <role>", "what it is for")
    .option("--pull", "take only what is claimed for it")
    .option("--no-pull", "take work by itself again");
  addTaskFlags(command);
  return call.carryOut<TaskFlags & FindFlags & { readonly pull?: boolean }>(command, (flags, [id]) => {
    const pull = flags.pull === undefined ? {} : { pull: flags.pull };
    const config = { ...slotConfigOf(flags, call.io.cwd), ...pull };
    if (Object.keys(config).length === 0)
      throw invalidOptions("Nothing to change: give a setting, such as --model opus.");
    return call.look(flags, async (pool) => show(call, [await pool.configureSlot(id as string, config)]));
  });
}

function restartCommand(call: Call): Command {
  const command = new Command("restart")
    .description("Let an errored slot take work again.")
    .argument("<id>", "id of the slot");
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => show(call, [await pool.restartSlot(id as string)])),
  );
}

function claimCommand(call: Call): Command {
  const command = new Command("claim")
    .description("Make a slot that was configured with --pull take the next pending task, and print the task's id.")
    .argument("<id>", "id of the slot");
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const taskId = await pool.claim(id as string);
      if (call.json) await call.out.record({ slotId: id, ...(taskId === undefined ? {} : { taskId }) });
      else if (taskId !== undefined) await call.out.line(taskId);
      if (taskId === undefined) call.out.say("Nothing waits that this slot could take.");
    }),
  );
}

function scaleCommand(
  call: Call,
  name: string,
  what: string,
  scale: (pool: Parameters<Parameters<Call["look"]>[1]>[0], count: number) => Promise<number>,
): Command {
  const command = new Command(name)
    .description(`${what.charAt(0).toUpperCase()}${what.slice(1)}.`)
    .argument("<n>", what);
  return call.carryOut<CommonFlags>(command, (flags, [text]) => {
    const count = wholeNumber("n", 0)(text as string);
    return call.look(flags, async (pool) => {
      const targetSlots = await scale(pool, count);
      await (call.json ? call.out.record({ targetSlots }) : call.out.line(counted(targetSlots, "slot")));
    });
  });
}

function stateOf(text: string): SlotState {
  const state = slotStates.find((known) => known === text);
  if (state !== undefined) return state;
  throw invalidOptions(`--state: expected one of ${slotStates.join(", ")}, got ${JSON.stringify(text)}.`, "--state");
}

async function show(call: Call, slots: readonly SlotRecord[]): Promise<void> {
  if (call.json) {
    for (const slot of slots) await call.out.record(slot);
    return;
  }
  if (slots.length === 0) {
    call.out.say("No slots: nobody is hosting any. Start some with `claude-pool serve`.");
    return;
  }
  const rows = slots.map((slot) => [
    slot.id,
    slot.state,
    slot.config.name ?? "-",
    slot.config.model ?? "-",
    String(slot.tasksCompleted),
    usd(slot.costMicrodollars),
    slot.currentTask ?? slot.error ?? "",
  ]);
  const head = ["ID", "STATE", "NAME", "MODEL", "TASKS", "COST", "NOW"];
  for (const line of table([head, ...rows], { right: [4, 5], width: call.out.columns })) await call.out.line(line);
}
