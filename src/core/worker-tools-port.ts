/** The port through which the engine gives workers tools of the pool's own. */
import type { PoolMessage } from "./message.ts";
import type { WorkerTool } from "./runner-port.ts";
import type { PermissionMode, WorkerFamily } from "./task.ts";

/** The worker that uses a tool: its run, and what only the run can do. */
export interface Worker {
  readonly taskId: string;
  readonly runId: string;
  readonly slotId: string;
  readonly cwd: string;
  readonly mayDispatch: boolean;
  /** Of its task: how many tasks deep it was submitted by workers. */
  readonly depth: number;
  readonly limits: WorkerLimits;
  readonly signal: AbortSignal;
  /** What waits in the slot's inbox and this run has not been given yet; it counts as delivered with the run. */
  readMessages(): Promise<readonly PoolMessage[]>;
  /** Puts a question to the coordinator; undefined: nobody answered in time. */
  ask(question: string, timeoutMs: number): Promise<string | undefined>;
}

/** What a task that a worker submits takes over, so that it may do no more than the worker itself. */
export interface WorkerLimits {
  readonly permissionMode: PermissionMode;
  readonly allowedTools: readonly string[];
  readonly disallowedTools: readonly string[];
  readonly tools?: readonly string[];
  readonly maxBudgetUsd?: number;
  readonly workerTools: readonly WorkerFamily[];
  readonly mayDispatch: boolean;
}

/** The tools that workers may be given. */
export interface WorkerTools {
  list(families: readonly WorkerFamily[], mayDispatch: boolean): readonly WorkerTool[];
  /** @throws {PoolError} what the model is to be told: `invalid_options`, `run_over`, … */
  use(name: string, input: unknown, worker: Worker): Promise<string>;
}
