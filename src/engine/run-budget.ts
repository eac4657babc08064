/** The money of one run: what is reserved for it, and more of it while it works (M1 of core/budget.ts). */
import type { Lease } from "../core/records.ts";
import type { EngineParts } from "./parts.ts";

export class RunBudget {
  readonly #parts: EngineParts;
  readonly #runId: string;
  readonly #hasOwnCap: boolean;
  readonly #end: () => void;
  #reservedMicrodollars: number;
  #isUncapped: boolean;
  #growing: Promise<void> | undefined;

  /** `end` is called when nothing is left for it. */
  constructor(parts: EngineParts, lease: Lease, hasOwnCap: boolean, end: () => void) {
    this.#parts = parts;
    this.#runId = lease.runId;
    this.#hasOwnCap = hasOwnCap;
    this.#end = end;
    this.#reservedMicrodollars = lease.reservedMicrodollars;
    this.#isUncapped = lease.reservedMicrodollars === 0;
  }

  /** A cap was set or moved under way: a run that began without one has to ask for its money from now on. */
  capChanged(): void {
    this.#isUncapped = false;
  }

  /** A run without a cap of its own asks for more money when it has used what was reserved. */
  spent(costMicrodollars: number): Promise<void> | undefined {
    if (this.#isUncapped || this.#hasOwnCap || costMicrodollars < this.#reservedMicrodollars) return undefined;
    this.#growing ??= this.#grow(costMicrodollars).finally(() => {
      this.#growing = undefined;
    });
    return this.#growing;
  }

  async #grow(costMicrodollars: number): Promise<void> {
    try {
      while (this.#reservedMicrodollars <= costMicrodollars) {
        const granted = await this.#parts.records.growReservation(this.#runId);
        this.#reservedMicrodollars += granted;
        if (granted > 0) continue;
        this.#end();
        return;
      }
    } catch (error) {
      this.#parts.report(error); // the next call's cost asks again
    }
  }
}
