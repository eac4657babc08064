import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { applicationId, latestVersion, migrate } from "../../src/records/migrations.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { requireSqlite } from "../../src/records/sqlite/ground.ts";
import { sqlContract } from "../contract/sql.ts";
import { tempFolder } from "./temp-store.ts";

sqlContract("memory", () => Promise.resolve({ open: () => openSqlite(":memory:"), remove: () => Promise.resolve() }));
sqlContract("file", async () => {
  const path = join(await tempFolder(), "pool.db");
  let made = false;
  return {
    async open() {
      const sql = await openSqlite(path);
      if (!made) await migrate(sql); // a file with tables and without the pool's mark is another program's
      made = true;
      return sql;
    },
    remove: () => Promise.resolve(),
  };
});

describe("a store's file", () => {
  it("is made with its folder for the user alone, and leaves nothing beside it when closed", async () => {
    const folder = join(await tempFolder(), "home", "project");
    const path = join(folder, "pool.db");
    const sql = await openSqlite(path);
    await migrate(sql);
    const whileOpen = await Promise.all(
      (await readdir(folder)).map(async (name) => [name, await mode(join(folder, name))]),
    );
    await sql.close();
    expect({ folder: await mode(folder), whileOpen, after: await readdir(folder) }).toEqual({
      folder: "700",
      whileOpen: [
        ["pool.db", "600"],
        ["pool.db-shm", "600"],
        ["pool.db-wal", "600"],
      ],
      after: ["pool.db"],
    });
  });

  it.each([
    [
      "a text file",
      (path: string) => writeFile(path, "This is a text of some length and no database at all.\n".repeat(50)),
    ],
    ["another program's database", (path: string) => makeDatabase(path, "CREATE TABLE theirs (id INTEGER)")],
    ["another program's mark", (path: string) => makeDatabase(path, "PRAGMA application_id = 7")],
  ])("is refused as store_not_database when it is %s, and not changed", async (_what, make) => {
    const path = join(await tempFolder(), "pool.db");
    await make(path);
    const before = await readFile(path);
    await expect(openSqlite(path)).rejects.toMatchObject({ code: "store_not_database" });
    expect(await readFile(path)).toEqual(before);
  });

  it("is refused as store_not_database when it is a directory", async () => {
    const path = join(await tempFolder(), "pool.db");
    await mkdir(path);
    await expect(openSqlite(path)).rejects.toMatchObject({ code: "store_not_database" });
  });

  it("is refused as store_newer when a newer version wrote it, and not changed", async () => {
    const path = join(await tempFolder(), "pool.db");
    await makeDatabase(
      path,
      `PRAGMA application_id = ${String(applicationId)}; PRAGMA user_version = ${String(latestVersion + 1)}`,
    );
    const before = await readFile(path);
    await expect(openSqlite(path)).rejects.toMatchObject({ code: "store_newer" });
    expect(await readFile(path)).toEqual(before);
  });

  it.each([
    ["the file", "pool.db", 0o400],
    ["its folder", ".", 0o500],
  ])("is refused as store_read_only when nobody may write %s, also as root", async (_what, name, bits) => {
    const folder = join(await tempFolder(), "project");
    const path = join(folder, "pool.db");
    const sql = await openSqlite(path);
    await sql.close();
    await chmod(join(folder, name), bits);
    onTestFinished(() => chmod(join(folder, name), 0o700));
    await expect(openSqlite(path)).rejects.toMatchObject({ code: "store_read_only" });
  });

  it.runIf(existsSync("/proc/self"))("is refused where no folder can be made, and that ends", async () => {
    await expect(openSqlite("/proc/claude-pool-nothing/below/pool.db")).rejects.toMatchObject({ code: "store_failed" });
  });

  it("takes nothing more once it was removed while it was open, and serves again when it is back", async () => {
    const folder = await tempFolder();
    const path = join(folder, "pool.db");
    const sql = await openSqlite(path);
    onTestFinished(() => sql.close());
    await migrate(sql);
    const write = (): Promise<number> => sql.tx((tx) => tx.run("UPDATE pool SET pending = pending"));
    await rename(path, join(folder, "away.db"));
    await expect(write()).rejects.toMatchObject({ code: "store_failed" });
    await rename(join(folder, "away.db"), path);
    expect(await write()).toBe(1);
  });

  it("is refused as store_busy when another process holds the write lock too long", async () => {
    const path = join(await tempFolder(), "pool.db");
    const sql = await openSqlite(path, { busyTimeoutMs: 20 });
    onTestFinished(() => sql.close());
    await migrate(sql);
    const other = new DatabaseSync(path);
    onTestFinished(() => {
      other.close();
    });
    other.exec("BEGIN IMMEDIATE");
    await expect(sql.tx((tx) => tx.run("DELETE FROM context"))).rejects.toMatchObject({ code: "store_busy" });
  });

  it.each([
    ["3.51.2", "sqlite_too_old"],
    ["3.50.4", "sqlite_too_old"],
    ["3.51.3", undefined],
    ["3.53.0", undefined],
    ["4.0.0", undefined],
  ])("with SQLite %s gives %s", (version, code) => {
    expect(
      codeOf(() => {
        requireSqlite(version);
      }),
    ).toBe(code);
  });
});

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

function makeDatabase(path: string, statements: string): Promise<void> {
  const db = new DatabaseSync(path);
  db.exec(statements);
  db.close();
  return Promise.resolve();
}

function codeOf(act: () => void): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
}
