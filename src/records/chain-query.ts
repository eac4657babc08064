/** A chain's way so far, as every surface shows it. */
import { stepResult } from "../core/chain-result.ts";
import type { ChainProgress, StepRecord } from "../core/chain.ts";
import { defined } from "../core/config.ts";
import type { Sql, SqlRow } from "../core/ports.ts";
import type { TaskRecord } from "../core/task.ts";
import { specOfChain, stepsOf, stepStatesOf } from "./chain-rows.ts";
import { selectTasks, taskOf } from "./rows.ts";

/** The most of a running step's text that progress shows, in characters: its end. */
const maxPartial = 16_000;

/** `show` makes of queued tasks what people see of them. @returns undefined for a task that is no chain. */
export async function chainProgress(
  sql: Sql,
  id: string,
  show: (tasks: readonly TaskRecord[]) => Promise<readonly TaskRecord[]>,
): Promise<ChainProgress | undefined> {
  const [row] = await sql.all(`${chainRows} WHERE task.id = ? AND kind = 'chain'`, [id]);
  if (row === undefined) return undefined;
  const progress = await progressOf(sql, row, "whole");
  return { ...progress, steps: await withHolds(sql, taskOf(row).seq, progress.steps, show) };
}

/** Newest first, without what the steps answered: that may be megabytes for each. */
export async function listChains(
  sql: Sql,
  { limit, after }: { readonly limit: number; readonly after?: number },
): Promise<readonly ChainProgress[]> {
  const rows = await sql.all(
    `${chainRows} WHERE kind = 'chain' AND (?1 IS NULL OR task.seq < ?1) ORDER BY task.seq DESC LIMIT ?2 + 0`,
    [after ?? null, limit],
  );
  const chains: ChainProgress[] = [];
  for (const row of rows) chains.push(await progressOf(sql, row, "light"));
  return chains;
}

const chainRows = selectTasks("chain CROSS JOIN task ON task.seq = chain.seq").replace(
  "SELECT ",
  "SELECT chain.resumed_from, ",
);

async function progressOf(sql: Sql, row: SqlRow, how: "whole" | "light"): Promise<ChainProgress> {
  const chain = taskOf(row);
  const spec = await specOfChain(sql, chain.id);
  const read = how === "whole" ? stepsOf : stepStatesOf;
  const steps = await withCosts(sql, chain.seq, await read(sql, chain.seq));
  const current = steps.findIndex((step) => step.state === "running" || step.state === "pending_review");
  const running = steps[current];
  return defined<ChainProgress>({
    taskId: chain.id,
    name: spec?.name,
    totalSteps: steps.length,
    currentStep: running === undefined ? undefined : current,
    currentStepName: running?.name,
    currentStepPartialOutput: running === undefined || how === "light" ? undefined : await partialOutput(sql, running),
    currentStepStartedAt: running?.startedAtMs === undefined ? undefined : Math.floor(running.startedAtMs / 1000),
    runningSteps: steps.filter((step) => step.state === "running").map((step) => step.name),
    completedSteps: steps.filter(isOver).map(stepResult),
    steps,
    status: chain.state as ChainProgress["status"],
    totalCostMicrodollars: steps.reduce((sum, step) => sum + step.costMicrodollars, 0),
    resumedFrom: row.resumed_from === null ? undefined : String(row.resumed_from),
  });
}

/** What the runs of steps that are not over have cost so far, and how often they were tried again. */
async function withCosts(sql: Sql, chainSeq: number, steps: readonly StepRecord[]): Promise<readonly StepRecord[]> {
  if (steps.every(isOver)) return steps;
  const rows = await sql.all(
    `SELECT task.step, task.retry_count, COALESCE(SUM(run.cost), 0) AS cost
      FROM task INDEXED BY task_of_chain LEFT JOIN run ON run.task_seq = task.seq
      WHERE chain_seq = ? AND state IN ('pending', 'running', 'pending_review') GROUP BY task.seq`,
    [chainSeq],
  );
  const open = new Map(rows.map((row) => [Number(row.step), row]));
  return steps.map((step, index) => {
    const row = open.get(index);
    if (row === undefined) return step;
    return { ...step, costMicrodollars: Number(row.cost), retriesUsed: Number(row.retry_count) };
  });
}

async function withHolds(
  sql: Sql,
  chainSeq: number,
  steps: readonly StepRecord[],
  show: (tasks: readonly TaskRecord[]) => Promise<readonly TaskRecord[]>,
): Promise<readonly StepRecord[]> {
  if (steps.every(isOver)) return steps;
  const queued = `${selectTasks("task INDEXED BY task_of_chain")} WHERE task.chain_seq = ? AND state = 'pending'`;
  const tasks = await show((await sql.all(queued, [chainSeq])).map(taskOf));
  const holds = new Map(tasks.map((task) => [task.id, task.hold]));
  return steps.map((step) => defined<StepRecord>({ ...step, hold: holds.get(step.taskId ?? "") }));
}

/** The end of what the present run of a step has said. */
async function partialOutput(sql: Sql, step: StepRecord): Promise<string> {
  const rows = await sql.all(
    `SELECT event.data ->> 'text' AS text FROM task
      CROSS JOIN event INDEXED BY event_of_task ON event.task_seq = task.seq
      WHERE task.id = ? AND event.type = 'task.output' AND event.data ->> 'runId' = task.run_id
      ORDER BY event.seq DESC LIMIT 200`,
    [step.taskId ?? ""],
  );
  return rows
    .map((row) => String(row.text))
    .reverse()
    .join("")
    .slice(-maxPartial);
}

function isOver(step: StepRecord): boolean {
  return step.state !== "waiting" && step.state !== "running" && step.state !== "pending_review";
}
