/** The commands of `log` that write: `post`, `claim`, `release`. */
import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import type { Entry } from "../../activity/entry.ts";
import { wireOf } from "../../activity/line.ts";
import { defined } from "../../core/config.ts";
import { invalidOptions } from "../../core/errors.ts";
import type { ClaimSpec, PostSpec, ReleaseSpec } from "../../schema/activity.ts";
import { examples, type Call } from "../call.ts";
import { collected } from "../collected.ts";
import { claimText, claimWire } from "../log-text.ts";
import { openLog, ttl as ttlFlag, warnOf, type LogFlags } from "../log-flags.ts";

interface PostFlags extends LogFlags {
  readonly action?: string;
  readonly summary?: string;
  readonly affects?: readonly string[];
  readonly blocks?: string;
  readonly ttl?: number;
  readonly ref?: string;
}

interface ClaimFlags extends LogFlags {
  readonly topic?: string;
  readonly summary?: string;
  readonly ttl?: number;
  readonly force?: boolean;
}

interface ReleaseFlags extends LogFlags {
  readonly topic?: string;
  readonly path?: readonly string[];
  readonly force?: boolean;
}

export function postCommand(call: Call): Command {
  const command = addAs(new Command("post"))
    .summary("report something to the other terminals")
    .description("Writes an entry and prints its id. What stands there already is not written again.")
    .argument("<topic>", "what it is about, in a few words; - reads it from stdin")
    .option(
      "-a, --action <action>",
      "completed, blocked, claimed, released, resolved, signaling (default), health, or a word like them",
    )
    .option("--summary <text>", "what happened")
    .option("--affects <what>", "a path, glob or resource such as port:3000; may be given again", collected)
    .option("--blocks <text>", "whom it concerns: shown to every terminal of the project")
    .option("--ttl <time>", "for how long it is shown, from 1m to 1w, such as 8h (default: 1h)", ttlFlag)
    .option("--ref <id>", "the claim or blocker that it ends")
    .addHelpText(
      "after",
      examples(
        'claude-pool log post "Login works again" --action completed --affects src/auth/login.ts',
        'claude-pool log post "Staging is down until 16:00" --action blocked --blocks "deployments" --ttl 4h',
      ),
    );
  return call.carryOut<PostFlags>(command, async (flags, [topic]) => {
    const log = await openLog(call, flags);
    warnOf(call, log);
    const { action, summary, affects, blocks, ttl, ref } = flags;
    const spec = defined<PostSpec>({
      topic: topic === "-" ? (await readAll(call.io.stdin)).trim() : (topic as string),
      action,
      summary,
      affects,
      blocks,
      ttl: seconds(ttl),
      ref,
    });
    const written = await log.post(spec);
    if (written.entry !== undefined) await showEntry(call, written.entry);
    if (written.because === "duplicate") call.out.say("It stands there already; nothing was written.");
    if (written.because === "flood") call.out.say(floodText);
    if (written.conflict !== undefined) call.out.say(`Not granted: ${claimText(written.conflict, Date.now() / 1000)}.`);
    return written.because === "conflict" || written.because === "flood" ? 4 : 0;
  });
}

export function claimCommand(call: Call): Command {
  const command = addAs(new Command("claim"))
    .summary("ask others to stay out of something")
    .description(
      "Claims paths, globs and resources, or a topic, and prints the claim's id. The first claim holds; if another terminal\n" +
        "was there first, nothing is written and the exit code is 4. Claiming again what is yours makes it last longer.",
    )
    .argument("[what...]", "paths, globs, resources such as port:3000 or deploy:staging")
    .option("--topic <text>", "what it is about; alone: the topic itself is claimed")
    .option("--summary <text>", "why, for those who meet it")
    .option("--ttl <time>", "for how long, from 1m to 1w, such as 2h (default: 1h)", ttlFlag)
    .option("--force", "claim it although another holds it; it holds when that one ends")
    .addHelpText(
      "after",
      examples(
        'claude-pool log claim "src/auth/**" --summary "Rewriting the login"',
        "claude-pool log claim deploy:staging --ttl 30m",
      ),
    );
  return call.carryOut<ClaimFlags>(command, async (flags, [what]) => {
    const { topic, summary, ttl, force } = flags;
    const affects = what as readonly string[];
    if (affects.length === 0 && topic === undefined) throw invalidOptions(nothingClaimed, "what");
    const log = await openLog(call, flags);
    warnOf(call, log);
    const { granted, entry, conflict, because } = await log.claim(
      defined<ClaimSpec>({
        affects: affects.length === 0 ? undefined : affects,
        topic,
        summary,
        ttl: seconds(ttl),
        force,
      }),
    );
    if (call.json) {
      const parts = {
        ...(entry === undefined ? {} : { entry: wireOf(entry) }),
        ...(conflict === undefined ? {} : { conflict: claimWire(conflict) }),
      };
      await call.out.line(JSON.stringify({ granted, ...parts }));
    } else if (entry !== undefined) await call.out.line(entry.id);
    if (conflict !== undefined) {
      const holder = `${claimText(conflict, Date.now() / 1000)}.`;
      if (granted) call.out.say(holder);
      else if (entry === undefined) call.out.say(`Not granted: ${holder}`);
      else call.out.say(`Not granted yet: ${holder} Your claim waits in the log, and holds when that one ends.`);
    }
    if (because === "flood") call.out.say(floodText);
    return granted ? 0 : 4;
  });
}

const nothingClaimed =
  'what: expected paths, globs or resources, or --topic, as in `claude-pool log claim "src/auth/**"`.';

export function releaseCommand(call: Call): Command {
  const command = addAs(new Command("release"))
    .summary("end claims")
    .description(
      "Ends this terminal's claims: all of them, or those that are named. Prints the ids of the entries that say so.",
    )
    .argument("[ids...]", "ids of claims, or beginnings that only one has")
    .option("--topic <text>", "the claims with this topic")
    .option("--path <what>", "the claims that touch this path, glob or resource; may be given again", collected)
    .option("--force", "another terminal's claims too; their ids must be given")
    .addHelpText("after", examples("claude-pool log release", "claude-pool log release --path src/auth/"));
  return call.carryOut<ReleaseFlags>(command, async (flags, [ids]) => {
    const log = await openLog(call, flags);
    const { topic, path, force } = flags;
    const wanted = ids as readonly string[];
    const isNamed = wanted.length > 0 || topic !== undefined || path !== undefined;
    const released = await log.release(
      defined<ReleaseSpec>({ ids: wanted.length === 0 ? undefined : wanted, topic, affects: path, force }),
    );
    for (const entry of released) await showEntry(call, entry);
    if (released.length > 0) return 0;
    call.out.say(
      isNamed
        ? "No such claim of this terminal: `claude-pool log list --claims` shows them all."
        : "This terminal holds no claims: `claude-pool log list --claims` shows those of all.",
    );
    return isNamed ? 4 : 0;
  });
}

const floodText = "This terminal has written as much as it may for now: 12 a minute, 200 a day.";

async function showEntry(call: Call, entry: Entry): Promise<void> {
  await call.out.line(call.json ? JSON.stringify(wireOf(entry)) : entry.id);
}

function addAs(command: Command): Command {
  return command.option(
    "--as <label>",
    "the label to write under (default: POOL_INSTANCE, CLAUDE_INSTANCE, or your user name)",
  );
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms / 1000);
}
