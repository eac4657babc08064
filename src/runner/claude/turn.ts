/**
 * One turn: a message goes out, messages come back, one result ends it.
 *
 * R1, R3 of ports.ts rest on this file, and:
 * T1. Only the result that names the run's uuid is the turn's; a CLI that names none (2.1.197) gets one message at a time,
 *     so the next result is it.
 * T2. The first cause of an early end wins, and a result that came before it wins over it.
 * T3. An interrupt sent too early is lost by the CLI: it is repeated until the result is there.
 */
import type { SDKMessage, SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import { defined } from "../../core/config.ts";
import type {
  AskedTool,
  EndCause,
  ToolDecision,
  TurnDesk,
  TurnEvent,
  TurnListener,
  TurnSpec,
  WorkerAnswer,
} from "../../core/runner-port.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { ClaudeProcess } from "./claude-process.ts";
import type { CostMeter } from "./cost.ts";
import { outcomeOf, type Cause } from "./outcome.ts";
import { namedMessages } from "./messages.ts";
import { mismatchOf } from "./mismatch.ts";
import { TurnLog } from "./turn-log.ts";
import { SilenceWatch } from "./silence-watch.ts";

export interface TurnHost {
  readonly process: ClaudeProcess;
  readonly meter: CostMeter;
  readonly executable: string;
  readonly cwd: string;
  readonly schema: boolean;
  /** Names of the MCP servers that the process was started with. */
  readonly servers: readonly string[];
  readonly killGraceMs: number;
  /** This CLI names the message that a result belongs to. */
  readonly namesMessages: () => boolean;
  /** Sets model, effort, permission mode and rules; throws what the CLI refused. */
  readonly prepare: (spec: TurnSpec) => Promise<void>;
}

const nobody: ToolDecision = { decision: "deny", message: "Nobody is there to ask.", isAnswered: false };

const interruptEveryMs = 20;
/** The CLI ends a turn at once when its hook says so; after this it is interrupted all the same. */
const stopByHookMs = 500;

export class Turn {
  readonly #host: TurnHost;
  readonly #spec: TurnSpec;
  readonly #emit: TurnListener;
  readonly #desk: TurnDesk | undefined;
  /** Ends with the turn: whoever is asked then is not waited for any more, be the process dead or alive. */
  readonly #deskHours = new AbortController();
  readonly #log: TurnLog;
  readonly #watch: SilenceWatch;
  readonly #over = Promise.withResolvers<undefined>();
  #cause: Cause | undefined;
  #detail: string | undefined;
  #result: SDKResultMessage | undefined;
  #settled = false;
  #sent = false;
  #betweenCalls = false;
  /** The cost that was told last, and what its listener does about it. */
  #told: { readonly cost: number; readonly heard: Promise<void> | undefined } | undefined;
  #interrupts: NodeJS.Timeout | undefined;
  #insisting: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(host: TurnHost, spec: TurnSpec, emit: TurnListener, desk: TurnDesk | undefined) {
    this.#host = host;
    this.#desk = desk;
    this.#spec = spec;
    this.#emit = emit;
    this.#log = new TurnLog(spec, (event) => void emit(event));
    this.#watch = new SilenceWatch(spec.silenceTimeoutMs, () => {
      this.#end("silent");
    });
  }

  /** The model has asked for a tool, be it in words that were cut off. */
  get usedTools(): boolean {
    return this.#log.usedTools;
  }

  async run(signal: AbortSignal): Promise<Outcome> {
    const start = performance.now();
    const abort = (): void => {
      this.#end(causeOf(signal));
    };
    const unlisten = this.#host.process.listen((message) => {
      this.#take(message);
    });
    signal.addEventListener("abort", abort, { once: true });
    void this.#host.process.gone.then(() => {
      this.#settle();
    });
    if (signal.aborted) abort();
    this.#watch.start();
    try {
      await this.#send();
      await this.#over.promise;
    } finally {
      this.#settled = true;
      this.#deskHours.abort();
      clearTimeout(this.#deadline);
      clearTimeout(this.#insisting);
      clearInterval(this.#interrupts);
      this.#watch.stop();
      signal.removeEventListener("abort", abort);
      unlisten();
    }
    return outcomeOf(this.#facts(Math.round(performance.now() - start)));
  }

  async #send(): Promise<void> {
    if (this.#settled) return;
    try {
      await Promise.race([this.#host.prepare(this.#spec), this.#over.promise]);
    } catch (error) {
      this.#detail = `Claude refused the task's settings: ${error instanceof Error ? error.message : String(error)}.`;
      if (this.#host.process.ending === undefined) this.#cause ??= "mismatch";
    }
    if (this.#cause !== undefined || this.#host.process.ending !== undefined) {
      this.#settle();
      return;
    }
    this.#sent = true;
    this.#host.process.send({
      type: "user",
      message: { role: "user", content: this.#spec.prompt },
      parent_tool_use_id: null,
      client_composed: true,
      uuid: this.#spec.runId as ReturnType<typeof crypto.randomUUID>,
    });
  }

  /**
   * The tools of an API call have run, and the CLI waits to make the next one; true: it must not.
   *
   * That alone ends the turn. An interrupt at this moment is left out: an older CLI (2.1.197) breaks on it.
   */
  async afterTools(bySubagent: boolean): Promise<boolean> {
    if (this.#cause !== undefined) return true;
    this.#betweenCalls = true;
    if (!bySubagent && this.#atTurnLimit()) this.#end("max_turns");
    else await this.#measure();
    return this.#hasEnded();
  }

  /** A tool call that the CLI asks its host about. */
  async decide(asked: AskedTool & { readonly toolUseId?: string }, signal: AbortSignal): Promise<ToolDecision> {
    if (this.#desk === undefined || this.#settled) return nobody;
    const resume = this.#watch.pause();
    try {
      const here = { ...asked, cwd: this.#host.cwd };
      const decision = await this.#desk.decide(here, AbortSignal.any([signal, this.#deskHours.signal]));
      if (decision.decision === "deny" && asked.toolUseId !== undefined) {
        this.#log.denied(asked.toolUseId, decision.isAnswered);
      }
      return decision;
    } finally {
      resume();
    }
  }

  /** A call of one of the pool's own tools. */
  async useTool(name: string, input: unknown, signal: AbortSignal): Promise<WorkerAnswer> {
    if (this.#desk === undefined || this.#settled) return { text: "No task is running.", isError: true };
    const resume = this.#watch.pause();
    try {
      return await this.#desk.useTool(name, input, AbortSignal.any([signal, this.#deskHours.signal]));
    } finally {
      resume();
    }
  }

  #hasEnded(): boolean {
    return this.#cause !== undefined;
  }

  #atTurnLimit(): boolean {
    const { maxTurns } = this.#spec;
    return maxTurns !== undefined && this.#log.turns >= maxTurns && !this.#log.answers;
  }

  #take(message: SDKMessage): void {
    if (this.#settled || !this.#sent) return;
    this.#watch.heard(message);
    if (message.type === "result") {
      this.#takeResult(message);
      return;
    }
    if (message.type === "system" && message.subtype === "init") this.#check(message);
    const step = this.#log.take(message);
    if (step === "call_ended") void this.#measure();
    if (step === "tools_ended") this.#betweenCalls = true;
    if (message.type === "stream_event") this.#betweenCalls = false;
    if (step === "tools_ended" && this.#atTurnLimit()) this.#end("max_turns");
  }

  #takeResult(result: SDKResultMessage): void {
    const named = namedMessages(result);
    const mine = named === undefined ? !this.#host.namesMessages() : named.includes(this.#spec.runId);
    if (!mine) {
      this.#host.meter.settle(result); // a turn that nobody asked for; its cost must not become the next turn's
      return;
    }
    this.#result = result;
    this.#settle();
  }

  #check(init: Extract<SDKMessage, { subtype: "init" }>): void {
    this.#detail = mismatchOf(init, this.#host.cwd, this.#spec, this.#host.servers);
    if (this.#detail !== undefined) this.#end("mismatch");
  }

  /** Reads the running cost after an API call, tells it, and stops the run at its cap; the listener may stop it at the pool's. */
  async #measure(): Promise<void> {
    const total = await readTotal(this.#host.process);
    if (this.#settled) return;
    const usd = total === undefined ? undefined : this.#host.meter.sofar(total);
    const cost = this.#log.measured(usd);
    const cap = this.#spec.maxCostMicrodollars;
    if (cap !== undefined && cost >= cap) this.#end("budget");
    if (this.#told?.cost !== cost) {
      const event = { type: "cost" as const, costMicrodollars: cost, usage: this.#log.usage };
      this.#told = { cost, heard: this.#emit(defined<TurnEvent & { type: "cost" }>(event)) };
    }
    await this.#told.heard;
  }

  #end(cause: Cause): void {
    if (this.#settled || this.#cause !== undefined) return;
    this.#cause = cause; // T2
    if (!this.#sent) {
      this.#settle(); // nothing has gone out: there is nothing to stop
      return;
    }
    const interrupt = (): void => {
      this.#host.process.query.interrupt().catch(() => undefined); // a dead process is told by `gone`
    };
    const insist = (): void => {
      interrupt();
      this.#interrupts = setInterval(interrupt, interruptEveryMs); // T3
    };
    // What a user asked for is not kept waiting by this.
    const gently = this.#betweenCalls && (cause === "max_turns" || cause === "budget");
    if (gently) this.#insisting = setTimeout(insist, Math.min(stopByHookMs, this.#host.killGraceMs / 2));
    else insist();
    this.#deadline = setTimeout(() => {
      clearInterval(this.#interrupts);
      void this.#host.process.close(false);
    }, this.#host.killGraceMs);
  }

  #settle(): void {
    this.#settled = true;
    this.#over.resolve(undefined);
  }

  #facts(elapsedMs: number): Parameters<typeof outcomeOf>[0] {
    const { process, executable, meter, schema } = this.#host;
    const ending = this.#result === undefined ? process.ending : undefined;
    return this.#log.facts({
      elapsedMs,
      schema,
      sent: this.#sent,
      cause: this.#cause,
      detail: this.#detail,
      result: this.#result,
      costUsd: this.#result === undefined ? undefined : meter.settle(this.#result),
      death: ending === undefined ? undefined : { ...ending, stderr: process.stderr, command: executable },
    });
  }
}

function causeOf(signal: AbortSignal): Cause {
  const causes: readonly EndCause[] = ["cancel", "timeout", "budget", "shutdown"];
  return causes.find((cause) => cause === signal.reason) ?? "cancel";
}

/** The process's running total in dollars; undefined: this CLI does not tell it in mid-turn. */
export async function readTotal(process: ClaudeProcess): Promise<number | undefined> {
  try {
    const usage = await process.query.usage_EXPERIMENTAL_MAY_CHANGE_DO_NOT_RELY_ON_THIS_API_YET({
      skipBehaviors: true,
    });
    const total: unknown = usage.session.total_cost_usd;
    return typeof total === "number" ? total : undefined;
  } catch {
    return undefined; // an older CLI does not know the request: its calls are priced by their usage
  }
}
