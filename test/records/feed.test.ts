import { expect, it, onTestFinished } from "vitest";
import { eventFeed } from "../../src/records/feed.ts";
import { migrate } from "../../src/records/migrations.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";

it("takes nobody once it is closed, though its store is not closed yet", async () => {
  const sql = await openSqlite(":memory:");
  onTestFinished(() => sql.close());
  await migrate(sql);
  const feed = eventFeed(sql, 1);
  await feed.close();

  const refused = [() => feed.follow(() => undefined), () => feed.onForeignChange(() => undefined)].map((call) => {
    try {
      return call();
    } catch (error) {
      return (error as { code: string }).code;
    }
  });

  expect(refused).toEqual(["pool_closed", "pool_closed"]);
});
