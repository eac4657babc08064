/** Routing as a pool offers it; `Pool` has a method of one line for each of these. */
import { admit } from "./admission.ts";
import type { FanOutOptions, Settled } from "./core/api.ts";
import type { ChainResult, StepSpec } from "./core/chain.ts";
import type { TaskOutcome } from "./core/outcome.ts";
import type { Records } from "./core/records.ts";
import type { AutoOptions, AutoResult, RouteAnswer, RouteOptions, WorkOptions } from "./core/route.ts";
import type { TaskSpec } from "./core/task.ts";
import { autoTask, outcomeOr, routeTask, type AutoPool } from "./engine/routing.ts";
import { NeutralFolder } from "./neutral-folder.ts";
import { resultOf, type PoolChains } from "./pool-chains.ts";
import { parseAutoOptions, parsePrompt, parseRouteOptions } from "./schema/parse-requests.ts";

/** What routing needs of the pool it is in. */
export interface RoutingPort {
  readonly records: Records;
  readonly store: string;
  /** That of a task for which somebody of this host waits. */
  readonly admission: () => Parameters<typeof admit>[2];
  readonly chains: PoolChains;
  readonly fanOut: (prompts: readonly string[], options: FanOutOptions) => Promise<readonly Settled[]>;
  readonly outcome: (id: string) => Promise<TaskOutcome>;
  readonly cancel: (id: string) => Promise<unknown>;
}

export class PoolRouting {
  readonly #port: RoutingPort;
  readonly #folder: NeutralFolder;

  constructor(port: RoutingPort) {
    this.#port = port;
    this.#folder = new NeutralFolder(port.store);
  }

  async route(prompt: string, options: RouteOptions): Promise<RouteAnswer> {
    const task = parsePrompt(prompt);
    return routeTask(this.#pool(), task, parseRouteOptions(options), this.#folder.path);
  }

  async auto(prompt: string, options: AutoOptions): Promise<AutoResult> {
    const task = parsePrompt(prompt);
    return autoTask(this.#pool(), task, parseAutoOptions(options), this.#folder.path);
  }

  /** Removes what routing made for itself. */
  close(): void {
    this.#folder.remove();
  }

  #pool(): AutoPool {
    const { outcome, cancel, fanOut } = this.#port;
    return {
      ask: (spec) => this.#ask(spec),
      outcome,
      cancel,
      fanOut,
      runChain: (steps, work, signal) => this.#runChain(steps, work, signal),
    };
  }

  async #ask(spec: TaskSpec): Promise<string> {
    const asked = admit(spec, {}, this.#port.admission());
    const [submitted] = await this.#port.records.submit([{ ...asked, kind: "route" }]);
    if (submitted === undefined) throw new Error("the router's task was submitted and has no record");
    return submitted.record.id;
  }

  /** As `runChain`, but a chain that fails is a result too. */
  async #runChain(
    steps: readonly StepSpec[],
    { priority, tags, cwd, ...each }: WorkOptions,
    signal: AbortSignal | undefined,
  ): Promise<ChainResult> {
    const options = {
      ...(priority === undefined ? {} : { priority }),
      ...(tags === undefined ? {} : { tags }),
      ...(cwd === undefined ? {} : { cwd }),
    };
    const id = await this.#port.chains.submit(
      steps.map((step) => ({ ...each, ...step })),
      options,
      true,
    );
    return resultOf(await outcomeOr(this.#port, id, signal));
  }
}
