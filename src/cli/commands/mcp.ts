import { Command, Option } from "commander";
import { defaultAnswerWithinMs, profiles, type Profile } from "../../mcp/profile.ts";
import { refuseInsideSlot } from "../../inside-slot.ts";
import { openPool } from "../../open-pool.ts";
import { homesOf } from "../../open-skills.ts";
import { startTelemetry } from "../../telemetry/otel-sdk.ts";
import { examples, type Call } from "../call.ts";
import type { ExitCode } from "../exit.ts";
import { addHostFlags, addTaskFlags, poolSettingsOf, type HostFlags, type TaskFlags } from "../flags.ts";
import { duration } from "../quantities.ts";

type Flags = HostFlags &
  TaskFlags & { readonly profile: Profile; readonly answerWithin?: number; readonly grace?: number };

/** How long what runs may take to end after the client has gone: clients kill a server that lingers. */
const defaultGraceMs = 3_000;

/** `mcp`: the pool as an MCP server on stdin and stdout, with slots of its own. */
export function mcpCommand(call: Call): Command {
  const command = new Command("mcp")
    .summary("serve the pool to an MCP client, over stdin and stdout")
    .description(
      "An MCP server on stdin and stdout, for a coordinator such as an interactive Claude session, with slots of its own\n" +
        "(default 2). It ends when its client does: what runs may end within the grace, the rest goes back to the queue.\n" +
        "`claude-pool init` writes it into .mcp.json.",
    )
    .addOption(
      new Option("--profile <name>", "core: the dozen tools that a coordinator needs; full: all")
        .choices(profiles)
        .default("full"),
    )
    .option(
      "--answer-within <duration>",
      "a call that waits for work answers after this time with its ids (default: 50s)",
      duration("--answer-within"),
    )
    .option(
      "--grace <duration>",
      "how long what runs may take once the client is gone (default: 3s)",
      duration("--grace"),
    );
  addHostFlags(addTaskFlags(command)).addHelpText(
    "after",
    examples(
      "claude-pool mcp --slots 4 --permission-mode acceptEdits",
      "claude mcp add claude-pool -- npx claude-pool mcp --profile core",
    ),
  );
  return call.carryOut<Flags>(command, (flags) => serve(call, flags));
}

async function serve(call: Call, flags: Flags): Promise<ExitCode> {
  refuseInsideSlot(call.io.env);
  // Loaded here: no other command has a use for it.
  const { serveOverStdio } = await import("../../mcp/stdio.ts");
  const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, true));
  const endTelemetry = await startTelemetry(call.io.env);
  const pool = await openPool({
    homes: homesOf(call.io.env),
    ...chosen,
    slots: chosen.slots ?? 2,
    cwd: call.directory(flags),
    store: call.storeOf(chosen, flags),
    kind: "mcp",
  });
  const [asked, atOnce] = [new AbortController(), new AbortController()];
  const unhook = call.io.onInterrupt((urgent) => {
    if (urgent || asked.signal.aborted) atOnce.abort();
    asked.abort();
  });
  try {
    const serving = serveOverStdio(pool, call.io, {
      profile: flags.profile,
      answerWithinMs: flags.answerWithin ?? defaultAnswerWithinMs,
      onError: (error) => call.out.say(`mcp: ${error.message}`),
    });
    call.out.say(`claude-pool serves ${call.directory(flags)} over MCP (${pool.hostId ?? "no slots"}).`);
    await Promise.race([serving.ended, aborted(asked.signal)]);
    await serving.close();
  } finally {
    // This host alone: the pool's other work, and other hosts, stay as they are.
    await pool.close({ graceMs: flags.grace ?? defaultGraceMs, signal: atOnce.signal });
    await endTelemetry?.();
    unhook();
  }
  return atOnce.signal.aborted ? 130 : 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
