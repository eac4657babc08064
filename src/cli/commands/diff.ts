import { Command, Option } from "commander";
import type { DiffOptions } from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import { invalidOptions } from "../../core/errors.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { statLines } from "../work-text.ts";

interface Flags extends CommonFlags {
  readonly stat?: boolean;
  readonly nameOnly?: boolean;
  readonly patch?: boolean;
  readonly of?: string;
}

/** `task`: one task and what it did. */
export function taskCommand(call: Call): Command {
  return new Command("task")
    .summary("look at what one task changed")
    .description("One task and what it did.")
    .addCommand(diffCommand(call))
    .addHelpText("after", examples("claude-pool task diff task-3f9c", "claude-pool task diff --stat task-3f9c"));
}

/** `diff`: what a task changed. */
export function diffCommand(call: Call): Command {
  const command = new Command("diff")
    .summary("show what an isolated task changed")
    .description(
      "Shows what a task or chain changed in its worktree or clone, against where its work left its branch; of one that still " +
        "works, as it stands at this moment. Exit 4 if it has no work of its own.",
    )
    .argument("<id>", "id of the task, or a unique beginning of it")
    .option("--patch", "the whole patch, as `git apply` takes it (the default)")
    .option("--stat", "a line a file, and how much changed in all")
    .option("--name-only", "the paths alone")
    .addOption(
      new Option(
        "--of <what>",
        "what was saved of its work, or its directory as it stands (default: that while it runs)",
      ).choices(["saved", "directory"]),
    )
    .addHelpText(
      "after",
      examples(
        "claude-pool diff task-3f9c",
        "claude-pool diff --stat task-3f9c",
        "claude-pool diff task-3f9c | git apply",
        "claude-pool diff --json task-3f9c | jq -r .entries[].path",
      ),
    );
  return call.carryOut<Flags>(command, async (flags, [id]) => {
    const chosen = Object.keys(defined<object>({ stat: flags.stat, nameOnly: flags.nameOnly, patch: flags.patch }));
    if (chosen.length > 1) throw invalidOptions("--patch, --stat and --name-only are three ways: give one.", "--stat");
    await call.look(flags, async (pool) => {
      const diff = await pool.diff(id as string, defined<DiffOptions>({ of: flags.of as DiffOptions["of"] }));
      if (call.json) {
        const { patch, ...rest } = diff;
        return call.out.record(flags.patch === true || chosen.length === 0 ? { ...rest, patch } : rest);
      }
      if (flags.stat === true) for (const line of statLines(diff)) await call.out.line(line);
      else if (flags.nameOnly === true) for (const { path } of diff.entries) await call.out.line(path);
      else await call.out.write(diff.patch);
      if (diff.files === 0) call.out.say("It changed nothing.");
      if (diff.note !== undefined) call.out.say(diff.note);
    });
  });
}
