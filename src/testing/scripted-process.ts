/** One open "process" of the scripted runner: keeps the promises R1-R4 of core/ports.ts without any process. */
import { defined } from "../core/config.ts";
import type { Outcome } from "../core/outcome.ts";
import type {
  EndCause,
  LaunchSpec,
  SlotProcess,
  TurnDesk,
  TurnEvent,
  TurnListener,
  TurnSpec,
} from "../core/runner-port.ts";
import type { ProcessIdentity } from "../core/task.ts";
import { cancelled, completed, failed, lost, timedOut } from "./outcomes.ts";

/** What a turn of the scripted runner is answered with; a text is a completed run with this output. */
export type TurnAnswer = string | Outcome;

/** A turn being played. */
export interface ScriptedTurn {
  readonly spec: TurnSpec;
  readonly launch: LaunchSpec;
  readonly process: ScriptedProcess;
  /** The conversation the turn is in. */
  readonly sessionId: string;
  readonly signal: AbortSignal;
  /** Whom the turn may ask for a decision or a tool of the pool. */
  readonly desk: TurnDesk | undefined;
  /** Says something while the turn runs. */
  readonly emit: (event: TurnEvent) => void;
}

/** A process of the scripted runner, with what a test may ask of it and do to it. */
export interface ScriptedProcess extends SlotProcess {
  readonly launch: LaunchSpec;
  /** The conversation that it was opened on. */
  readonly resumed: string | undefined;
  readonly turns: readonly ScriptedTurn[];
  /** How often it was cleared. */
  readonly clears: number;
  readonly closed: boolean;
  /** What `clear` answers from now on. */
  canClear: boolean;
  /** What `memoryBytes` answers from now on. */
  memory: number | undefined;
  /** Dies, as under `kill -9`: a running turn ends as lost. */
  lose(): void;
}

export interface ScriptedProcessParts {
  readonly identity: ProcessIdentity;
  readonly cliVersion: string;
  readonly launch: LaunchSpec;
  readonly resumed: string | undefined;
  readonly newSessionId: () => string;
  readonly answer: (turn: ScriptedTurn) => TurnAnswer | Promise<TurnAnswer>;
}

/** Makes an open process. */
export function scriptedProcess(parts: ScriptedProcessParts): ScriptedProcess {
  return new InMemoryProcess(parts);
}

class InMemoryProcess implements ScriptedProcess {
  readonly identity: ProcessIdentity;
  readonly cliVersion: string;
  readonly launch: LaunchSpec;
  readonly resumed: string | undefined;
  readonly turns: ScriptedTurn[] = [];
  readonly gone: Promise<void>;
  clears = 0;
  closed = false;
  canClear = true;
  memory: number | undefined;
  readonly #parts: ScriptedProcessParts;
  readonly #end: () => void;
  #sessionId: string;
  #isGone = false;
  #isBusy = false;

  constructor(parts: ScriptedProcessParts) {
    const gone = Promise.withResolvers<void>();
    this.gone = gone.promise;
    this.#end = gone.resolve;
    this.#parts = parts;
    this.identity = parts.identity;
    this.cliVersion = parts.cliVersion;
    this.launch = parts.launch;
    this.resumed = parts.resumed;
    this.#sessionId = parts.resumed ?? parts.newSessionId();
  }

  async turn(spec: TurnSpec, signal: AbortSignal, emit: TurnListener, desk?: TurnDesk): Promise<Outcome> {
    if (this.#isBusy) return failed("error", { error: "Two turns at once in one process (R3).", costMicrodollars: 0 });
    const sessionId = this.#sessionId;
    const turn: ScriptedTurn = {
      spec,
      launch: this.launch,
      process: this,
      sessionId,
      signal,
      desk,
      emit: (event) => void emit(event),
    };
    this.turns.push(turn);
    this.#isBusy = true;
    try {
      const outcome = await this.#play(turn);
      return { ...outcome, result: defined({ sessionId, model: spec.model, ...outcome.result }) } as Outcome;
    } finally {
      this.#isBusy = false;
    }
  }

  clear(): Promise<boolean> {
    if (this.#isGone || !this.canClear) return Promise.resolve(false);
    this.clears += 1;
    this.#sessionId = this.#parts.newSessionId();
    return Promise.resolve(true);
  }

  memoryBytes(): Promise<number | undefined> {
    return Promise.resolve(this.memory);
  }

  close(): Promise<void> {
    this.closed = true;
    this.lose();
    return Promise.resolve();
  }

  lose(): void {
    this.#isGone = true;
    this.#end();
  }

  /** The first of: the script's answer, the caller's abort, the end of the process (R1). */
  async #play(turn: ScriptedTurn): Promise<Outcome> {
    const { signal, emit, spec } = turn;
    if (this.#isGone) return lost({ costMicrodollars: 0, turnsUsed: 0 });
    if (signal.aborted) return ended(signal.reason as EndCause);
    emit({ type: "conversation", sessionId: turn.sessionId });
    const aborted = Promise.withResolvers<Outcome>();
    const abort = (): void => {
      aborted.resolve(ended(signal.reason as EndCause));
    };
    signal.addEventListener("abort", abort);
    try {
      const outcome = await Promise.race([this.#answer(turn), aborted.promise, this.gone.then(() => lost())]);
      if (outcome.kind === "completed") {
        emit({ type: "text", text: outcome.result.output });
        emit({ type: "cost", costMicrodollars: outcome.result.costMicrodollars });
        return { ...outcome, result: { permissionMode: spec.permissionMode, ...outcome.result } };
      }
      return outcome;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #answer(turn: ScriptedTurn): Promise<Outcome> {
    try {
      const answer = await this.#parts.answer(turn);
      return typeof answer === "string" ? completed(answer) : answer;
    } catch (error) {
      return failed("error", { error: `The script threw: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
}

function ended(cause: EndCause): Outcome {
  switch (cause) {
    case "cancel":
    case "shutdown":
      return cancelled();
    case "timeout":
      return timedOut();
    case "budget":
      return failed("budget", { budgetExceeded: true });
  }
}
