/** Chains as a pool offers them; `Pool` has a method of one line for each of these. */
import { admitChain, newChain, type ChainAdmission } from "./chain-admission.ts";
import type { FanOutChainsOptions, ResumeChainOptions, RunChainOptions, SettledChain } from "./core/api.ts";
import { stepsTakenOver } from "./core/chain-advance.ts";
import type { ChainOptions, ChainProgress, ChainResult, StepSpec } from "./core/chain.ts";
import { defined } from "./core/config.ts";
import { invalidOptions, PoolError, taskNotFound } from "./core/errors.ts";
import type { TaskOutcome } from "./core/outcome.ts";
import type { NewChain, Records } from "./core/records.ts";
import { isTerminal, type TaskRecord } from "./core/task.ts";
import { fromWire } from "./core/wire.ts";
import type { TaskWorkspace } from "./core/workspace.ts";
import { taskFailed } from "./engine/fan-out.ts";
import { aborted } from "./engine/waiting.ts";
import type { WrittenChain } from "./schema/chain.ts";

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
    return this.#submitted(chain);
  }

  /** All or none. */
  async submitMany(chains: readonly WrittenChain[]): Promise<readonly string[]> {
    const keys = new Set<string>();
    const admitted: NewChain[] = [];
    for (const [index, chain] of chains.entries()) {
      const { key } = chain;
      if (key !== undefined && keys.has(key))
        throw invalidOptions(`chains[${String(index)}]: an earlier chain of this call has the same key.`, "key");
      if (key !== undefined) keys.add(key);
      admitted.push(await admitChain(chain, this.#port.admission(false)));
    }
    return (await this.#port.records.submitChains(admitted)).map(({ id }) => id);
  }

  async #submitted(chain: NewChain): Promise<string> {
    const [record] = await this.#port.records.submitChains([chain]);
    if (record === undefined) throw new Error("a submission of one chain answered with none");
    return record.id;
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
    const resumedFrom = { chainId: id, steps: taken, ...defined({ workspace: await this.#workOf(id, before, taken) }) };
    return this.#submitted({ ...chain, resumedFrom });
  }

  /** The files that the steps which are taken over left, not their answers alone; what they began from stays the base. */
  async #workOf(id: string, before: ChainProgress, taken: readonly string[]): Promise<TaskWorkspace | undefined> {
    const { records } = this.#port;
    const workspace = (await records.get(id))?.workspace;
    if (workspace?.saved === undefined || taken.length === 0) return undefined;
    const again = before.steps.find((step) => !taken.includes(step.name) && step.taskId !== undefined);
    const task = again?.taskId === undefined ? undefined : await records.get(again.taskId);
    const commit = task?.workspace?.baseCommit ?? workspace.saved.commit;
    const { checks: _judged, ...rest } = workspace;
    return { ...rest, saved: { ...workspace.saved, commit } };
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
