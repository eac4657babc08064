/** Writes that go into one transaction, of which one cannot be done. */
import { expect, it, onTestFinished } from "vitest";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { systemClock } from "../../src/clock.ts";

it("a write with a value that no store takes fails alone, not with all that was asked for together with it", async () => {
  const records = await openRecords({ sql: await openSqlite(":memory:"), clock: systemClock });
  onTestFinished(() => records.close());
  const asked = [
    records.setContext("before", "kept"),
    records.setContext("wrong", {} as unknown as string),
    records.setContext("after", "kept"),
  ];
  const states = (await Promise.allSettled(asked)).map(({ status }) => status);
  expect({ states, context: [...(await records.context())] }).toEqual({
    states: ["fulfilled", "rejected", "fulfilled"],
    context: [
      ["after", "kept"],
      ["before", "kept"],
    ],
  });
});
