/** A chain that this call brings its own slots for, and waits for. */
import { PoolError } from "../core/errors.ts";
import type { ChainProgress } from "../core/chain.ts";
import type { Pool } from "../pool.ts";
import { resultOf } from "../pool-chains.ts";
import type { WrittenChain } from "../schema/chain.ts";
import type { Call } from "./call.ts";
import { stepLine } from "./chain-text.ts";
import { exitOfTask, type ExitCode } from "./exit.ts";
import { tellingHeldBack } from "./held-back.ts";
import { interrupted } from "./interrupted.ts";
import { elapsed, usd } from "./quantities.ts";
import { taskLine } from "./task-text.ts";
import { Progress } from "./terminal/progress.ts";
import { tellingUncommitted } from "./uncommitted.ts";
import { workHint } from "./work-text.ts";

/** Submits, waits, prints the last answer (with --json the chain's record); resolves to the exit code. */
export async function runAttachedChain(call: Call, pool: Pool, { steps, ...options }: WrittenChain): Promise<ExitCode> {
  const progress = new Progress(call.out.talk);
  const over = new AbortController();
  let chainId: string | undefined;
  let following: Promise<unknown> = Promise.resolve();
  const { signal, end } = interrupted(call, () =>
    progress.note("Cancelling the chain; `claude-pool chain resume` goes on with it."),
  );
  try {
    const run = (): Promise<unknown> =>
      pool.runChain(steps, {
        ...options,
        signal,
        onSubmitted: (id) => {
          chainId = id;
          following = Promise.all([
            follow(call, pool, id, progress, over.signal),
            tellReviews(pool, id, progress, over.signal),
          ]);
          following.catch(() => undefined); // it is thrown below, where it is waited for
        },
      });
    const note = progress.note.bind(progress);
    await tellingHeldBack(pool, note, () => tellingUncommitted(pool, call.io.cwd, note, run));
  } catch (error) {
    if (chainId === undefined || !(error instanceof PoolError) || error.code !== "task_failed") throw error;
  } finally {
    end();
    over.abort();
    await following;
    progress.end();
  }
  return show(call, pool, chainId, signal.aborted);
}

async function show(call: Call, pool: Pool, id: string | undefined, isInterrupted: boolean): Promise<ExitCode> {
  if (id === undefined) throw new Error("a chain ended that was never submitted");
  const record = await pool.get(id);
  if (call.json) await call.out.record(record);
  else if (record.state === "completed") await call.out.line(resultOf(await pool.result(id)).finalOutput);
  call.out.say(taskLine(record, call.out.talkColour));
  if ((record.workspace?.saved?.files ?? 0) > 0) call.out.say(workHint(record));
  if (record.state !== "completed") call.out.say(`Go on with what did not complete: claude-pool chain resume ${id}`);
  return isInterrupted ? 130 : exitOfTask(record);
}

/** A line for each step that is over, and one that says what runs. */
async function follow(call: Call, pool: Pool, id: string, progress: Progress, over: AbortSignal): Promise<void> {
  const startedMs = Date.now();
  let chain: ChainProgress | undefined = await pool.chainProgress(id);
  progress.begin(() => {
    if (chain === undefined) return "";
    const done = `${String(chain.completedSteps.length)}/${String(chain.totalSteps)}`;
    const running = chain.runningSteps.join(", ") || (chain.currentStepName ?? "");
    return [done, running, usd(chain.totalCostMicrodollars), elapsed(Date.now() - startedMs)]
      .filter((part) => part !== "")
      .join(" · ");
  });
  for await (const event of pool.events({ after: 0, taskId: id, signal: over })) {
    if (event.type !== "chain.step_started" && event.type !== "chain.step_finished" && event.type !== "task.finished")
      continue;
    chain = await pool.chainProgress(id);
    if (event.type === "task.finished") return;
    if (event.type !== "chain.step_finished") continue;
    const { step: name } = event.data;
    const index = chain.steps.findIndex((step) => step.name === name);
    const step = chain.steps[index];
    const place = `${String(index + 1)}/${String(chain.totalSteps)}`;
    if (step !== undefined) progress.note(`${place} ${stepLine(step, call.out.talkColour)}`);
  }
}

/** Nobody else says that the chain waits for a person. */
async function tellReviews(pool: Pool, id: string, progress: Progress, over: AbortSignal): Promise<void> {
  for await (const event of pool.events({ signal: over })) {
    if (event.type !== "task.finished" || event.data.state !== "pending_review") continue;
    const { steps, totalSteps } = await pool.chainProgress(id);
    const index = steps.findIndex((step) => step.taskId === event.taskId);
    const step = steps[index];
    if (step?.taskId === undefined) continue;
    const place = `${String(index + 1)}/${String(totalSteps)}`;
    const how = `claude-pool review show ${step.taskId}, claude-pool review approve ${step.taskId}`;
    progress.note(`${place} ${step.name} waits for a reviewer: ${how}`);
  }
}
