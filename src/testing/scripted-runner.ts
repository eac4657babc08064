/** A Runner in memory: no process, no model, no time; for tests of what stands on the Runner port. */
import { PoolError } from "../core/errors.ts";
import { newRunId } from "../core/ids.ts";
import type { LaunchSpec, Remains, Runner, TurnSpec } from "../core/runner-port.ts";
import type { ProcessIdentity } from "../core/task.ts";
import { type ScriptedProcess, scriptedProcess, type ScriptedTurn, type TurnAnswer } from "./scripted-process.ts";

/** Answers a turn; the third argument has its signal, its process and `emit`. */
export type RunnerScript = (
  turn: TurnSpec,
  launch: LaunchSpec,
  playing: ScriptedTurn,
) => TurnAnswer | Promise<TurnAnswer>;

/** A part of the prompt, a pattern for it, or a test of the whole turn. */
export type TurnMatch = string | RegExp | ((turn: ScriptedTurn) => boolean);

export interface ScriptedRunnerOptions {
  /** Who the n-th opened process (from 0) claims to be: an identity of a living process, of a dead one, … */
  readonly identity?: (index: number) => ProcessIdentity;
  readonly cliVersion?: string;
  /** What a lost run left behind; default nothing. */
  readonly remains?: (run: RemainsQuery) => Remains | Promise<Remains>;
  /** Called before `endOrphan` resolves. */
  readonly endOrphan?: (process: ProcessIdentity) => void | Promise<void>;
}

export interface RemainsQuery {
  readonly runId: string;
  readonly cwd: string;
  readonly sinceMs: number;
}

interface OpenOptions {
  readonly resume?: string;
  readonly signal?: AbortSignal;
}

/** A runner that records what it was asked and answers by a script. */
export interface ScriptedRunner extends Runner {
  /** Every process opened so far, closed ones too. */
  readonly processes: readonly ScriptedProcess[];
  /** Every turn so far, over all processes, in order. */
  readonly turns: readonly ScriptedTurn[];
  /** Every process that `endOrphan` was asked to end. */
  readonly orphansEnded: readonly ProcessIdentity[];
  /** Every run whose remains were asked for. */
  readonly remainsAsked: readonly RemainsQuery[];
  readonly closed: boolean;
  open(launch: LaunchSpec, options?: OpenOptions): Promise<ScriptedProcess>;
  /** Adds a rule, which goes before the script; its answers are given one after the other, and the last repeats. */
  on(match: TurnMatch, ...answers: readonly [RunnerAnswer, ...RunnerAnswer[]]): this;
  /** The next opening, or as many as given, fails so. */
  failOpen(error?: PoolError, times?: number): void;
  /** Resolves to the first turn that matches, one already begun too. */
  waitForTurn(match: TurnMatch): Promise<ScriptedTurn>;
}

export type RunnerAnswer = TurnAnswer | RunnerScript;

/**
 * A runner in memory; without a script every turn completes at once with the output "ok".
 *
 * @example
 * const runner = scriptedRunner((turn) => completed(`did: ${turn.prompt}`, { costMicrodollars: 5_000 }));
 * runner.on("break", failed("error"), "second time lucky");
 */
export function scriptedRunner(script: RunnerScript = () => "ok", options: ScriptedRunnerOptions = {}): ScriptedRunner {
  return new InMemoryRunner(script, options);
}

interface TurnRule {
  readonly match: TurnMatch;
  readonly answers: readonly [RunnerAnswer, ...RunnerAnswer[]];
  used: number;
}

interface TurnWaiter {
  readonly match: TurnMatch;
  readonly resolve: (turn: ScriptedTurn) => void;
}

class InMemoryRunner implements ScriptedRunner {
  readonly processes: ScriptedProcess[] = [];
  readonly turns: ScriptedTurn[] = [];
  readonly orphansEnded: ProcessIdentity[] = [];
  readonly remainsAsked: RemainsQuery[] = [];
  closed = false;
  readonly #script: RunnerScript;
  readonly #options: ScriptedRunnerOptions;
  readonly #rules: TurnRule[] = [];
  readonly #failures: PoolError[] = [];
  #waiters: readonly TurnWaiter[] = [];

  constructor(script: RunnerScript, options: ScriptedRunnerOptions) {
    this.#script = script;
    this.#options = options;
  }

  on(match: TurnMatch, ...answers: readonly [RunnerAnswer, ...RunnerAnswer[]]): this {
    this.#rules.push({ match, answers, used: 0 });
    return this;
  }

  failOpen(error = new PoolError("claude_broken", "The scripted CLI does not open."), times = 1): void {
    this.#failures.push(...Array.from({ length: times }, () => error));
  }

  waitForTurn(match: TurnMatch): Promise<ScriptedTurn> {
    const begun = this.turns.find((turn) => turnMatches(match, turn));
    if (begun !== undefined) return Promise.resolve(begun);
    return new Promise((resolve) => {
      this.#waiters = [...this.#waiters, { match, resolve }];
    });
  }

  async open(launch: LaunchSpec, options: OpenOptions = {}): Promise<ScriptedProcess> {
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure;
    if (this.closed) throw new PoolError("pool_closed", "The scripted runner is closed.");
    if (options.signal?.aborted === true) throw new PoolError("aborted", "The opening was aborted.");
    const index = this.processes.length;
    const opened = scriptedProcess({
      identity: this.#options.identity?.(index) ?? defaultIdentity(index),
      cliVersion: this.#options.cliVersion ?? "2.1.328",
      launch,
      resumed: options.resume,
      newSessionId: newRunId,
      answer: (turn) => this.#answer(turn),
    });
    this.processes.push(opened);
    return opened;
  }

  async endOrphan(process: ProcessIdentity): Promise<void> {
    this.orphansEnded.push(process);
    await this.#options.endOrphan?.(process);
  }

  async remains(run: RemainsQuery): Promise<Remains> {
    this.remainsAsked.push(run);
    return (await this.#options.remains?.(run)) ?? {};
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.processes.map((process) => process.close()));
  }

  #answer(turn: ScriptedTurn): TurnAnswer | Promise<TurnAnswer> {
    this.turns.push(turn);
    const reached = this.#waiters.filter(({ match }) => turnMatches(match, turn));
    this.#waiters = this.#waiters.filter((waiter) => !reached.includes(waiter));
    for (const waiter of reached) waiter.resolve(turn);
    const answer = this.#nextAnswer(turn);
    return typeof answer === "function" ? answer(turn.spec, turn.launch, turn) : answer;
  }

  #nextAnswer(turn: ScriptedTurn): RunnerAnswer {
    const rule = this.#rules.find(({ match }) => turnMatches(match, turn));
    if (rule === undefined) return this.#script;
    const answer = rule.answers[Math.min(rule.used, rule.answers.length - 1)] ?? rule.answers[0];
    rule.used += 1;
    return answer;
  }
}

function turnMatches(match: TurnMatch, turn: ScriptedTurn): boolean {
  if (typeof match === "function") return match(turn);
  const { prompt } = turn.spec;
  return typeof match === "string" ? prompt.includes(match) : prompt.search(match) >= 0;
}

/** Above the largest pid that Linux and macOS give, so that no living process is ever taken for it. */
const firstPid = 5_000_000;

function defaultIdentity(index: number): ProcessIdentity {
  return { pid: firstPid + index, startTime: `scripted-${String(index)}`, marker: `scripted-marker-${String(index)}` };
}
