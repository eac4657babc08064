/** The table of docs/commands.md: every command of the program, as the program itself knows it. */
import type { Command } from "commander";
import { Call } from "../src/cli/call.ts";
import { program } from "../src/cli/program.ts";
import { processIo } from "../src/cli/terminal/io.ts";

/** Every command in one line. */
export function commandTable(): string {
  const rows = leaves(commands()).map(
    ({ path, command }) => `| \`${path}\` | ${command.summary() || command.description()} |`,
  );
  return ["| command | what it does |", "|---|---|", ...rows].join("\n");
}

function commands(): readonly Command[] {
  return program(new Call(processIo())).commands;
}

interface Leaf {
  readonly path: string;
  readonly command: Command;
}

/** A command with commands of its own is a group: only those are listed. */
function leaves(list: readonly Command[], above = ""): readonly Leaf[] {
  return list.flatMap((command) => {
    const path = `${above}${command.name()}`;
    return command.commands.length === 0 ? [{ path, command }] : leaves(command.commands, `${path} `);
  });
}
