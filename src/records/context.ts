/** The shared context: key-value pairs that every slot sees. */
import type { SqlTx } from "../core/ports.ts";
import type { Change } from "./change.ts";

export async function contextOf(sql: Pick<SqlTx, "all">): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.all("SELECT key, value FROM context ORDER BY key");
  return new Map(rows.map((row) => [String(row.key), String(row.value)]));
}

export async function setContext(change: Change, key: string, value: string): Promise<void> {
  await writeContext(change, key, value);
  change.emit({ type: "context.changed", data: { key, action: "set" } });
}

/** Without a word of it: an import brings its own events. */
export async function writeContext(change: Change, key: string, value: string): Promise<void> {
  await change.sql.run(
    "INSERT INTO context (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [key, value],
  );
}

/** True: it was there. */
export async function deleteContext(change: Change, key: string): Promise<boolean> {
  const wasThere = (await change.sql.run("DELETE FROM context WHERE key = ?", [key])) > 0;
  if (wasThere) change.emit({ type: "context.changed", data: { key, action: "deleted" } });
  return wasThere;
}
