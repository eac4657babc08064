import { join } from "node:path";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { workspacesContract } from "../contract/workspaces.ts";
import { tempFolder } from "./temp-store.ts";

workspacesContract("memory", async (clock) => openRecords({ sql: await openSqlite(":memory:"), clock }));
workspacesContract("file", async (clock) =>
  openRecords({ sql: await openSqlite(join(await tempFolder(), "pool.db")), clock }),
);
