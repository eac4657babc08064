/** The shared context: key-value pairs that every slot sees. */
import type { SqlTx } from "../core/ports.ts";
import type { Change } from "./change.ts";

export async function contextOf(sql: Pick<SqlTx, "all">): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.all("SELECT key, value FROM context ORDER BY key");
  return new Map(rows.map((row) => [String(row.key), String(row.value)]));
}

export async function setContext({ sql }: Change, key: string, value: string): Promise<void> {
  await sql.run(
    "INSERT INTO context (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [key, value],
  );
}

/** True: it was there. */
export async function deleteContext({ sql }: Change, key: string): Promise<boolean> {
  return (await sql.run("DELETE FROM context WHERE key = ?", [key])) > 0;
}
