import { Command } from "commander";
import type { WorkOptions } from "../../core/route.ts";
import { examples, type Call } from "../call.ts";
import { addHostFlags, addTaskFlags, poolSettingsOf, specOf, type TaskFlags } from "../flags.ts";
import { tellingHeldBack } from "../held-back.ts";
import { attachedOptions, ownSlots } from "../hosting.ts";
import { interrupted } from "../interrupted.ts";
import { promptOf } from "../prompts.ts";
import { usd } from "../quantities.ts";
import { addRouteFlags, routeOptionsOf, sayRoute, type RouteFlags } from "../routing.ts";

type Flags = RouteFlags & TaskFlags;

/** `auto`: divides a task as it should be, runs that and prints the answers. */
export function autoCommand(call: Call): Command {
  const command = new Command("auto")
    .summary("divide a task as it should be, and run that")
    .description(
      "Asks a cheap model how a task is divided, then runs it as one task, several at once or a chain on slots of its own\n" +
        "(--slots, default 4), waits for all of it and prints the answer.",
    )
    .argument("[prompt...]", "the task; without it, or with -, read from stdin");
  addHostFlags(addTaskFlags(addRouteFlags(command))).addHelpText(
    "after",
    examples(
      'claude-pool auto --permission-mode acceptEdits "Fix the lint errors in web/, api/ and jobs/"',
      'claude-pool auto --max-parallel 2 --budget-usd 5 "Review every package for unused exports"',
    ),
  );
  return call.carryOut<Flags>(command, async (flags, [words]) => {
    const prompt = await promptOf(call, words as readonly string[]);
    const routing = routeOptionsOf(flags);
    const task: WorkOptions = specOf(flags, call.io.cwd);
    const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, false));
    const options = attachedOptions(call, flags, chosen, ownSlots(chosen.slots, 4, Infinity));
    const { signal, end } = interrupted(call, () => call.out.say("Cancelling."));
    try {
      return await call.withPool(options, async (pool) => {
        const onRoute = sayRoute.bind(undefined, call);
        const result = await tellingHeldBack(pool, call.out.say.bind(call.out), () =>
          pool.auto(prompt, { ...routing, task, signal, onRoute }),
        );
        if (call.json) await call.out.record(result);
        else if (result.output !== "") await call.out.line(result.output);
        call.out.say(
          `${result.success ? "Done" : "Not all of it was done"}: ${result.taskIds.join(" ")}, ${usd(result.costMicrodollars)}.`,
        );
        return result.success ? 0 : 1;
      });
    } finally {
      end();
    }
  });
}
