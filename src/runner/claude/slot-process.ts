/**
 * An open Claude process as the engine sees it: turns, and between them a clean slate (R1-R4 of ports.ts).
 *
 * P1. Model, effort, permission mode and rules are set for every turn; `/clear` resets none of them.
 * P2. A process that could not be cleaned is never used again: `clear` says false from then on.
 */
import { randomUUID } from "node:crypto";
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { Outcome } from "../../core/outcome.ts";
import type { LaunchSpec, SlotProcess, TurnDesk, TurnListener, TurnSpec } from "../../core/runner-port.ts";
import type { ProcessIdentity } from "../../core/task.ts";
import { workerServerName } from "../../core/worker.ts";
import { within, type ClaudeProcess } from "./claude-process.ts";
import type { CostMeter } from "./cost.ts";
import { memoryOf } from "./memory.ts";
import { namedMessages } from "./messages.ts";
import { applySettings, type Defaults } from "./settings.ts";
import { Turn } from "./turn.ts";

export interface SlotProcessParts {
  readonly process: ClaudeProcess;
  readonly identity: ProcessIdentity;
  readonly cliVersion: string;
  /** The CLI told its version when it opened: then it also names the message that a result belongs to. */
  readonly namesMessages: boolean;
  readonly launch: LaunchSpec;
  /** The launch's directory as the CLI spells it. */
  readonly cwd: string;
  readonly executable: string;
  readonly meter: CostMeter;
  readonly defaults: Defaults;
  readonly killGraceMs: number;
  readonly hooks: TurnHooks;
}

/** What the hooks that were registered with the process do in the turn that runs now. */
export interface TurnHooks {
  /** Added to the prompt. */
  context: string | undefined;
  /** Asked what the CLI asks its host: whether it may go on, use a tool, and what the pool's own tools answer. */
  turn: Turn | undefined;
}

const clearTimeoutMs = 10_000;

export class ClaudeSlotProcess implements SlotProcess {
  readonly identity: ProcessIdentity;
  readonly cliVersion: string;
  readonly gone: Promise<void>;
  readonly #parts: SlotProcessParts;
  readonly #backgroundTasks = new Set<string>();
  readonly #shutdown = new AbortController();
  #namesMessages: boolean;
  #running: Promise<Outcome> | undefined;
  #clean = true;
  /** As the process itself said after `/clear`: then the next turn need not ask for the same again. */
  #permissionMode: string | undefined;

  constructor(parts: SlotProcessParts) {
    this.#parts = parts;
    this.identity = parts.identity;
    this.cliVersion = parts.cliVersion;
    this.gone = parts.process.gone;
    this.#namesMessages = parts.namesMessages;
    parts.process.listen((message) => {
      this.#observe(message);
    });
  }

  async turn(spec: TurnSpec, signal: AbortSignal, emit: TurnListener, desk?: TurnDesk): Promise<Outcome> {
    if (this.#running !== undefined) return notRun("Two turns at once in one process: this one was not begun."); // R3
    // A process that is closed already cannot be shut down in this turn: the turn is lost, and can be had elsewhere.
    const signals = this.#shutdown.signal.aborted ? [signal] : [signal, this.#shutdown.signal];
    this.#running = this.#turn(spec, AbortSignal.any(signals), emit, desk);
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  async #turn(spec: TurnSpec, signal: AbortSignal, emit: TurnListener, desk: TurnDesk | undefined): Promise<Outcome> {
    const { process, launch, hooks } = this.#parts;
    const turn = new Turn(
      {
        process,
        meter: this.#parts.meter,
        executable: this.#parts.executable,
        cwd: this.#parts.cwd,
        schema: launch.jsonSchema !== undefined,
        servers: [...Object.keys(launch.mcpServers), ...(launch.workerTools === undefined ? [] : [workerServerName])],
        killGraceMs: this.#parts.killGraceMs,
        namesMessages: () => this.#namesMessages,
        prepare: (asked) => {
          const permissionMode = this.#permissionMode;
          this.#permissionMode = undefined; // a turn may change it
          return applySettings(process.query, asked, {
            defaults: this.#parts.defaults,
            isOld: !this.#parts.namesMessages,
            permissionMode,
          });
        },
      },
      spec,
      emit,
      desk,
    );
    hooks.context = spec.context;
    hooks.turn = turn;
    const outcome = await turn.run(signal);
    hooks.context = undefined;
    hooks.turn = undefined;
    // R2: a dead process has left its tools behind just as a living one has.
    if (process.ending !== undefined) await process.close(false);
    else if (!(await process.endTools(turn.usedTools))) this.#clean = false;
    if (outcome.result.reason === "mismatch") this.#clean = false; // another process may be what was asked for
    return outcome;
  }

  async clear(): Promise<boolean> {
    const { process } = this.#parts;
    if (this.#running !== undefined || !this.#clean || process.ending !== undefined) return false;
    this.#clean = false; // P2: until this has succeeded
    for (const id of this.#backgroundTasks) await process.query.stopTask(id).catch(() => undefined);
    const cleared = this.#sendClear();
    await within(Promise.race([cleared.done, process.gone]), clearTimeoutMs);
    this.#clean = cleared.isClean();
    return this.#clean;
  }

  /** `/clear` is a command only in a message that is not `client_composed`. */
  #sendClear(): { readonly done: Promise<void>; readonly isClean: () => boolean } {
    const uuid = randomUUID();
    let cwd: string | undefined;
    let clean = false;
    this.#permissionMode = undefined;
    const done = new Promise<void>((resolve) => {
      const unlisten = this.#parts.process.listen((message) => {
        if (message.type === "system" && message.subtype === "init") {
          cwd = message.cwd;
          this.#permissionMode = message.permissionMode;
        }
        if (message.type !== "result") return;
        this.#parts.meter.settle(message);
        const named = namedMessages(message);
        if (named === undefined ? this.#namesMessages : !named.includes(uuid)) return; // somebody else's end
        // The new conversation says where it is: a task that moved the process must not move the next.
        clean = !message.is_error && cwd === this.#parts.cwd;
        unlisten();
        resolve();
      });
    });
    this.#parts.process.send({
      type: "user",
      message: { role: "user", content: "/clear" },
      parent_tool_use_id: null,
      uuid,
    });
    return { done, isClean: () => clean };
  }

  async memoryBytes(): Promise<number | undefined> {
    return memoryOf(await this.#parts.process.tree());
  }

  async close(): Promise<void> {
    const idle = this.#running === undefined;
    this.#shutdown.abort("shutdown");
    await this.#running?.catch(() => undefined);
    await this.#parts.process.close(idle);
  }

  #observe(message: SDKMessage): void {
    if (!this.#namesMessages && namedMessages(message) !== undefined) this.#namesMessages = true;
    if (message.type !== "system" || message.subtype !== "background_tasks_changed") return;
    this.#backgroundTasks.clear();
    for (const task of message.tasks) this.#backgroundTasks.add(task.task_id);
  }
}

function notRun(error: string): Outcome {
  const result = { output: "", success: false, costMicrodollars: 0, turnsUsed: 0, elapsedMs: 0 };
  return { kind: "failed", result: { ...result, reason: "error", error } };
}
