/** From an empty file, or an older store, to the tables of this version: each version is one transaction. */
import type { Sql } from "../core/ports.ts";
import { schema } from "./schema.ts";
import { schema2 } from "./schema-2.ts";
import { schema3 } from "./schema-3.ts";
import { schema4 } from "./schema-4.ts";
import { schema5 } from "./schema-5.ts";
import { schema6 } from "./schema-6.ts";

/** "CPol": marks a file as the pool's, so that no other program's database is ever taken for one. */
export const applicationId = 0x43506f6c;

/** What each version adds; the first is version 1. */
const migrations: readonly (readonly string[])[] = [
  [`PRAGMA application_id = ${String(applicationId)}`, ...schema],
  schema2,
  schema3,
  schema4,
  schema5,
  schema6,
];

export const latestVersion = migrations.length;

/** Brings the store to the latest version. The version is read under the write lock, so two that open at once are safe. */
export async function migrate(sql: Sql): Promise<void> {
  if ((await versionOf(sql)) === latestVersion) return;
  for (const [index, statements] of migrations.entries()) {
    const version = index + 1;
    await sql.tx(async (tx) => {
      if ((await versionOf(tx)) >= version) return;
      for (const statement of statements) await tx.run(statement);
      await tx.run(`PRAGMA user_version = ${String(version)}`);
    });
  }
}

async function versionOf(sql: Pick<Sql, "all">): Promise<number> {
  const [row] = await sql.all("PRAGMA user_version");
  return Number(row?.user_version);
}
