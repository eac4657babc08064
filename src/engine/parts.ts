/** What the engine works with: the records, the outside world through its ports, and the pool's settings. */
import type { PoolConfig } from "../core/config.ts";
import type { Clock, Processes, Runner } from "../core/ports.ts";
import type { Records } from "../core/records.ts";

export interface EngineParts {
  readonly records: Records;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly config: PoolConfig;
  /** Which machine and boot this is: a pid means nothing elsewhere or before. */
  readonly machine: { readonly bootId: string; readonly hostname: string };
  /** The directory of tasks that name none. */
  readonly cwd: string;
  /** Told of what went wrong where no caller waits for it; must not throw. */
  readonly report: (error: unknown) => void;
}
