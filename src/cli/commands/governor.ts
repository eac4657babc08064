import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { heldBackText, moment } from "../quantities.ts";

/** `governor`: what holds the whole queue back. */
export function governorCommand(call: Call): Command {
  return new Command("governor")
    .summary("show what holds the whole queue back, and lift it")
    .description("The account's usage limit, an overloaded API and want of memory: what is known, and a way past it.")
    .addCommand(showCommand(call), { isDefault: true })
    .addCommand(releaseCommand(call))
    .addHelpText("after", examples("claude-pool governor", "claude-pool governor release"));
}

function showCommand(call: Call): Command {
  const command = new Command("show").description("Show what is known.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const state = await pool.governor.show();
      const { heldBack } = await pool.status();
      if (call.json) {
        await call.out.record({ ...state, ...(heldBack === undefined ? {} : { heldBack }) });
        return;
      }
      await call.out.line(heldBack === undefined ? "Nothing holds the queue back." : heldBackText(heldBack));
      if (state.utilization === undefined) return;
      const resets = state.windowResetsAtMs === undefined ? "" : `, which resets at ${moment(state.windowResetsAtMs)}`;
      await call.out.line(`${String(Math.round(state.utilization * 100))} % of the usage window is used${resets}`);
    }),
  );
}

function releaseCommand(call: Call): Command {
  const command = new Command("release").description(
    "Let the queue go on now; a limit that still stands holds it back again at the first answer.",
  );
  return call.carryOut<CommonFlags>(command, (flags) => call.look(flags, (pool) => pool.governor.release()));
}
