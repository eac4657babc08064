/** What holds the queue back as a whole, as `pool.governor`. */
import type { GovernorState } from "./core/governor.ts";
import type { Records } from "./core/records.ts";

/** The usage limit, overloads and want of memory: what is known of them, and a way past them. */
export class PoolGovernor {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  /** All that is known; `status().heldBack` says what comes of it. */
  show(): Promise<GovernorState> {
    return this.#records.governor();
  }

  /** Opens a pool that a limit or an overload holds back; what the API says next counts again. */
  release(): Promise<void> {
    return this.#records.releaseGovernor();
  }
}
