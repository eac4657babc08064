/** Past runs for a forecast: the latest completed ones of a kind. */
import {
  type Basis,
  enoughRuns,
  type Forecast,
  forecastOf,
  kindsLike,
  mostRuns,
  type PastRun,
  type RunLike,
} from "../core/forecast.ts";
import type { Sql, SqlValue } from "../core/ports.ts";

export async function forecast(sql: Pick<Sql, "all">, like: RunLike): Promise<Forecast> {
  const kinds: { readonly basis: Basis; readonly runs: readonly PastRun[] }[] = [];
  for (const { basis, ...kind } of kindsLike(like)) {
    const runs = await latest(sql, kind.tags, kind.model);
    kinds.push({ basis, runs });
    if (runs.length >= enoughRuns) break;
  }
  return forecastOf(kinds);
}

/** So many of the latest tasks are looked at for runs of a kind. */
const lookedAt = 20_000;

async function latest(
  sql: Pick<Sql, "all">,
  tags: readonly string[] | undefined,
  model: string | undefined,
): Promise<readonly PastRun[]> {
  const source =
    tags === undefined
      ? "SELECT seq FROM task ORDER BY seq DESC LIMIT ?"
      : "SELECT DISTINCT seq FROM task_tag WHERE tag IN (SELECT value FROM json_each(?)) ORDER BY seq DESC LIMIT ?";
  const params: SqlValue[] = tags === undefined ? [lookedAt] : [JSON.stringify(tags), lookedAt];
  const ofModel = model === undefined ? "" : "AND instr(lower(run.model), ?) > 0";
  if (model !== undefined) params.push(model.toLowerCase());
  const rows = await sql.all(
    `SELECT run.cost, run.ended_at_ms - run.started_at_ms AS elapsed
      FROM (${source}) AS chosen CROSS JOIN run ON run.task_seq = chosen.seq
      WHERE run.outcome = 'completed' AND run.kind = 'task' ${ofModel}
      ORDER BY run.task_seq DESC, run.attempt DESC LIMIT ?`,
    [...params, mostRuns],
  );
  return rows.map((row) => ({ costMicrodollars: Number(row.cost), elapsedMs: Math.max(0, Number(row.elapsed)) }));
}
