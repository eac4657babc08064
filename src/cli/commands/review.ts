import { Command } from "commander";
import type { ApproveOptions } from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import type { TaskRecord } from "../../core/task.ts";
import { examples, type Call } from "../call.ts";
import type { ExitCode } from "../exit.ts";
import type { CommonFlags } from "../flags.ts";
import { landing, mergeFlags, mergeOptionsOf, type MergeFlags } from "../landing.ts";
import type { Pool } from "../../pool.ts";
import { promptOf } from "../prompts.ts";
import { elapsed, usd, wholeNumber } from "../quantities.ts";
import { stateText, taskLine } from "../task-text.ts";
import { oneLine, table } from "../terminal/table.ts";
import { changesOf, checkLines, checksOf, isOpen, mergeText, queuedHint, statLines } from "../work-text.ts";

/** `review`: what waits for a person's word. */
export function reviewCommand(call: Call): Command {
  return new Command("review")
    .summary("list, approve and reject what waits for review")
    .description("Tasks submitted with --review stop until they are approved, or rejected with feedback.")
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(showCommand(call))
    .addCommand(approveCommand(call))
    .addCommand(rejectCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool review",
        "claude-pool review show task-3f9c",
        "claude-pool review approve --merge task-3f9c",
        'claude-pool review reject task-3f9c "The timeout case is missing"',
      ),
    );
}

function listCommand(call: Call): Command {
  const command = new Command("list")
    .description("What waits for review, oldest first.")
    .option("--limit <n>", "at most so many", wholeNumber("--limit", 1), 50);
  return call.carryOut<CommonFlags & { readonly limit: number }>(command, (flags) =>
    call.look(flags, async (pool) => {
      const { tasks, next } = await pool.listReviews({ limit: flags.limit });
      if (call.json) for (const task of tasks) await call.out.record(task);
      else if (tasks.length === 0) call.out.say("Nothing waits for review.");
      else {
        const head = ["ID", "REJECTED", "COST", "TIME", "CHANGES", "CHECKS", "PROMPT"];
        for (const line of table([head, ...tasks.map(row)], { right: [2, 3], width: call.out.columns }))
          await call.out.line(line);
      }
      if (next !== undefined) call.out.say(`There are more than ${String(flags.limit)}: --limit shows more.`);
    }),
  );
}

function showCommand(call: Call): Command {
  const command = new Command("show")
    .description(
      "Show a task's prompt, what it changed, what its checks said, the answer that waits, and the feedback so far.",
    )
    .argument("<id>", "id of the task, or a unique beginning of it");
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const task = await pool.get(id as string);
      if (call.json) return call.out.record(task);
      const feedback = task.plan?.feedback ?? [];
      await call.out.line(taskLine(task, call.out.colour));
      await call.out.line(call.out.colour.bold("Prompt"));
      await call.out.line(task.prompt);
      for (const [index, text] of feedback.entries()) {
        await call.out.line(call.out.colour.bold(`Rejection ${String(index + 1)} of ${String(task.maxRejections)}`));
        await call.out.line(text);
      }
      await showWork(call, pool, task);
      await call.out.line(call.out.colour.bold("Answer"));
      await call.out.line(task.result?.output ?? "");
    }),
  );
}

function approveCommand(call: Call): Command {
  const command = mergeFlags(
    new Command("approve")
      .description(
        "Approve tasks: they are completed, and chains go on. With --merge, or where the task was submitted with --merge auto, " +
          "their work is merged first; exit 1 if it did not land.",
      )
      .argument("<ids...>", "ids of tasks, or unique beginnings of them")
      .option("--merge", "merge its work, which completes it")
      .option("--no-merge", "complete it without, also where it was to be merged by itself"),
  )
    .option("--no-wait", "do not wait for the merge: a host goes on with it")
    .addHelpText(
      "after",
      examples("claude-pool review approve task-3f9c", "claude-pool review approve --merge --into release task-3f9c"),
    );
  return call.carryOut<ApproveFlags>(command, (flags, [ids]) =>
    call.look(flags, async (pool) => {
      let exit: ExitCode = 0;
      const merge = flags.merge === undefined ? undefined : flags.merge ? "auto" : "manual";
      const options = { ...mergeOptionsOf(flags), ...defined<ApproveOptions>({ merge, wait: flags.wait }) };
      for (const id of ids as readonly string[]) {
        const task = await landing(call, pool, (signal) => pool.approve(id, { ...options, signal }));
        await tell(call, task);
        if (!(await isLanded(call, pool, task))) exit = 1;
      }
      return exit;
    }),
  );
}

interface ApproveFlags extends CommonFlags, MergeFlags {
  readonly merge?: boolean;
  readonly wait?: boolean;
}

/** Says what became of its merge, if it had one. */
async function isLanded(call: Call, pool: Pool, task: TaskRecord): Promise<boolean> {
  if (task.state === "completed" && task.workspace === undefined) return true;
  const [merge] = await pool.merges.list({ taskId: task.id, limit: 1 });
  if (merge === undefined) return true;
  call.out.say(`${merge.id} ${mergeText(merge, call.out.talkColour)}`);
  if (isOpen(merge)) call.out.say(queuedHint(merge));
  if (task.state === "pending") call.out.say("It is back in the queue, to resolve that.");
  return task.state === "completed" || task.mergeId !== undefined;
}

function rejectCommand(call: Call): Command {
  const command = new Command("reject")
    .description("Reject a task: it is done again with all feedback so far, or fails if this was its last rejection.")
    .argument("<id>", "id of the task, or a unique beginning of it")
    .argument("[feedback...]", "what to do better; without it, or with -, read from stdin")
    .option("--from-base", "it begins again from its base, not with the work that is rejected (which stays saved)")
    .addHelpText("after", examples('claude-pool review reject --from-base task-3f9c "Use the existing parser"'));
  return call.carryOut<CommonFlags & { readonly fromBase?: boolean }>(command, (flags, [id, words]) =>
    call.look(flags, async (pool) => {
      const feedback = await promptOf(call, words as readonly string[]);
      const start = flags.fromBase === true ? "base" : "saved";
      const task = await pool.reject(id as string, feedback, { start });
      await tell(call, task);
      const left = task.maxRejections - task.rejectionCount;
      if (task.state === "pending") call.out.say(`It is back in the queue; ${String(left)} more would fail it.`);
    }),
  );
}

/** What a reviewer judges: the change itself, and the evidence for it. */
async function showWork(call: Call, pool: Pool, task: TaskRecord): Promise<void> {
  if (task.workspace === undefined) return;
  await call.out.line(call.out.colour.bold(`Changes (claude-pool diff ${task.id})`));
  for (const line of statLines(await pool.diff(task.id))) await call.out.line(line);
  const { checks = [] } = task.workspace;
  if (checks.length > 0) await call.out.line(call.out.colour.bold("Checks"));
  for (const line of checkLines(checks, call.out.colour)) await call.out.line(line);
}

async function tell(call: Call, task: TaskRecord): Promise<void> {
  if (call.json) return call.out.record(task);
  await call.out.line(`${task.id}  ${stateText(task.state, call.out.colour)}`);
}

function row(task: TaskRecord): readonly string[] {
  const { result } = task;
  return [
    task.id,
    `${String(task.rejectionCount)}/${String(task.maxRejections)}`,
    result === undefined ? "-" : usd(result.costMicrodollars),
    result === undefined ? "-" : elapsed(result.elapsedMs),
    task.mergeId === undefined ? changesOf(task) : `${changesOf(task)} (merging)`,
    checksOf(task),
    oneLine(task.prompt, 60),
  ];
}
