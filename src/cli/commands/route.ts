import { Command } from "commander";
import type { RouteAnswer } from "../../core/route.ts";
import { examples, type Call } from "../call.ts";
import { addHostFlags, poolSettingsOf } from "../flags.ts";
import { tellingHeldBack } from "../held-back.ts";
import { attachedOptions, ownSlots } from "../hosting.ts";
import { interrupted } from "../interrupted.ts";
import { promptOf } from "../prompts.ts";
import { addRouteFlags, routeOptionsOf, sayRoute, type RouteFlags } from "../routing.ts";

/** `route`: how a task would be divided; nothing of it is done. */
export function routeCommand(call: Call): Command {
  const command = new Command("route")
    .summary("say how a task would be divided")
    .description(
      "Asks a cheap model whether a task is one piece of work, several independent ones, or a sequence, and prints the prompts.\n" +
        "Nothing of the task is done. A single task keeps its own words.",
    )
    .argument("[prompt...]", "the task; without it, or with -, read from stdin");
  addHostFlags(addRouteFlags(command)).addHelpText(
    "after",
    examples(
      'claude-pool route "Review auth.ts, db.ts and mail.ts for security problems"',
      'claude-pool route --json --max-parallel 3 "Translate the site into five languages"',
    ),
  );
  return call.carryOut<RouteFlags>(command, async (flags, [words]) => {
    const prompt = await promptOf(call, words as readonly string[]);
    const routing = routeOptionsOf(flags);
    const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, false));
    const options = attachedOptions(call, flags, chosen, ownSlots(chosen.slots, 1, 1));
    const { signal, end } = interrupted(call, () => call.out.say("Cancelling."));
    try {
      await call.withPool(options, async (pool) => {
        const route = (): Promise<RouteAnswer> => pool.route(prompt, { ...routing, signal });
        await show(call, await tellingHeldBack(pool, call.out.say.bind(call.out), route));
      });
    } finally {
      end();
    }
  });
}

async function show(call: Call, answer: RouteAnswer): Promise<void> {
  if (call.json) {
    await call.out.record(answer);
    return;
  }
  sayRoute(call, answer);
  const { colour } = call.out;
  switch (answer.route) {
    case "single":
      await call.out.line(answer.prompt);
      break;
    case "parallel":
      for (const [index, prompt] of answer.prompts.entries()) {
        await call.out.line(`${colour.bold(`${String(index + 1)}.`)} ${prompt}`);
      }
      break;
    case "chain":
      for (const [index, step] of answer.steps.entries()) {
        await call.out.line(`${colour.bold(`${String(index + 1)}. ${step.name}:`)} ${step.prompt}`);
      }
  }
}
