/** `log list`: entries, chosen and shown. */
import { Command } from "commander";
import { defined } from "../../core/config.ts";
import { invalidOptions } from "../../core/errors.ts";
import type { ActivityLog } from "../../activity-log.ts";
import type { Entry } from "../../activity/entry.ts";
import { wireOf } from "../../activity/line.ts";
import type { LogListOptions } from "../../schema/activity.ts";
import { examples, type Call } from "../call.ts";
import { interruptedOrUnread } from "../interrupted.ts";
import { claimText, claimWire, countLines, entryText } from "../log-text.ts";
import { openLog, span, warnOf, type LogFlags } from "../log-flags.ts";
import { figure, wholeNumber } from "../quantities.ts";
import { colours, type Colours } from "../terminal/colour.ts";

/** What `list` and `follow` choose by. */
export interface ChoiceFlags extends LogFlags {
  readonly since?: number;
  readonly all?: boolean;
  readonly includeExpired?: boolean;
  readonly instance?: string;
  readonly action?: string;
  readonly topic?: string;
  readonly search?: string;
  readonly path?: string;
  readonly minRelevance?: number;
  readonly limit?: number;
  readonly verbose?: boolean;
  readonly color: boolean;
}

interface ListFlags extends ChoiceFlags {
  readonly summary?: boolean;
  readonly follow?: boolean;
  readonly claims?: boolean;
}

export function listCommand(call: Call): Command {
  const command = addChoiceFlags(new Command("list"))
    .summary("list entries, newest first (the default)")
    .description(
      "Lists entries, newest first: those that are live, unless --since, --all or --include-expired ask for more.",
    )
    .option(
      "--since <time>",
      "the last so long, such as 30m, 1h30m or 2d, expired entries too (default: 1h)",
      span("--since"),
    )
    .option("--all", "everything that the log and its archives hold")
    .option("--include-expired", "entries whose time is over too")
    .option("--limit <n>", "at most so many", wholeNumber("--limit", 1))
    .option("-s, --summary", "only how many there are, by instance and action")
    .option("-f, --follow", "go on with what comes, until Ctrl-C")
    .option("--claims", "the claims that stand, instead of entries")
    .addHelpText(
      "after",
      examples("claude-pool log list --since 4h --instance me", "claude-pool log list --json --all | jq -r .topic"),
    );
  return call.carryOut<ListFlags>(command, async (flags) => {
    const log = await openLog(call, flags);
    warnOf(call, log);
    const colour = colourOf(call, flags);
    if (flags.claims === true) {
      await showClaims(call, log, flags);
      return;
    }
    const { entries, skipped } = log.list(choiceOf(flags));
    await showList(call, entries, flags, colour);
    const bad = skipped.notEntry + skipped.notJson + skipped.oversized;
    if (bad > 0) call.out.say(`${String(bad)} lines could not be read: \`claude-pool log doctor\` says more.`);
    if (flags.follow === true) await follow(call, log, flags);
  });
}

export function addChoiceFlags(command: Command): Command {
  return command
    .option("--instance <label>", "only this terminal's; me: this one's")
    .option("--action <action>", "only these: completed, blocked, claimed, released, resolved, signaling, health")
    .option("--topic <text>", "only with this in the topic, the summary or what is affected")
    .option("--search <words>", "only where all these words occur somewhere")
    .option("--path <path>", "only what touches this path, glob or resource")
    .option("--min-relevance <n>", "only what concerns this terminal so much, from 0 to 1", figure)
    .option("--project <id>", "another project's")
    .option("--all-projects", "every project's")
    .option("-v, --verbose", "ids, relevance and the rest too")
    .option("--no-color", "no colours");
}

/** The flags as the library's options; a bad one is named as the user wrote it. */
function choiceOf(flags: ChoiceFlags): LogListOptions {
  const { since, minRelevance } = flags;
  if (minRelevance !== undefined && !(minRelevance >= 0 && minRelevance <= 1)) {
    throw invalidOptions(
      `--min-relevance: expected a number from 0 to 1, got ${JSON.stringify(minRelevance)}.`,
      "--min-relevance",
    );
  }
  return defined<LogListOptions>({
    sinceMs: since === undefined ? undefined : Date.now() - since,
    all: flags.all,
    includeExpired: flags.includeExpired,
    instance: flags.instance,
    action: flags.action,
    topic: flags.topic,
    search: flags.search,
    path: flags.path,
    minRelevance,
    project: flags.project,
    allProjects: flags.allProjects,
    limit: flags.limit,
  });
}

/** Prints entries as they come, until Ctrl-C. */
export async function follow(call: Call, log: ActivityLog, flags: ChoiceFlags): Promise<void> {
  const { signal, end } = interruptedOrUnread(call);
  const { sinceMs: _, limit: __, ...choice } = choiceOf(flags);
  try {
    for await (const entry of log.follow({ ...choice, signal })) {
      await call.out.line(
        call.json ? JSON.stringify(wireOf(entry)) : entryText(entry, colourOf(call, flags), flags.verbose === true),
      );
    }
  } finally {
    end();
  }
}

function colourOf(call: Call, flags: { readonly color: boolean }): Colours {
  return flags.color ? call.out.colour : colours(call.io.stdout, { NO_COLOR: "1" });
}

async function showList(call: Call, entries: readonly Entry[], flags: ListFlags, colour: Colours): Promise<void> {
  if (call.json) {
    for (const entry of entries) await call.out.line(JSON.stringify(wireOf(entry)));
    return;
  }
  if (entries.length === 0) {
    call.out.say("No entries found.");
    return;
  }
  for (const line of countLines(entries)) await call.out.line(line);
  if (flags.summary === true) return;
  for (const entry of entries) await call.out.line(`\n${entryText(entry, colour, flags.verbose === true)}`);
}

async function showClaims(call: Call, log: ActivityLog, flags: ListFlags): Promise<void> {
  const { project, allProjects } = flags;
  const claims = log.claims(defined({ project, allProjects }));
  if (claims.length === 0) call.out.say("Nothing is claimed.");
  for (const claim of claims)
    await call.out.line(call.json ? JSON.stringify(claimWire(claim)) : claimText(claim, Date.now() / 1000));
}
