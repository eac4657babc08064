import { join } from "node:path";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { recordsContract } from "../contract/records.ts";
import { tempFolder } from "./temp-store.ts";

recordsContract("memory", async (clock) => openRecords({ sql: await openSqlite(":memory:"), clock }));
recordsContract("file", async (clock) =>
  openRecords({ sql: await openSqlite(join(await tempFolder(), "pool.db")), clock }),
);
