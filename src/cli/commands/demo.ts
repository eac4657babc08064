import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";

type Flags = CommonFlags & { readonly keep?: boolean };

/** `demo`: the pool at work, without a login. */
export function demoCommand(call: Call): Command {
  const command = new Command("demo")
    .summary("see the pool at work, without a login")
    .description(
      "Runs eight tasks over four slots: the real Claude CLI, on a scripted model of this machine, in a temporary git repository.\n" +
        "No login, no network, no cost. One task is cancelled, one fails, one passes its cap.",
    )
    .option("--keep", "keep the temporary folder")
    .addHelpText("after", examples("claude-pool demo"));
  return call.carryOut<Flags>(command, async (flags) => {
    const { performDemo } = await import("../demo/perform.ts"); // with the scripted model, which no other command needs
    return performDemo(call, flags.keep === true);
  });
}
