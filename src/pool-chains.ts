/** Chains as a pool offers them; `Pool` has a method of one line for each of these. */
import { admitChain, newChain, type ChainAdmission } from "./chain-admission.ts";
import type { FanOutChainsOptions, ResumeChainOptions, RunChainOptions, SettledChain } from "./core/api.ts";
import { stepsTakenOver } from "./core/chain-advance.ts";
import type { ChainOptions, ChainProgress, ChainResult, StepSpec } from "./core/chain.ts";
import { invalidOptions, PoolError, taskNotFound } from "./core/errors.ts";
import type { TaskOutcome } from "./core/outcome.ts";
import type { Records } from "./core/records.ts";
import { isTerminal, type TaskRecord } from "./core/task.ts";
import { fromWire } from "./core/wire.ts";
import { taskFailed } from "./engine/fan-out.ts";
import { aborted } from "./engine/waiting.ts";

/** What chains need of the pool they are in. */
export interface ChainsPort {
  readonly records: Records;
  /** With an origin, somebody of that host waits for the chain. */
  readonly admission: (isAwaited: boolean) => ChainAdmission;
  /** Resolves when the task has ended; other than that of a task, a chain is never in review. */
  readonly outcome: (id: string) => Promise<TaskOutcome>;
  readonly cancel: (id: string) => Promise<TaskRecord>;
}

export class PoolChains {
  readonly #port: ChainsPort;

  constructor(port: ChainsPort) {
    this.#port = port;
  }

  async submit(steps: readonly StepSpec[], options: ChainOptions, isAwaited = false): Promise<string> {
    const chain = await admitChain({ ...options, steps }, this.#port.admission(isAwaited));
    return (await this.#port.records.submitChain(chain)).id;
  }

  async run(steps: readonly StepSpec[], { signal, onSubmitted, ...options }: RunChainOptions): Promise<ChainResult> {
    if (signal?.aborted === true) throw aborted(signal);
    const id = await this.submit(steps, options, true);
    onSubmitted?.(id);
    return this.#follow(id, signal);
  }

  /** A new chain that takes over what is done, and runs the rest. */
  async resume(
    id: string,
    { from, isAwaited = false }: ResumeChainOptions & { readonly isAwaited?: boolean },
  ): Promise<string> {
    const { records } = this.#port;
    const [spec, before] = await Promise.all([records.chainSpec(id), this.progress(id)]);
    if (spec === undefined) throw noChain(id);
    const start = from === undefined ? undefined : spec.steps.findIndex((step) => step.name === from);
    if (start === -1) throw invalidOptions(`Chain ${id} has no step ${JSON.stringify(from)}.`, `from`);
    const state = before.status;
    if (!isTerminal(state) || (state === "completed" && start === undefined)) {
      const what = state === "running" ? "it is still running" : "it is completed, and no step to begin at was named";
      throw new PoolError("invalid_transition", `Cannot resume chain ${id}: ${what}.`, { taskId: id, state });
    }
    const { key: _key, ...rest } = spec;
    const taken = stepsTakenOver(spec, before.steps, start).map((index) => spec.steps[index]?.name ?? "");
    const chain = newChain(rest, this.#port.admission(isAwaited).originHost);
    return (await records.submitChain({ ...chain, resumedFrom: { chainId: id, steps: taken } })).id;
  }

  /** Every chain has its place in the answer, whatever became of the others. */
  async fanOut(
    chains: readonly (readonly StepSpec[])[],
    { signal, onSettled, ...options }: FanOutChainsOptions,
  ): Promise<readonly SettledChain[]> {
    const one = async (steps: readonly StepSpec[], index: number): Promise<SettledChain> => {
      const settled = await this.#settle(steps, options, signal);
      onSettled?.(settled, index);
      return settled;
    };
    return Promise.all(chains.map(one));
  }

  async progress(id: string): Promise<ChainProgress> {
    const progress = await this.#port.records.chain(id);
    if (progress === undefined) throw noChain(id);
    return progress;
  }

  async #settle(
    steps: readonly StepSpec[],
    options: ChainOptions,
    signal: AbortSignal | undefined,
  ): Promise<SettledChain> {
    let taskId: string | undefined;
    try {
      if (signal?.aborted === true) throw aborted(signal);
      taskId = await this.submit(steps, options, true);
      return { status: "fulfilled", taskId, result: await this.#follow(taskId, signal) };
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      return { status: "rejected", ...(taskId === undefined ? {} : { taskId }), error: reason };
    }
  }

  /** @throws {PoolError} `task_failed` unless the chain completes. */
  async #follow(id: string, signal: AbortSignal | undefined): Promise<ChainResult> {
    const cancelling: Promise<unknown>[] = [];
    const onAbort = (): void => {
      cancelling.push(this.#port.cancel(id));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      const outcome = await this.#port.outcome(id);
      await Promise.all(cancelling);
      if (outcome.state !== "completed") throw taskFailed(outcome);
      return resultOf(outcome);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

/** A chain's result as its task's output has it. */
export function resultOf(outcome: TaskOutcome): ChainResult {
  return fromWire(JSON.parse(outcome.result?.output ?? "null")) as ChainResult;
}

function noChain(id: string): PoolError {
  const error = taskNotFound(id);
  return new PoolError(
    error.code,
    `No chain ${JSON.stringify(id)} in this pool. \`claude-pool chain list\` shows them.`,
    error.details,
  );
}
