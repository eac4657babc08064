import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { invalidOptions } from "../../core/errors.ts";
import type { Skill } from "../../core/skill.ts";
import { examples, type Call } from "../call.ts";
import { addHostFlags, addSpecFlags, poolSettingsOf, specOf, type CommonFlags } from "../flags.ts";
import type { HostFlags, SpecFlags } from "../flags.ts";
import { addNamedArguments, argumentsOf, argumentText } from "../named-arguments.ts";
import { attachedOptions, ownSlots } from "../hosting.ts";
import { runOne } from "../one-task.ts";
import { oneLine, table } from "../terminal/table.ts";

type RunFlags = HostFlags & SpecFlags & { readonly arg?: readonly string[]; readonly onOutput?: boolean };
type WriteFlags = CommonFlags & { readonly to?: string; readonly force?: boolean };

/** `skill`: prompts with arguments. */
export function skillCommand(call: Call): Command {
  return new Command("skill")
    .summary("run, list and write skills: prompts with arguments")
    .description(
      "Prompts with arguments, each a SKILL.md: added at run time, in .claude-pool/skills and .claude/skills of the project, in the\n" +
        "same folders of yours, and built in; the first that has a name wins.",
    )
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(showCommand(call))
    .addCommand(runCommand(call))
    .addCommand(addCommand(call))
    .addCommand(removeCommand(call))
    .addCommand(saveCommand(call))
    .addCommand(ejectCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool skill list",
        "claude-pool skill run code_review src/main.ts",
        "claude-pool skill run refactor --arg target=src/main.ts --arg goal='shorter functions' --permission-mode acceptEdits",
        "claude-pool skill eject code_review",
      ),
    );
}

function listCommand(call: Call): Command {
  const command = new Command("list").description("List the skills, and where each was found.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const skills = await pool.skills.list();
      if (call.json) {
        for (const skill of skills) await call.out.record(skill);
        return;
      }
      const rows = skills.map((skill) => [
        skill.name,
        skill.source,
        argumentText(skill.arguments ?? []),
        oneLine(skill.error === undefined ? (skill.description ?? "") : `broken: ${skill.error}`, 200),
      ]);
      const head = ["NAME", "FROM", "ARGUMENTS", "WHAT IT DOES"];
      for (const line of table([head, ...rows], { width: call.out.columns })) await call.out.line(line);
    }),
  );
}

function showCommand(call: Call): Command {
  const command = new Command("show").description("Print a skill's prompt and what it takes.").argument("<name>");
  return call.carryOut<CommonFlags>(command, (flags, [name]) =>
    call.look(flags, async (pool) => {
      const skill = await pool.skills.get(name as string);
      if (call.json) return call.out.record(skill);
      for (const line of heading(skill)) call.out.say(line);
      await call.out.line(skill.prompt);
    }),
  );
}

function runCommand(call: Call): Command {
  const command = addNamedArguments(new Command("run"))
    .summary("run a skill as a task and print its answer")
    .description("Runs a skill as a task on a slot of its own; the skill's settings apply under those given here.")
    .option("--on-output", "print the answer's text as it comes");
  addHostFlags(addSpecFlags(command)).addHelpText(
    "after",
    examples(
      "claude-pool skill run code_review src/main.ts",
      "claude-pool skill run refactor --arg target=src/main.ts --arg goal='shorter functions' --permission-mode acceptEdits",
    ),
  );
  return call.carryOut<RunFlags>(command, (flags, [name, words]) => {
    const values = argumentsOf(words as readonly string[], flags.arg);
    const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, false));
    const options = attachedOptions(call, flags, chosen, ownSlots(chosen.slots, 1, 1));
    return call.withPool(options, async (pool) => {
      const spec = await pool.skills.spec(name as string, values, specOf(flags, call.io.cwd));
      return runOne(call, pool, spec, flags.onOutput === true);
    });
  });
}

function addCommand(call: Call): Command {
  const command = new Command("add")
    .description("Add a skill to this pool, for all its processes: a SKILL.md, a folder with one, or - for stdin.")
    .argument("<file>")
    .addHelpText("after", examples("claude-pool skill add drafts/greet", "claude-pool skill add - < SKILL.md"));
  return call.carryOut<CommonFlags>(command, async (flags, [file]) => {
    const text = file === "-" ? await readAll(call.io.stdin) : readSkill(resolve(call.io.cwd, file as string));
    await call.look(flags, async (pool) => {
      const skill = await pool.skills.add(text);
      await (call.json ? call.out.record(skill) : call.out.line(skill.name));
    });
  });
}

function removeCommand(call: Call): Command {
  const command = new Command("remove").description("Remove a skill that was added to this pool.").argument("<name>");
  return call.carryOut<CommonFlags>(command, (flags, [name]) =>
    call.look(flags, async (pool) => {
      if (await pool.skills.remove(name as string)) return 0;
      call.out.say(
        `No skill ${JSON.stringify(name)} was added to this pool. Skills in files are removed by removing the file.`,
      );
      return 4;
    }),
  );
}

function saveCommand(call: Call): Command {
  const command = writing(new Command("save"))
    .description("Write a skill that was added to this pool into a folder, where it then lives.")
    .option("--force", "replace the SKILL.md that is there")
    .addHelpText("after", examples("claude-pool skill save greet", "claude-pool skill save greet --to user --force"));
  return call.carryOut<WriteFlags>(command, (flags, [name]) =>
    call.look(flags, async (pool) => {
      await written(call, await pool.skills.save(name as string, { to: target(flags), replace: flags.force === true }));
    }),
  );
}

function ejectCommand(call: Call): Command {
  const command = writing(new Command("eject"))
    .description("Copy a skill, such as a built-in one, into a folder, to be changed there.")
    .addHelpText(
      "after",
      examples("claude-pool skill eject code_review", "claude-pool skill eject implement --to user"),
    );
  return call.carryOut<WriteFlags>(command, (flags, [name]) =>
    call.look(flags, async (pool) => {
      await written(call, await pool.skills.eject(name as string, { to: target(flags) }));
    }),
  );
}

function writing(command: Command): Command {
  return command
    .argument("<name>")
    .option("--to <place>", "project (.claude-pool/skills) or user (~/.claude-pool/skills)");
}

function target(flags: WriteFlags): "project" | "user" {
  const { to = "project" } = flags;
  if (to === "project" || to === "user") return to;
  throw invalidOptions(`--to: expected project or user, got ${JSON.stringify(to)}.`, "--to");
}

async function written(call: Call, file: string): Promise<void> {
  await (call.json ? call.out.record({ file }) : call.out.line(file));
}

function readSkill(path: string): string {
  try {
    return readFileSync(statSync(path).isDirectory() ? join(path, "SKILL.md") : path, "utf8");
  } catch (error) {
    throw invalidOptions(`Cannot read ${JSON.stringify(path)}: ${(error as Error).message}.`, "file");
  }
}

function heading(skill: Skill): readonly string[] {
  return [
    `${skill.name} (${skill.source}${skill.dir === undefined ? "" : `, ${skill.dir}`})`,
    oneLine(skill.description, 1_100),
    ...skill.arguments.map((argument) =>
      `  ${argument.name}${argument.required ? "" : "?"}  ${oneLine(argument.description ?? "", 200)}`.trimEnd(),
    ),
    ...(skill.config === undefined ? [] : [`Settings: ${oneLine(JSON.stringify(skill.config), 500)}`]),
    "",
  ];
}
