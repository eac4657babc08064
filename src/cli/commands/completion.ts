import { Command } from "commander";
import { invalidOptions } from "../../core/errors.ts";
import { nearest } from "../../schema/nearest.ts";
import { examples, type Call } from "../call.ts";
import { completionScript, shells, type CommandWords } from "../completion-scripts.ts";
import type { CommonFlags } from "../flags.ts";

/** `completion`: a script for the shell, made from the commands themselves. */
export function completionCommand(call: Call, root: () => Command): Command {
  const command = new Command("completion")
    .summary("print a completion script for your shell")
    .description("Prints a completion script for bash, zsh or fish.")
    .argument("<shell>", shells.join(", "))
    .addHelpText(
      "after",
      examples(
        "claude-pool completion bash > ~/.local/share/bash-completion/completions/claude-pool",
        "claude-pool completion zsh > ~/.zfunc/_claude-pool",
        "claude-pool completion fish > ~/.config/fish/completions/claude-pool.fish",
      ),
    );
  return call.carryOut<CommonFlags>(command, async (_flags, [name]) => {
    const shell = shells.find((known) => known === name);
    if (shell === undefined) {
      const meant = nearest(name as string, shells);
      const hint = meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`;
      throw invalidOptions(`shell: expected one of ${shells.join(", ")}, got ${JSON.stringify(name)}.${hint}`, "shell");
    }
    await call.out.write(completionScript(shell, words(root())));
  });
}

/** Every path of commands with what may follow it. */
function words(command: Command, path: readonly string[] = []): readonly CommandWords[] {
  const own = {
    path,
    commands: command.commands.map((inner) => ({
      name: inner.name(),
      summary: inner.summary() || inner.description(),
    })),
    flags: [...command.options.flatMap((option) => [option.short ?? [], option.long ?? []].flat()), "--help"],
  };
  return [own, ...command.commands.flatMap((inner) => words(inner, [...path, inner.name()]))];
}
