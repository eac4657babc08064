/** What every implementation of the `Sql` port keeps; each runs the whole suite. */
import { describe, expect, it, onTestFinished } from "vitest";
import { PoolError } from "../../src/core/errors.ts";
import type { Sql } from "../../src/core/ports.ts";

export interface SqlUnderTest {
  /** Opens a connection to a database that is the same for the whole test. */
  readonly open: () => Promise<Sql>;
  readonly remove: () => Promise<void>;
}

export function sqlContract(name: string, start: () => Promise<SqlUnderTest>): void {
  async function opened(): Promise<{ readonly sql: Sql; readonly another: () => Promise<Sql> }> {
    const under = await start();
    const open: Sql[] = [];
    onTestFinished(async () => {
      for (const sql of open) await sql.close();
      await under.remove();
    });
    async function another(): Promise<Sql> {
      const sql = await under.open();
      open.push(sql);
      return sql;
    }
    const sql = await another();
    await sql.tx((tx) => tx.run("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT) STRICT"));
    return { sql, another };
  }
  const texts = async (sql: Pick<Sql, "all">): Promise<readonly unknown[]> =>
    (await sql.all("SELECT text FROM note ORDER BY id")).map((row) => row.text);

  describe(`Sql: ${name}`, () => {
    it("gives back what was stored, and the number of rows changed", async () => {
      const { sql } = await opened();
      const changed = await sql.tx(async (tx) => [
        await tx.run("INSERT INTO note (text) VALUES (?), (?)", ["a", null]),
        await tx.run("UPDATE note SET text = ?", ["b"]),
      ]);
      expect({ changed, texts: await texts(sql) }).toEqual({ changed: [2, 2], texts: ["b", "b"] });
    });

    it("keeps nothing of a transaction whose body throws, and passes its error on unchanged", async () => {
      const { sql } = await opened();
      const refusal = new PoolError("task_not_found", "No such task.");
      const failure = sql.tx(async (tx) => {
        await tx.run("INSERT INTO note (text) VALUES ('a')");
        throw refusal;
      });
      await expect(failure).rejects.toBe(refusal);
      expect(await texts(sql)).toEqual([]);
    });

    it("runs no other statement of the connection inside a transaction, even while its body waits", async () => {
      const { sql } = await opened();
      const between = Promise.withResolvers<undefined>();
      const tx = sql.tx(async (open) => {
        await open.run("INSERT INTO note (text) VALUES ('a')");
        await between.promise;
        await open.run("INSERT INTO note (text) VALUES ('b')");
      });
      const seen = texts(sql);
      const next = sql.tx((open) => open.run("INSERT INTO note (text) VALUES ('c')"));
      between.resolve(undefined);
      await Promise.all([tx, next]);
      expect({ seen: await seen, after: await texts(sql) }).toEqual({ seen: ["a", "b"], after: ["a", "b", "c"] });
    });

    it("names a statement that fails by a store code, with the database's own error as its cause", async () => {
      const { sql } = await opened();
      const failure = sql.all("SELECT 1 FROM nowhere");
      await expect(failure).rejects.toMatchObject({
        code: "store_failed",
        cause: { message: "no such table: nowhere" },
      });
    });

    it("refuses work after it was closed, and may be closed twice", async () => {
      const { sql } = await opened();
      await sql.close();
      await sql.close();
      await expect(sql.all("SELECT 1")).rejects.toMatchObject({ code: "pool_closed" });
    });

    it("changes its version for another connection's commit and not for its own", async () => {
      const { sql, another } = await opened();
      const second = await another();
      const before = second.version();
      await second.tx((tx) => tx.run("CREATE TABLE own (id INTEGER)"));
      const afterOwn = second.version();
      await sql.tx((tx) => tx.run("INSERT INTO note (text) VALUES ('a')"));
      // Two connections to a database in memory are two databases, and hear nothing of each other.
      const shared = name !== "memory";
      expect({ own: afterOwn !== before, foreign: second.version() !== afterOwn }).toEqual({
        own: false,
        foreign: shared,
      });
    });
  });
}
