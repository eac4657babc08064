/** What one run hears of the API's limits, passed on to the governor of the whole pool. */
import type { TurnEvent } from "../core/runner-port.ts";
import type { Lease } from "../core/records.ts";
import type { EngineParts } from "./parts.ts";

/** Answers of a server that has too much to do. */
const overloadStatuses: readonly (number | undefined)[] = [429, 529];

export class LimitEar {
  readonly #parts: EngineParts;
  readonly #lease: Lease;
  #isProbe: boolean;

  constructor(parts: EngineParts, lease: Lease) {
    this.#parts = parts;
    this.#lease = lease;
    this.#isProbe = lease.isProbe === true;
  }

  hear(event: TurnEvent): void {
    const { records, report } = this.#parts;
    if (event.type === "api_retry" && overloadStatuses.includes(event.status)) records.noteOverload().catch(report);
    if (event.type === "cost" && event.costMicrodollars > 0) this.#answered();
    if (event.type !== "usage_limit") return;
    // A rejection parks the pool with the run's outcome, in one transaction.
    if (event.status === "rejected") {
      this.#isProbe = false;
      return;
    }
    if (event.utilization !== undefined) records.noteUtilization(event.utilization, event.resetsAtMs).catch(report);
    this.#answered();
  }

  /** A probe that works for an hour must not keep the others for an hour. */
  #answered(): void {
    if (!this.#isProbe) return;
    this.#isProbe = false;
    this.#parts.records.noteAnswer(this.#lease.runId).catch(this.#parts.report);
  }
}
