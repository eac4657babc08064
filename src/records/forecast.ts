/** Past runs for a forecast: the latest completed ones of a kind. */
import {
  type Forecast,
  forecastOf,
  kindsLike,
  mostRuns,
  enoughRuns,
  type PastRun,
  type RunLike,
} from "../core/forecast.ts";
import type { Sql, SqlValue } from "../core/ports.ts";

export async function forecast(sql: Pick<Sql, "all">, like: RunLike): Promise<Forecast> {
  const kinds: { readonly basis: ReturnType<typeof kindsLike>[number]["basis"]; readonly runs: readonly PastRun[] }[] =
    [];
  for (const { basis, ...kind } of kindsLike(like)) {
    const runs = await latest(sql, kind.tags, kind.model);
    kinds.push({ basis, runs });
    if (runs.length >= enoughRuns) break;
  }
  return forecastOf(kinds, undefined);
}

/** The tasks are gone through from the latest back, and not farther than it takes to find enough, or a bound. */
async function latest(
  sql: Pick<Sql, "all">,
  tags: readonly string[] | undefined,
  model: string | undefined,
): Promise<readonly PastRun[]> {
  const params: SqlValue[] = [];
  const conditions = ["run.outcome = 'completed'", "run.kind = 'task'"];
  if (model !== undefined) {
    conditions.push("instr(lower(run.model), ?) > 0");
    params.push(model.toLowerCase());
  }
  let source = "SELECT seq AS task_seq FROM task ORDER BY seq DESC LIMIT ?";
  const sourceParams: SqlValue[] = [lookedAt];
  if (tags !== undefined) {
    source =
      "SELECT DISTINCT seq AS task_seq FROM task_tag WHERE tag IN (SELECT value FROM json_each(?)) ORDER BY seq DESC LIMIT ?";
    sourceParams.unshift(JSON.stringify(tags));
  }
  const rows = await sql.all(
    `SELECT run.cost, run.ended_at_ms - run.started_at_ms AS elapsed
      FROM (${source}) AS chosen JOIN run ON run.task_seq = chosen.task_seq
      WHERE ${conditions.join(" AND ")} ORDER BY run.task_seq DESC, run.attempt DESC LIMIT ?`,
    [...sourceParams, ...params, mostRuns],
  );
  return rows.map((row) => ({ costMicrodollars: Number(row.cost), elapsedMs: Math.max(0, Number(row.elapsed)) }));
}

/** So many of the latest tasks are looked at for runs of a kind. */
const lookedAt = 20_000;
