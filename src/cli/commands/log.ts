import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import { listCommand } from "./log-list.ts";
import { doctorCommand, followCommand, purgeCommand, showCommand, whoCommand } from "./log-look.ts";
import { claimCommand, postCommand, releaseCommand } from "./log-write.ts";

/** `log`: the activity log that independent terminals share. */
export function logCommand(call: Call): Command {
  return new Command("log")
    .summary("see what other terminals do, and tell them what you do")
    .description(
      "The activity log that all Claude terminals of a project share: what is finished, held, stuck, found out.\n" +
        "It needs no pool and no daemon. Without a command it lists what is live.",
    )
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(postCommand(call))
    .addCommand(claimCommand(call))
    .addCommand(releaseCommand(call))
    .addCommand(showCommand(call))
    .addCommand(whoCommand(call))
    .addCommand(followCommand(call))
    .addCommand(doctorCommand(call))
    .addCommand(purgeCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool log",
        "claude-pool log --since 1d --action done",
        'claude-pool log post "Schema v3 is in" --affects src/schema/ --blocks "all API work"',
        'claude-pool log claim src/auth/ port:3000 --summary "Rewriting the login"',
      ),
    );
}
