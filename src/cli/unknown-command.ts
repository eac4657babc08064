/** A word after a command that none of its commands is called: it is named, with the nearest and with all that there are. */
import type { Command } from "commander";
import { nearest } from "../schema/nearest.ts";

/**
 * Makes a command that has commands refuse such a word. Commander does where none of them is the default; else it hands the word to the
 * default one, which takes none and would complain of too many.
 */
export function refuseUnknown(command: Command): void {
  const known = command.commands.map((one) => one.name());
  command.showHelpAfterError(`\`${pathOf(command)}\` has ${known.join(", ")}.`);
  command.hook("preSubcommand", (_, chosen) => {
    const [word = ""] = command.args;
    // A flag is the default command's own to judge; so is what it takes as an argument.
    if (known.includes(word) || word === "" || word.startsWith("-") || chosen.registeredArguments.length > 0) return;
    const meant = nearest(word, known);
    const hint = meant === undefined ? "" : `\n(Did you mean ${meant}?)`;
    command.error(`error: unknown command '${word}'${hint}`, { code: "commander.unknownCommand" });
  });
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
