import type { Sql } from "../core/ports.ts";
export async function* exportLines(sql: Sql): AsyncIterable<string> {
  await sql.all("SELECT 1");
  yield "";
}
