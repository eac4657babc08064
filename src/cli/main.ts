/** The program: from arguments to an exit code. */
import { CommanderError } from "commander";
import { PoolError } from "../core/errors.ts";
import { toWire } from "../core/wire.ts";
import { Call } from "./call.ts";
import { exitOfError } from "./exit.ts";
import { program } from "./program.ts";
import { processIo, type Io } from "./terminal/io.ts";

/**
 * Carries out one call; resolves to its exit code and never rejects.
 *
 * @param argv the arguments alone, without Node and the program's path.
 * @example process.exitCode = await main(process.argv.slice(2));
 */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const call = new Call(io);
  call.json = argv.includes("--json"); // also for what goes wrong before the flags are read
  try {
    await program(call).parseAsync([...argv], { from: "user" });
    return call.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) report(call, error, io);
    return exitOfError(error);
  }
}

function report(call: Call, error: unknown, io: Io): void {
  if (error instanceof PoolError) {
    const { code, message, details } = error;
    if (call.json) call.out.say(JSON.stringify({ error: toWire({ code, message, details }) }));
    else call.out.say(`${call.out.talkColour.red("error:")} ${message}`);
    return;
  }
  // Not one of ours: a bug, or the system. The whole of it helps whoever mends it, on request.
  const known = error instanceof Error ? error : new Error(String(error));
  call.out.say(`${call.out.talkColour.red("error:")} ${known.message} (CLAUDE_POOL_DEBUG=1 shows where)`);
  if ((io.env.CLAUDE_POOL_DEBUG ?? "") !== "") call.out.say(known.stack ?? "");
}
