import { join } from "node:path";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { webhooksContract } from "../contract/webhooks.ts";
import { tempFolder } from "./temp-store.ts";

webhooksContract("memory", async (clock) => openRecords({ sql: await openSqlite(":memory:"), clock }));
webhooksContract("file", async (clock) =>
  openRecords({ sql: await openSqlite(join(await tempFolder(), "pool.db")), clock }),
);
