import { expect, it } from "vitest";
import { meanwhile } from "../../src/cli/meanwhile.ts";

it("throws what was wrong with the following when the work is over, and not before", async () => {
  const done: string[] = [];
  const both = meanwhile(
    () => Promise.reject(new Error("the log is gone")),
    async () => {
      await new Promise(setImmediate);
      done.push("worked");
    },
  );

  const said = await both.catch((error: unknown) => String(error));

  expect([done, said]).toEqual([["worked"], "Error: the log is gone"]);
});
