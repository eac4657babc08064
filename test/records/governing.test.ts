import { join } from "node:path";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { governingContract } from "../contract/governing.ts";
import { tempFolder } from "./temp-store.ts";

governingContract("memory", async (clock) => openRecords({ sql: await openSqlite(":memory:"), clock }));
governingContract("file", async (clock) =>
  openRecords({ sql: await openSqlite(join(await tempFolder(), "pool.db")), clock }),
);
