/** What the engine works with: the records, the outside world through its ports, and the pool's settings. */
import type { PoolConfig } from "../core/config.ts";
import type { Activity } from "../core/activity-port.ts";
import type { Clock, Processes } from "../core/ports.ts";
import type { Runner } from "../core/runner-port.ts";
import type { WorkerTools } from "../core/worker-tools-port.ts";
import type { Workspaces } from "../core/workspaces-port.ts";
import type { Records } from "../core/records.ts";
import type { WatchRuns } from "../core/run-watch.ts";

export interface EngineParts {
  readonly records: Records;
  readonly runner: Runner;
  readonly workspaces: Workspaces;
  /** Absent where slots take no part in the activity log. */
  readonly activity: Activity | undefined;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly config: PoolConfig;
  /** What a worker's own tools do. */
  readonly workerTools: WorkerTools;
  /** Which machine and boot this is: a pid means nothing elsewhere or before. */
  readonly machine: { readonly bootId: string; readonly hostname: string };
  /** How many tasks deep what is submitted here is; set inside a slot. */
  readonly depth?: number;
  /** The directory of tasks that name none. */
  readonly cwd: string;
  /** Told of every run that begins; absent: nobody watches. */
  readonly watch?: WatchRuns;
  /** Told of what went wrong where no caller waits for it; must not throw. */
  readonly report: (error: unknown) => void;
}
