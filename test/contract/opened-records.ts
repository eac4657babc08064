/** What the contracts of the `Records` port begin with. */
import { onTestFinished } from "vitest";
import type { Records } from "../../src/core/records.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";

/** Makes an implementation with nothing in it. */
export type StartRecords = (clock: ManualClock) => Promise<Records>;

export interface OpenedRecords {
  readonly records: Records;
  readonly clock: ManualClock;
}

/** What the clock of {@link openedRecords} begins with. */
export const startMs = 1_700_000_000_000;

/** Empty records on a clock that stands still; closed when the test ends. */
export async function openedRecords(start: StartRecords): Promise<OpenedRecords> {
  const clock = manualClock(startMs);
  const records = await start(clock);
  onTestFinished(() => records.close());
  return { records, clock };
}
