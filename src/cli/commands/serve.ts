import { Command } from "commander";
import { defined } from "../../core/config.ts";
import type { PoolEvent } from "../../core/events.ts";
import { openPool } from "../../open-pool.ts";
import type { Pool } from "../../pool.ts";
import type { HttpServer } from "../../server/http-server.ts";
import { startTelemetry } from "../../telemetry/otel-sdk.ts";
import { examples, type Call } from "../call.ts";
import { eventLine } from "../event-text.ts";
import type { ExitCode } from "../exit.ts";
import { addHttpFlags, httpOptionsOf, listen, type HttpFlags } from "../http.ts";
import { ownSlots } from "../hosting.ts";
import { addHostFlags, addTaskFlags, poolSettingsOf, type HostFlags, type TaskFlags } from "../flags.ts";
import { counted } from "../quantities.ts";

type Flags = HostFlags & TaskFlags & HttpFlags & { readonly quiet?: boolean };

/** How long a gentle stop waits for what runs: longer than any task should, and a second Ctrl-C cuts it short. */
const longGraceMs = 86_400_000;

/** `serve`: hosts slots until stopped. */
export function serveCommand(call: Call): Command {
  const command = new Command("serve")
    .summary("host slots until stopped")
    .description(
      "Hosts slots (default 2) that carry out what `submit` puts in the queue, until it is stopped.\n" +
        "Ctrl-C lets what runs finish and leaves the rest in the queue; a second one stops at once, and what ran goes back to the queue.\n" +
        "With --http it also answers REST under /v1, streams of events, and /metrics.",
    )
    .option("-q, --quiet", "say nothing of what happens");
  addHttpFlags(addHostFlags(addTaskFlags(command))).addHelpText(
    "after",
    examples(
      "claude-pool serve --slots 4 --permission-mode acceptEdits",
      "claude-pool serve --budget-usd 20 --budget-renews day",
      "claude-pool serve --http --port 0 --json",
    ),
  );
  return call.carryOut<Flags>(command, async (flags) => {
    const { chosen } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, true));
    const options = {
      ...chosen,
      slots: ownSlots(chosen.slots, 2, Infinity),
      cwd: call.directory(flags),
      store: call.storeOf(chosen, flags),
      kind: "serve",
    } as const;
    const listening = httpOptionsOf(call, flags);
    const stop = new Stop(call);
    const endTelemetry = await startTelemetry(call.io.env);
    const pool = await openPool(options);
    let http: HttpServer | undefined;
    try {
      http = await listen(pool, listening);
      const slots = await pool.findSlots();
      const own = slots.filter((slot) => slot.hostId === pool.hostId).length;
      call.out.say(`Hosting ${counted(own, "slot")} for ${options.cwd} (${pool.hostId ?? ""}). Ctrl-C to stop.`);
      if (http !== undefined) call.out.say(`Listening on ${http.url}`);
      if (call.json)
        await call.out.record(defined({ hostId: pool.hostId, store: pool.store, slots: own, url: http?.url }));
      const drained = await watch(call, pool, stop.asked, flags.quiet === true);
      if (drained) call.out.say("The pool is drained. Letting what runs finish.");
    } finally {
      await http?.close();
      await pool.close({ graceMs: longGraceMs, signal: stop.atOnce });
      await endTelemetry?.();
      stop.end();
    }
    return stop.exitCode;
  });
}

/** The two steps of stopping. */
class Stop {
  readonly #asked = new AbortController();
  readonly #atOnce = new AbortController();
  readonly end: () => void;

  constructor(call: Call) {
    this.end = call.io.onInterrupt((urgent) => {
      const second = urgent || this.#asked.signal.aborted;
      call.out.say(
        second
          ? "Stopping at once; what ran goes back to the queue."
          : "Letting what runs finish; Ctrl-C again stops at once.",
      );
      this.#asked.abort();
      if (second) this.#atOnce.abort();
    });
  }

  get asked(): AbortSignal {
    return this.#asked.signal;
  }

  get atOnce(): AbortSignal {
    return this.#atOnce.signal;
  }

  /** Stopping a server is how it ends: no failure, unless it was cut short. */
  get exitCode(): ExitCode {
    return this.atOnce.aborted ? 130 : 0;
  }
}

const told: ReadonlySet<PoolEvent["type"]> = new Set([
  "task.started",
  "task.finished",
  "task.requeued",
  "task.held",
  "slot.errored",
  "slot.restarted",
  "host.lost",
  "budget.exhausted",
]);

/** Tells what happens until it is stopped; true: because the pool was drained. */
async function watch(call: Call, pool: Pool, signal: AbortSignal, quiet: boolean): Promise<boolean> {
  for await (const event of pool.events({ signal })) {
    if (event.type === "pool.draining") return true;
    if (!quiet && told.has(event.type)) call.out.say(eventLine(event, call.out.talkColour));
  }
  return false;
}
