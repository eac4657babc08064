/** The commands of `log` that look and clear away: `show`, `who`, `follow`, `doctor`, `purge`. */
import { Command } from "commander";
import { wireOf } from "../../activity/line.ts";
import { defined } from "../../core/config.ts";
import { invalidOptions } from "../../core/errors.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { openLog, span, warnOf, type LogFlags } from "../log-flags.ts";
import { entryText, presenceLines, presenceWire } from "../log-text.ts";
import { addChoiceFlags, follow, type ChoiceFlags } from "./log-list.ts";

type PurgeFlags = LogFlags & { readonly olderThan?: number; readonly everything?: boolean; readonly dryRun?: boolean };

export function showCommand(call: Call): Command {
  const command = new Command("show")
    .summary("print one entry with all that it says")
    .description("Prints one entry with all that it says.")
    .argument("<id>", "its id, or the beginning of it")
    .addHelpText("after", examples("claude-pool log show 019a2f"));
  return call.carryOut<CommonFlags>(command, async (flags, [id]) => {
    const entry = (await openLog(call, flags)).get(id as string);
    await call.out.line(call.json ? JSON.stringify(wireOf(entry)) : entryText(entry, call.out.colour, true));
  });
}

export function whoCommand(call: Call): Command {
  const command = new Command("who")
    .summary("list the terminals that take part")
    .description(
      "Lists the terminals that take part, the last seen first, with what they hold and what they wrote last.",
    )
    .option("--project <id>", "another project's")
    .option("--all-projects", "every project's")
    .addHelpText("after", examples("claude-pool log who", "claude-pool log who --json --all-projects"));
  return call.carryOut<LogFlags>(command, async (flags) => {
    const { project, allProjects } = flags;
    const log = await openLog(call, flags);
    const presences = log.who(defined({ project, allProjects }));
    if (call.json) {
      for (const presence of presences) await call.out.line(JSON.stringify(presenceWire(presence)));
      return;
    }
    if (presences.length === 0) call.out.say("Nobody: no terminal has written or been seen.");
    else for (const line of presenceLines(presences, Date.now() / 1000, call.out.columns)) await call.out.line(line);
  });
}

export function followCommand(call: Call): Command {
  const command = addChoiceFlags(new Command("follow"))
    .summary("print entries as they are written")
    .description("Prints entries as they are written, until Ctrl-C; also over a rotation of the file, like `tail -F`.")
    .addHelpText("after", examples("claude-pool log follow", "claude-pool log follow --json --action blocked"));
  return call.carryOut<ChoiceFlags>(command, async (flags) => {
    const log = await openLog(call, flags);
    warnOf(call, log);
    await follow(call, log, flags);
  });
}

export function doctorCommand(call: Call): Command {
  const command = new Command("doctor")
    .summary("say what is wrong with the log")
    .description("Says what is wrong with the log, and changes nothing; the exit code is 1 if it cannot be used.")
    .addHelpText("after", examples("claude-pool log doctor"));
  return call.carryOut<CommonFlags>(command, async (flags) => {
    const findings = (await openLog(call, flags)).doctor();
    const { colour } = call.out;
    const marks = { ok: colour.green("ok"), warning: colour.yellow("warning"), error: colour.red("error") };
    for (const finding of findings) {
      if (call.json) await call.out.record(finding);
      else await call.out.line(`${marks[finding.level]} ${finding.check}: ${finding.text}`);
    }
    return findings.some(({ level }) => level === "error") ? 1 : 0;
  });
}

export function purgeCommand(call: Call): Command {
  const command = new Command("purge")
    .summary("remove entries for good")
    .description(
      "Removes entries for good, from the log and its archives: this project's, unless another or all are named.",
    )
    .option("--older-than <time>", "those that are older, such as 7d", span("--older-than"))
    .option("--everything", "of any age")
    .option("--project <id>", "another project's")
    .option("--all-projects", "every project's, and lines that are no entries")
    .option("--dry-run", "only say what would go")
    .addHelpText(
      "after",
      examples("claude-pool log purge --older-than 7d", "claude-pool log purge --everything --dry-run"),
    );
  return call.carryOut<PurgeFlags>(command, async (flags) => {
    const { olderThan, everything, project, allProjects, dryRun } = flags;
    if ((olderThan === undefined) === (everything !== true)) {
      throw invalidOptions("purge: expected --older-than or --everything, and not both.", "--older-than");
    }
    const beforeMs = olderThan === undefined ? undefined : Date.now() - olderThan;
    const purged = await (await openLog(call, flags)).purge(defined({ beforeMs, project, allProjects, dryRun }));
    if (call.json) await call.out.record(purged);
    else
      await call.out.line(
        `${String(purged.removed)} ${dryRun === true ? "would be " : ""}removed, ${String(purged.kept)} kept`,
      );
  });
}
