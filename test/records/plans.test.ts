import { describe, expect, it, onTestFinished } from "vitest";
import { nextDeadlineQuery } from "../../src/records/holds.ts";
import { pickHeldQuery, pickOwnQuery, pickQuery } from "../../src/records/lease.ts";
import { chainEventsQuery } from "../../src/records/query.ts";
import { migrate } from "../../src/records/migrations.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";

describe("the plans of the statements that run all the time", () => {
  it.each([
    ["the pick", pickQuery, [16], "SCAN task USING INDEX task_pick"],
    ["the pick of a host's own", pickOwnQuery, ["host-a", 16], "SEARCH task USING INDEX task_pick_own (origin_host=?)"],
    [
      "the pick of what was held for the budget",
      pickHeldQuery,
      [1, 1, 1, null, 16],
      "SEARCH task USING INDEX task_held (hold_reason=?)",
    ],
  ])("%s reads one index in its order and sorts nothing", async (_what, query, params, first) => {
    const plan = await planOf(query, params);
    expect(plan).toEqual([
      first,
      "SEARCH body USING INTEGER PRIMARY KEY (rowid=?)",
      "SEARCH answer USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
      "SEARCH work USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
      "CORRELATED SCALAR SUBQUERY 1",
      "SEARCH chain USING INTEGER PRIMARY KEY (rowid=?)",
    ]);
  });

  it("the next deadline reads the ends of two indexes", async () => {
    const plan = await planOf(nextDeadlineQuery, []);
    expect(plan.filter((step) => step.includes("task"))).toEqual([
      "SEARCH task USING COVERING INDEX task_hold_until (hold_until_ms>?)",
      "SEARCH task USING COVERING INDEX task_deadline (queue_deadline_ms>?)",
    ]);
  });

  it("a chain's events are found by its steps' tasks, however long the log is", async () => {
    const plan = await planOf(chainEventsQuery, ["chain-1", 0, 500]);
    expect(plan.filter((step) => /event|SCAN/.test(step))).toEqual([
      "SEARCH event USING INDEX event_of_task (task_seq=? AND seq>?)",
    ]);
  });

  it("no index is plainly on the state, because the planner would take it for the pick", async () => {
    const sql = await openSqlite(":memory:");
    onTestFinished(() => sql.close());
    await migrate(sql);
    const indexes = await sql.all(
      "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%ON task (state%' AND sql NOT LIKE '%WHERE%'",
    );
    expect(indexes).toEqual([]);
  });
});

async function planOf(query: string, params: readonly (string | number | null)[]): Promise<readonly string[]> {
  const sql = await openSqlite(":memory:");
  onTestFinished(() => sql.close());
  await migrate(sql);
  return (await sql.all(`EXPLAIN QUERY PLAN ${query}`, params)).map((row) => String(row.detail));
}
