import { join } from "node:path";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { requestsContract } from "../contract/requests.ts";
import { tempFolder } from "./temp-store.ts";

requestsContract("memory", async (clock) => openRecords({ sql: await openSqlite(":memory:"), clock }));
requestsContract("file", async (clock) =>
  openRecords({ sql: await openSqlite(join(await tempFolder(), "pool.db")), clock }),
);
